"""What is in force is found wherever it is, believed in its order, and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.core.probe import Output
from sanglier.drill.faults.changes import swapped
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import handler_file
from sanglier.layers.files import FileState
from sanglier.layers.numbers.desired import numbers
from sanglier.layers.numbers.facts import Claim, Kind, NumbersFacts, Rank
from sanglier.layers.numbers.probe import conf_nodes, parse
from sanglier.layers.ocfs2.desired import CONF_PATH
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.run.kept import kept
from sanglier.spec.keep import Numbers, keep
from sanglier.spec.load import load_text

from .alter import altered, without
from .firing import claiming
from .goal import APPLICATIONS, GOAL, GUARDED_FILE, HOSTS
from .recordings import NAMES, facts_of, outputs_of
from .simulate import applying

T = TypeVar("T")

CONVERGED = facts_of("converged")
MOUNTED, RUNNING, STORED = Rank.MOUNTED, Rank.RUNNING, Rank.STORED


def kept_plan(goal: Goal, facts: Facts) -> Plan:
    return applying(kept(goal, facts), facts)


def node(host: str, name: str, number: int, rank: Rank) -> tuple[str, Kind, str, int, Rank]:
    return host, Kind.NODE, name, number, rank


def codes(plan: Plan) -> list[str]:
    return [problem.code for problem in plan.blockers]


def found(goal: Goal, facts: Facts) -> Mapping[str, int]:
    return {server.hostname: server.node for server in kept(goal, facts).cluster.applications}


# What hosts say.


def claims(case: str, host: str) -> dict[tuple[Kind, str, Rank], int]:
    facts = facts_of(case).of(host, NumbersFacts)
    return {(claim.kind, claim.name, claim.rank): claim.number for claim in facts.claims}


def test_a_server_with_a_mount_says_which_numbers_o2cb_and_its_file_have() -> None:
    assert claims("converged", "srv-a") == {
        (Kind.NODE, "srv-a", MOUNTED): 0, (Kind.NODE, "srv-b", MOUNTED): 1,
        (Kind.NODE, "srv-a", STORED): 0, (Kind.NODE, "srv-b", STORED): 1,
    }  # fmt: skip


def test_a_storage_server_says_what_drbd_target_corosync_and_their_files_have() -> None:
    said = claims("converged", "disk-b")
    for rank in (RUNNING, STORED):
        assert said[Kind.MINOR, "data", rank] == 0
        assert said[Kind.PORT, "data", rank] == 7789
        assert (said[Kind.SIDE, "disk-a", rank], said[Kind.SIDE, "disk-b", rank]) == (0, 1)
    assert said[Kind.MINOR, "data", Rank.BUILT] == 0
    assert said[Kind.SIDE, "disk-b", Rank.BUILT] == 1
    assert CONVERGED.of("disk-b", NumbersFacts).deciding == "data"


def test_a_bare_host_says_nothing() -> None:
    """Debian's own corosync.conf has a node 1, of a cluster that is not ours."""
    for host in HOSTS:
        facts = facts_of("blank")
        if facts.has(host, NumbersFacts):
            assert facts.of(host, NumbersFacts) == NumbersFacts()


def test_another_clusters_nodes_are_not_ours() -> None:
    text = "node:\n\tnumber = 3\n\tname = srv-a\n\tcluster = other\n"
    assert list(conf_nodes(text.splitlines(), "guiguiabloc")) == []
    assert list(conf_nodes(text.splitlines(), "other")) == [("srv-a", "3")]


@pytest.mark.parametrize("text", ["", "node:", "number = 1", "node:\n\tname = x\n", "= \n:\n"])
def test_a_broken_cluster_conf_claims_nothing(text: str) -> None:
    outputs = {"o2cb": Output(status=0, text=f"== cluster.conf\n{text}")}
    assert parse(GOAL, "srv-a", outputs).claims == ()


FOREIGN = """\
== drbd
== drbd.d
resource r0
/dev/drbd3
address 10.0.0.1:7790;
minor 4
address ipv6 [fd00::1]:7791;
"""


def test_a_foreign_resource_holds_its_minors_and_ports() -> None:
    said = parse(GOAL, "disk-a", {"mirror": Output(status=0, text=FOREIGN)}).claims
    assert {(c.kind, c.name, c.number, c.rank) for c in said} == {
        (Kind.MINOR, "r0", 3, STORED), (Kind.MINOR, "r0", 4, STORED),
        (Kind.PORT, "r0", 7790, STORED), (Kind.PORT, "r0", 7791, STORED),
    }  # fmt: skip


def test_a_probe_prints_no_secret() -> None:
    for line in outputs_of("converged", "disk-a", "numbers")["mirror"].lines:
        assert "secret" not in line.lower()


