"""What is in force is judged: value by value, and by the inequalities that it keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.layers.base import Goal
from sanglier.layers.cluster import timeouts as of_cluster
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.drbd import timeouts as of_drbd
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.initiator import timeouts as of_initiator
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.multipath import timeouts as of_multipath
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2 import timeouts as of_ocfs2
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.read_back import ReadBack, mixtures, read_back
from sanglier.layers.runtime import runtime_values
from sanglier.spec.cluster import Timings

from .alter import altered, with_side
from .goal import ARTICLE, GOAL, TIMINGS, VOLUME
from .recordings import article_facts_of, facts_of

CONVERGED = facts_of("converged")


def wanting(**timings: int) -> Goal:
    """Give the goal with other timings, which the recorded hosts do not have."""
    return replace(GOAL, cluster=replace(GOAL.cluster, timings=replace(TIMINGS, **timings)))  # type: ignore[arg-type]


def with_option(host: str, name: str, value: str) -> Facts:
    options = CONVERGED.of(host, DrbdFacts).resources[VOLUME.name].options
    return with_side(CONVERGED, host, options={**options, name: value})


def with_session(host: str, **timeouts: int) -> Facts:
    first, *others = CONVERGED.of(host, InitiatorFacts).sessions
    changed = replace(first, timeouts={**first.timeouts, **timeouts})
    return altered(CONVERGED, host, InitiatorFacts, sessions=(changed, *others))


def with_o2cb(host: str, **values: str) -> Facts:
    now = CONVERGED.of(host, Ocfs2Facts).cluster_values
    return altered(CONVERGED, host, Ocfs2Facts, cluster_values={**now, **values})


def with_settings(host: str, **values: str) -> Facts:
    now = CONVERGED.of(host, MultipathFacts).settings
    return altered(CONVERGED, host, MultipathFacts, settings={**now, **values})


def codes(found: ReadBack) -> set[str]:
    return {inequality.code for inequality in found.broken}


def test_a_converged_cluster_is_good_in_one_sentence() -> None:
    found = read_back(GOAL, CONVERGED)
    assert found.good
    assert not found.absent
    assert found.read == len(found.values) > 100
    assert found.sentence == (
        f"Timeouts in force: {found.read} values read back from the kernels and daemons, all as "
        "wanted, and they keep the budget."
    )


def test_the_articles_cluster_is_good_too() -> None:
    assert read_back(ARTICLE, article_facts_of("converged")).good


WITH_TIMEOUTS = (of_drbd, of_cluster, of_initiator, of_multipath, of_ocfs2)


def test_every_timeout_of_the_set_is_read_back_somewhere() -> None:
    read = {value.timing for value in runtime_values(GOAL, CONVERGED)} - {""}
    assert read == {field for one in WITH_TIMEOUTS for field in one.READER.timings.values()}
    assert read == set(Timings.__dataclass_fields__) - {"name", "fence_turns"}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (with_o2cb("srv-a", dead_threshold="31"), "I1"),
        (with_settings("srv-b", no_path_retry="5"), "I2"),
        (with_option("disk-a", "timeout", "60"), "I3"),
        (with_session("srv-a", ping_tmo=25), "I5"),
        (with_o2cb("srv-b", keepalive_delay_ms="40000"), "I8"),
        (with_option("disk-b", "ping-int", "10"), "I12"),
        (with_session("srv-b", recovery_tmo=0, ping_tmo=1, recv_tmo=1), "I18"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_a_hard_inequality_is_computed_from_what_is_in_force(facts: Facts, code: str) -> None:
    found = read_back(GOAL, facts)
    assert code in codes(found)
    assert not found.good
    assert f"hard inequality {code} fails" in found.sentence
    assert all(not inequality.holds for inequality in found.broken)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"runtime.config.totem.token": "5000"}, "I11"),
        ({"quorum.device.timeout": "10000"}, "I13"),
        ({"quorum.device.timeout": "1000"}, "I14"),
        ({"runtime.config.totem.token": "500"}, "I17"),
    ],
)
def test_corosyncs_values_in_force_are_in_it(values: dict[str, str], code: str) -> None:
    now = CONVERGED.of("disk-a", ClusterFacts).values
    facts = altered(CONVERGED, "disk-a", ClusterFacts, values={**now, **values})
    assert code in codes(read_back(GOAL, facts))


def test_the_handlers_hold_is_that_of_the_program_on_the_host() -> None:
    facts = altered(
        CONVERGED, "disk-b", DrbdFacts, handler={"hold": "3", "grace": "3", "longer": "55"}
    )
    found = read_back(GOAL, facts)
    assert [v.name for v in found.differing] == ["fence-peer hold"]
    assert codes(found) == {"I12"}


def test_a_map_that_does_not_queue_breaks_the_promise_to_wait() -> None:
    (old,) = CONVERGED.of("srv-a", MultipathFacts).maps
    facts = altered(CONVERGED, "srv-a", MultipathFacts, maps=(replace(old, queueing="off"),))
    found = read_back(GOAL, facts)
    assert [(v.name, v.actual) for v in found.differing] == [("data queueing", "off")]
    assert codes(found) == {"I2"}


def test_servers_with_different_o2cb_values_break_it_even_where_each_alone_would_do() -> None:
    found = read_back(GOAL, with_o2cb("srv-a", reconnect_delay_ms="3000"))
    assert codes(found) == {"I8"}


def test_a_value_that_is_more_patient_differs_and_breaks_nothing() -> None:
    found = read_back(GOAL, with_o2cb("srv-a", idle_timeout_ms="30001"))
    assert [(v.host, v.name, v.wanted, v.actual) for v in found.differing] == [
        ("srv-a", "idle_timeout_ms", "30000", "30001")
    ]
    assert codes(found) == {"I8"}
    assert "1 not as wanted, hard inequality I8 fails" in found.sentence


def test_the_wanted_values_do_not_hide_what_is_in_force() -> None:
    """The hosts have SAFE; a file that wants more fencing time meets their handler's hold."""
    found = read_back(wanting(fence_s=20, fence_hold_s=60), CONVERGED)
    assert {v.name for v in found.differing} == {"fence-peer hold", "fence-peer longer"}
    assert not found.broken


def test_what_is_not_there_is_absent_and_neither_good_nor_bad() -> None:
    found = read_back(GOAL, facts_of("session-logged-out"))
    assert {v.actual for v in found.absent} == {None}
    assert found.good
    assert found.sentence.endswith(f"; {len(found.absent)} are not in force.")
    assert read_back(GOAL, Facts()) == ReadBack(values=(), broken=())


def test_hosts_that_differ_are_mixed() -> None:
    facts = with_option("disk-a", "ping-int", "4")
    seen = {m.drbd_ping_int_s for m in mixtures(TIMINGS, runtime_values(GOAL, facts))}
    assert seen == {3, 4}
    assert list(mixtures(TIMINGS, runtime_values(GOAL, CONVERGED))) == [TIMINGS]


def test_a_value_that_is_no_number_stands_for_none() -> None:
    found = read_back(GOAL, with_option("disk-a", "ping-int", "soon"))
    assert [v.actual for v in found.differing] == ["soon"]
    assert not found.broken