# What is kept.


def order(goal: Goal, data: st.DataObject) -> Goal:
    """Give the goal of the same file with its mappings in another order."""
    cluster = goal.cluster

    def draw(items: Sequence[T]) -> tuple[T, ...]:
        return tuple(data.draw(st.permutations(items)))

    applications, storage = draw(cluster.applications), draw(cluster.storage)
    return replace(
        goal,
        cluster=replace(
            cluster,
            applications=tuple(replace(s, node=i) for i, s in enumerate(applications)),
            storage=tuple(replace(s, index=i) for i, s in enumerate(storage)),
        ),
    )


@pytest.mark.parametrize("case", ["converged", "disk-b-rebooted", "disk-b-dead", "blank"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_order_of_the_file_changes_no_plan_of_what_exists(
    case: str, data: st.DataObject
) -> None:
    facts = facts_of(case)
    there = kept_plan(GOAL, facts)
    other = kept(order(GOAL, data), facts)
    if case == "blank":
        assert [s.node for s in other.cluster.applications] == [0, 1]
        return
    assert other == kept(GOAL, facts)
    assert applying(other, facts) == there


def test_a_converged_cluster_has_nothing_to_do_whatever_the_order() -> None:
    goal = replace(GOAL, cluster=swapped(GOAL.cluster))
    assert kept_plan(goal, CONVERGED).empty
    assert kept_plan(goal, CONVERGED).problems == ()


def test_the_order_alone_would_have_renumbered_everything() -> None:
    """What happened until 2026-11-26: the same file, its numbers taken from the order."""
    goal = replace(GOAL, cluster=swapped(GOAL.cluster))
    renumbered = {str(step.address) for step in applying(goal, CONVERGED).steps}
    assert {"disk-a/cluster/corosync.conf", "disk-a/target/data-alua"} <= renumbered


def test_swapped_is_what_the_swapped_file_gives() -> None:
    text = GUARDED_FILE.read_text()
    lines = text.splitlines(keepends=True)

    def block(name: str) -> list[str]:
        start = next(n for n, line in enumerate(lines) if line.startswith(f"  {name}:"))
        end = next(n for n in range(start + 1, len(lines)) if not lines[n].startswith("   "))
        return lines[start:end]

    for first, second in (("disk-a", "disk-b"), ("srv-a", "srv-b")):
        one, two = block(first), block(second)
        text = text.replace("".join(one + two), "".join(two + one))
    assert text != GUARDED_FILE.read_text()
    found = load_text(text, str(GUARDED_FILE))
    assert swapped(GOAL.cluster) == replace(found, timings=GOAL.cluster.timings)


@pytest.mark.parametrize("case", NAMES)
def test_numbers_of_the_file_are_those_in_force_in_every_recorded_case(case: str) -> None:
    assert kept(GOAL, facts_of(case)).cluster == keep(GOAL.cluster, Numbers())


@pytest.mark.parametrize("gone", HOSTS)
def test_a_host_that_was_not_read_changes_no_number_of_the_others(gone: str) -> None:
    goal = replace(GOAL, cluster=swapped(GOAL.cluster))
    known = kept(goal, without(CONVERGED, gone)).cluster
    assert {s.name: s.node for s in known.applications} == {"srv-a": 0, "srv-b": 1}
    assert [(v.minor, v.port) for v in known.volumes] == [(0, 7789)]
    assert [s.name for s in known.storage] == ["disk-a", "disk-b"]


# Whom to believe.


def test_what_is_mounted_counts_more_than_what_runs_and_that_more_than_files() -> None:
    facts = claiming(
        node("srv-a", "srv-a", 0, MOUNTED), node("srv-a", "srv-b", 1, MOUNTED),
        node("srv-b", "srv-b", 5, RUNNING), node("srv-b", "srv-a", 1, STORED),
    )  # fmt: skip
    assert found(GOAL, facts) == {"srv-a": 0, "srv-b": 1}
    assert not codes(applying(kept(GOAL, facts), facts))


def test_two_mounted_servers_that_disagree_are_a_blocker() -> None:
    facts = claiming(
        node("srv-a", "srv-a", 1, MOUNTED), node("srv-a", "srv-b", 0, MOUNTED),
        node("srv-b", "srv-a", 0, MOUNTED), node("srv-b", "srv-b", 1, MOUNTED),
    )  # fmt: skip
    plan = kept_plan(GOAL, facts)
    assert set(codes(plan)) >= {"SG-NUM-002"}
    assert any("unmount the volumes" in problem.fix for problem in plan.blockers)


def test_files_that_disagree_are_settled_by_a_line_in_the_cluster_file() -> None:
    facts = claiming(node("srv-a", "srv-b", 1, STORED), node("srv-b", "srv-b", 0, STORED),
                     node("srv-a", "srv-a", 3, STORED))  # fmt: skip
    plan = kept_plan(GOAL, facts)
    assert codes(plan) == ["SG-NUM-002"]
    assert "`node: 0`" in plan.blockers[0].fix
    assert "`applications: srv-b:`" in plan.blockers[0].fix
    servers = tuple(
        replace(server, written={"node": 1}) if server.name == "srv-b" else server
        for server in GOAL.cluster.applications
    )
    written = replace(GOAL, cluster=replace(GOAL.cluster, applications=servers))
    assert codes(kept_plan(written, facts)) == []
    assert found(written, facts) == {"srv-a": 3, "srv-b": 1}


def test_a_file_that_says_otherwise_is_a_blocker_with_the_line_to_write() -> None:
    servers = tuple(replace(s, written={"node": 1 - s.node}) for s in GOAL.cluster.applications)
    volumes = tuple(replace(v, written={"minor": 4}) for v in GOAL.cluster.volumes)
    goal = replace(GOAL, cluster=replace(GOAL.cluster, applications=servers, volumes=volumes))
    plan = kept_plan(goal, CONVERGED)
    assert codes(plan) == ["SG-NUM-001"] * 3
    told = " ".join(problem.fix for problem in plan.blockers)
    assert "`node: 0` under `applications: srv-a:`" in told
    assert "`minor: 0` under `volumes: data:`" in told
    assert plan.empty


def test_another_port_is_refused_by_the_layer_of_the_mirror_with_the_line_to_write() -> None:
    volumes = tuple(replace(v, port=7799, written={"port": 7799}) for v in GOAL.cluster.volumes)
    plan = kept_plan(replace(GOAL, cluster=replace(GOAL.cluster, volumes=volumes)), CONVERGED)
    assert set(codes(plan)) == {"SG-DRBD-022"}
    assert "write `port: 7789`" in plan.blockers[0].fix
    assert not [step for step in plan.steps if step.address.layer == "drbd"]


def test_a_number_of_a_name_that_is_gone_is_refused_to_another_with_a_free_one() -> None:
    facts = claiming(
        node("srv-a", "srv-a", 0, MOUNTED), node("srv-a", "srv-old", 1, MOUNTED),
    )  # fmt: skip
    assert found(GOAL, facts) == {"srv-a": 0, "srv-b": 2}
    servers = tuple(
        replace(s, written={"node": 1}) if s.name == "srv-b" else s
        for s in GOAL.cluster.applications
    )
    goal = replace(GOAL, cluster=replace(GOAL.cluster, applications=servers))
    plan = kept_plan(goal, facts)
    assert codes(plan) == ["SG-NUM-003"]
    assert "srv-old has (o2cb on srv-a)" in plan.blockers[0].what
    assert "`node: 2`" in plan.blockers[0].fix


def test_a_leftover_file_gives_no_number_that_another_has_mounted() -> None:
    facts = claiming(node("srv-a", "srv-a", 0, MOUNTED), node("srv-b", "srv-b", 0, STORED))
    assert found(GOAL, facts) == {"srv-a": 0, "srv-b": 1}
    assert codes(kept_plan(GOAL, facts)) == []


def test_a_new_volume_avoids_what_a_foreign_resource_has() -> None:
    said = parse(GOAL, "disk-a", {"mirror": Output(status=0, text=FOREIGN.replace("3", "0"))})
    facts = Facts().with_("disk-a", said)
    (volume,) = kept(GOAL, facts).cluster.volumes
    assert (volume.minor, volume.port) == (1, 7789)


# The volume that decides who shoots.


def two_volumes() -> Goal:
    (data,) = GOAL.cluster.volumes
    mail = replace(data, name="mail", minor=1, port=7790)
    return replace(GOAL, cluster=replace(GOAL.cluster, volumes=(data, mail)))


def deciding(facts: Facts, **volumes: str) -> Facts:
    for host, volume in volumes.items():
        facts = altered(facts, host.replace("_", "-"), NumbersFacts, claims=(), deciding=volume)
    return facts


def test_the_handler_goes_by_the_volume_that_it_went_by_before() -> None:
    facts = deciding(CONVERGED, disk_a="mail", disk_b="mail")
    goal = kept(two_volumes(), facts)
    assert goal.cluster.deciding_volume.name == "mail"
    assert "iblock_1/mail/" in handler_file(goal).text


def test_handlers_that_disagree_or_name_what_is_gone_go_by_the_lowest_minor() -> None:
    for facts in (deciding(CONVERGED, disk_a="mail", disk_b="data"),
                  deciding(CONVERGED, disk_a="old", disk_b="old")):  # fmt: skip
        assert kept(two_volumes(), facts).cluster.deciding_volume.name == "data"


# o2cb's values while a volume is mounted somewhere.


def with_threshold(facts: Facts, value: str, *hosts: str) -> Facts:
    for host in hosts:
        values = {**facts.of(host, Ocfs2Facts).cluster_values, "dead_threshold": value}
        facts = altered(facts, host, Ocfs2Facts, cluster_values=values)
    return facts


def unmounted(facts: Facts, *hosts: str) -> Facts:
    for host in hosts:
        facts = altered(facts, host, Ocfs2Facts, mounts={})
    return facts


def of_o2cb(plan: Plan) -> set[str]:
    subjects = {"cluster.conf", "o2cb"}
    return {str(s.address) for s in plan.steps
            if s.address.layer == "ocfs2" and s.address.subject in subjects}  # fmt: skip


FAST = replace(
    GOAL,
    cluster=replace(GOAL.cluster, timings=replace(GOAL.cluster.timings, o2cb_threshold=31)),
)


def test_while_one_server_is_mounted_nobodys_o2cb_gets_other_timeouts() -> None:
    """CASES: srv-a was unmounted, its o2cb restarted, its mount refused by the kernel."""
    plan = applying(FAST, unmounted(CONVERGED, "srv-a"))
    assert of_o2cb(plan) == set()
    assert [p.code for p in plan.problems] == ["SG-FS-004", "SG-FS-003", "SG-FS-004"]
    assert "srv-b has a volume mounted" in plan.problems[0].what
    mounts = [s for s in plan.steps if s.summary.startswith("mount ")]
    assert [s.address.host for s in mounts] == ["srv-a"], "it still runs as srv-b does"


def test_a_cluster_conf_changed_by_hand_is_mended_while_timeouts_are_held_back() -> None:
    now = CONVERGED.of("srv-b", Ocfs2Facts)
    files = {**now.files, CONF_PATH: FileState(digest="0" * 64, text="node:\n")}
    plan = applying(FAST, altered(CONVERGED, "srv-b", Ocfs2Facts, files=files))
    assert of_o2cb(plan) == {"srv-b/ocfs2/cluster.conf"}


def test_when_all_are_unmounted_all_get_them() -> None:
    plan = applying(FAST, unmounted(CONVERGED, *APPLICATIONS))
    assert of_o2cb(plan) == {f"{host}/ocfs2/o2cb" for host in APPLICATIONS}
    assert plan.problems == ()


def test_a_server_whose_o2cb_differs_from_a_mounted_ones_is_not_mounted() -> None:
    facts = with_threshold(unmounted(CONVERGED, "srv-a"), "31", "srv-b")
    plan = applying(GOAL, facts)
    assert plan.empty
    assert {p.code for p in plan.problems} == {"SG-FS-003"}


def test_a_mounted_server_whose_o2cb_cannot_be_read_binds_all_others() -> None:
    facts = altered(unmounted(CONVERGED, "srv-a"), "srv-b", Ocfs2Facts, cluster_values={})
    facts = altered(facts, "srv-a", Ocfs2Facts, cluster_values={})
    plan = applying(GOAL, facts)
    assert of_o2cb(plan) == set()
    assert "SG-FS-004" in {p.code for p in plan.problems}


def test_a_volume_mounted_by_hand_elsewhere_counts_too() -> None:
    facts = altered(unmounted(CONVERGED, *APPLICATIONS), "srv-b", Ocfs2Facts, elsewhere=("/mnt",))
    assert of_o2cb(applying(FAST, facts)) == set()


def test_a_new_server_waits_until_the_mounted_ones_know_it() -> None:
    """Their o2cb learns of it only offline; its mount would hang and fail."""
    (known, *_) = GOAL.cluster.applications
    facts = unmounted(CONVERGED, "srv-b")
    values = dict(facts.of("srv-a", Ocfs2Facts).cluster_values)
    del values["node/srv-b"]
    facts = altered(facts, known.name, Ocfs2Facts, cluster_values=values)
    plan = applying(GOAL, facts)
    assert "srv-b" not in {s.address.host for s in plan.steps if s.summary.startswith("mount ")}
    assert "SG-FS-003" in {p.code for p in plan.problems}


def test_numbers_are_claims_of_hosts_that_answered() -> None:
    claim = Claim(kind=Kind.NODE, name="srv-b", number=7, rank=RUNNING, where="o2cb on srv-b")
    facts = Facts().with_("srv-b", NumbersFacts(claims=(claim,)))
    assert numbers(GOAL.cluster, facts).nodes == {"srv-b": 7}
