"""The witness's link: what Debian's tools say of it, and the steps that bring TLS to it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from sanglier.core.action import Carried, Script
from sanglier.core.facts import Facts
from sanglier.core.shell import render
from sanglier.core.step import Step
from sanglier.layers.cluster import link
from sanglier.layers.cluster.certificates import Certificate, parse_certificate
from sanglier.layers.cluster.corosync import CONF, conf_file
from sanglier.layers.cluster.desired import QDEVICE_UNIT, UNITS, requiring_file
from sanglier.layers.cluster.facts import Client, ClusterFacts, Link, WitnessFacts
from sanglier.layers.files import content_state
from sanglier.layers.services import STOPPED

from .alter import altered, without
from .firing import LINKS, in_link_state
from .goal import GOAL, STORAGE
from .recordings import facts_of
from .simulate import applying, cut_everywhere, destroying, may_run, settle, take_all

UNTIL = 4951460857
"""2126-11-27, 13:47:37 UTC: of the authority in the recordings."""


def link_of(facts: Facts, host: str = "disk-a") -> Link:
    return facts.of(host, ClusterFacts).link


def witness_of(facts: Facts) -> WitnessFacts:
    return facts.of("witness", WitnessFacts)


def with_link(facts: Facts, host: str, **values: Any) -> Facts:  # noqa: ANN401
    """Replace fields of one storage server's end."""
    return altered(facts, host, ClusterFacts, link=replace(link_of(facts, host), **values))


def before_tls() -> Facts:
    """Give a whole cluster as it was before 2026-11-27: not encrypted, and told so."""
    facts = in_link_state("plain")
    for host in STORAGE:
        now = facts.of(host, ClusterFacts)
        text = conf_file(GOAL).text.replace("tls: required", "tls: off")
        old = replace(now.files[CONF], text=text, digest=content_state(text))
        facts = altered(facts, host, ClusterFacts, files={**now.files, CONF: old})
    return facts


def told(facts: Facts) -> list[str]:
    return [f"{step.address} {step.reason}" for step in applying(GOAL, facts).steps]


# What the tools say.


def test_certificates_are_read_from_what_certutil_prints() -> None:
    now = witness_of(facts_of("converged"))
    assert now.authority == Certificate(
        name="QNet CA", ends=UNTIL,
        fingerprint="5A:26:6E:FC:B2:F9:84:EA:14:48:5F:7B:92:A2:5A:FC:FD:7D:F8:B2:21:C4:55:ED:42:18"
        ":71:90:F6:35:A3:1D",
    )  # fmt: skip
    assert now.certificate
    assert now.certificate.name == "Qnetd Server"


@pytest.mark.parametrize("host", STORAGE)
def test_a_storage_server_knows_the_witnesss_authority(host: str) -> None:
    now = link_of(facts_of("converged"), host)
    assert now.authority == witness_of(facts_of("converged")).authority
    assert now.certificate
    assert now.certificate.name == GOAL.cluster.name
    assert (now.tls, now.encrypted, now.outdated, now.database) == ("Required", True, False, True)


def test_keys_are_of_each_server_alone() -> None:
    first, second = (link_of(facts_of("converged"), host).certificate for host in STORAGE)
    assert first != second


@pytest.mark.parametrize(
    ("state", "tls", "encrypted"),
    [("blank", "", None), ("plain", "Unsupported", False), ("tls", "Required", True),
     ("down", "Required", None)],
)  # fmt: skip
def test_what_is_in_force_is_read_from_the_quorum_device(
    state: str, tls: str, encrypted: bool | None
) -> None:
    now = link_of(in_link_state(state))
    assert (now.tls, now.encrypted) == (tls, encrypted)


def test_the_witness_tells_its_clients_and_what_it_asks_of_them() -> None:
    plain, now = witness_of(in_link_state("plain")), witness_of(facts_of("converged"))
    assert (plain.tls, now.tls) == ("Supported", "Required")
    assert plain.clients == (Client(cluster="guiguiabloc", encrypted=False),) * 2
    assert now.clients == (Client(cluster="guiguiabloc", encrypted=True),) * 2


@pytest.mark.parametrize("text", ["", "certutil: could not find certificate", "Not After : x"])
def test_what_is_no_certificate_is_none(text: str) -> None:
    assert parse_certificate(text) is None


def test_a_month_that_nobody_knows_is_no_certificate() -> None:
    text = (LINKS / "tls/disk-a/cluster/link.txt").read_text()
    assert parse_certificate(text)
    assert parse_certificate(text.replace(" Nov ", " Brm ")) is None


# From a cluster without TLS.


def steps_before_tls() -> list[Step]:
    return [s for s in applying(GOAL, before_tls()).steps if s.address.layer == "cluster"]


def test_a_cluster_without_tls_is_taken_over_in_an_order_that_keeps_votes() -> None:
    plan = sorted(steps_before_tls(), key=lambda step: step.phase)
    assert [f"{step.phase} {step.address}".replace("/cluster", "") for step in plan] == [
        "0 witness/authority-copy",
        "1 disk-a/request", "1 disk-b/request",
        "2 witness/certificate-of-disk-a", "2 witness/certificate-of-disk-b",
        "3 disk-a/certificate", "3 disk-b/certificate",
        "4 disk-a/corosync.conf", "4 disk-b/corosync.conf",
        "7 disk-a/link",
        "8 disk-b/link",
        "9 witness/encryption",
    ]  # fmt: skip


def test_nothing_but_the_link_is_touched_and_nobody_need_be_asked() -> None:
    plan = applying(GOAL, before_tls())
    assert {step.address.layer for step in plan.steps} == {"cluster"}
    assert may_run(plan)
    assert not plan.problems
    assert settle(GOAL, before_tls())


def test_the_take_over_cut_anywhere_and_run_again_ends_with_tls() -> None:
    for state in cut_everywhere(before_tls(), applying(GOAL, before_tls())):
        after = settle(GOAL, state)
        assert all(link_of(after, host).encrypted for host in STORAGE)
        assert witness_of(after).tls == "Required"


def test_the_two_storage_servers_never_reconnect_at_the_same_time() -> None:
    phases = [s.phase for s in steps_before_tls() if s.address.subject == "link"]
    assert all(first < second for first, second in pairwise(phases))


def test_what_is_carried_comes_from_a_step_of_an_earlier_phase() -> None:
    plan = {step.address: step for step in steps_before_tls()}
    carried = 0
    for step in plan.values():
        for action in step.actions:
            for word in action.args if isinstance(action, Script) else ():
                if isinstance(word, Carried):
                    carried += 1
                    assert plan[word.source].phase < step.phase
    assert carried == 6


def test_no_step_carries_more_than_a_name_into_the_plan() -> None:
    (request,) = (s for s in steps_before_tls() if str(s.address) == "disk-a/cluster/request")
    assert "'<witness/cluster/authority-copy>'" in render(request.actions[0], reveal=True)


# Drift.


def test_a_converged_link_needs_nothing() -> None:
    assert applying(GOAL, facts_of("converged")).empty
    assert not list(link.problems(GOAL, facts_of("converged")))


def test_a_certificate_that_ends_soon_is_renewed_alone() -> None:
    facts = in_link_state("short")
    ends = "the certificate for the link to the witness ends on 2026-12-27"
    assert [line for line in told(facts) if "disk-b" in line] == []
    assert f"disk-a/cluster/request {ends}" in told(facts)
    assert f"disk-a/cluster/link {ends}" in told(facts)


@pytest.mark.parametrize(("days", "renewed"), [(59, True), (61, False)])
def test_sixty_days_are_soon(days: int, renewed: bool) -> None:
    facts = facts_of("converged")
    certificate = link_of(facts).certificate
    assert certificate
    ends = replace(certificate, ends=link_of(facts).now + days * 86400)
    assert applying(GOAL, with_link(facts, "disk-a", certificate=ends)).empty is not renewed


def test_a_certificate_of_another_authority_is_renewed() -> None:
    other = witness_of(in_link_state("plain")).authority
    facts = with_link(facts_of("converged"), "disk-b", authority=other)
    assert told(facts)[1:] == [
        f"{address} its certificate is of another authority"
        for address in ("disk-b/cluster/request", "witness/cluster/certificate-of-disk-b",
                        "disk-b/cluster/certificate", "disk-b/cluster/link")
    ]  # fmt: skip


def test_a_certificate_for_another_cluster_is_renewed() -> None:
    certificate = link_of(facts_of("converged")).certificate
    assert certificate
    facts = with_link(
        facts_of("converged"), "disk-a", certificate=replace(certificate, name="other")
    )
    assert "disk-a/cluster/request its certificate is for cluster other" in told(facts)


def test_a_new_authority_means_new_certificates_for_all() -> None:
    facts = altered(facts_of("converged"), "witness", WitnessFacts, authority=None)
    lines = told(facts)
    assert lines[:3] == [
        "witness/cluster/authority there is no authority of the witness's link",
        "witness/cluster/witness it is stopped for a new authority",
        "witness/cluster/authority-copy a storage server is to get a certificate",
    ]
    assert {"disk-a/cluster/link", "disk-b/cluster/link"} <= {line.split()[0] for line in lines}
    assert settle(GOAL, facts)


def test_a_quorum_device_that_has_not_taken_its_certificate_is_started_anew() -> None:
    facts = with_link(facts_of("converged"), "disk-a", outdated=True)
    assert told(facts) == ["disk-a/cluster/link it does not use its newest certificate yet"]


def test_a_quorum_device_without_tls_is_started_anew_though_its_file_is_right() -> None:
    facts = with_link(facts_of("converged"), "disk-b", tls="Unsupported", encrypted=False)
    assert told(facts) == [
        "disk-b/cluster/link TLS is unsupported in the quorum device that runs"
    ]  # fmt: skip


def test_a_quorum_device_that_is_stopped_is_started_with_the_engine() -> None:
    units = facts_of("converged").of("disk-a", ClusterFacts).units
    facts = altered(
        with_link(facts_of("converged"), "disk-a", tls="", encrypted=None, outdated=True),
        "disk-a", ClusterFacts, units={**units, QDEVICE_UNIT: STOPPED},
    )  # fmt: skip
    assert "disk-a/cluster/link" not in {line.split()[0] for line in told(facts)}
    assert link_of(settle(GOAL, facts)).tls == "Required"


@pytest.mark.parametrize("values", [{"files": {}}, {"tls": "Supported"}])
def test_a_witness_that_takes_clients_without_tls_is_told_not_to(values: dict[str, Any]) -> None:
    facts = altered(facts_of("converged"), "witness", WitnessFacts, **values)
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "make corosync-qnetd require TLS"


def test_a_witness_that_others_use_without_tls_goes_on_taking_them() -> None:
    stranger = (Client(cluster="other", encrypted=False),)
    facts = altered(facts_of("converged"), "witness", WitnessFacts, clients=stranger, files={})
    assert applying(GOAL, facts).empty
    (problem,) = link.problems(GOAL, facts)
    assert problem.code == "SG-CLU-012"
    assert "cluster other uses it so" in problem.what


def test_without_the_witness_nothing_is_done_to_the_link() -> None:
    facts = without(before_tls(), "witness")
    assert not list(link.steps(GOAL, facts))
    assert not list(link.problems(GOAL, facts))


# What people are told.


@pytest.mark.parametrize(
    ("state", "text", "healthy"),
    [
        ("tls", "TLS, certificate until 2126-11-27", True),
        ("short", "TLS, certificate until 2026-12-27", False),
        ("plain", "NOT ENCRYPTED, no certificate", False),
        ("down", "NOT CONNECTED, certificate until 2126-11-27", False),
    ],
)
def test_status_tells_of_the_link(state: str, text: str, healthy: bool) -> None:
    line = link.status("disk-a", link_of(in_link_state(state)))
    assert line is not None
    assert (line.text, line.healthy, line.subject) == (text, healthy, "link")


def test_status_says_nothing_of_a_quorum_device_that_does_not_run() -> None:
    assert link.status("disk-a", link_of(in_link_state("blank"))) is None


def test_the_end_of_the_witnesss_own_certificates_is_told_as_well() -> None:
    now = witness_of(facts_of("converged"))
    assert now.certificate
    soon = replace(now.certificate, ends=now.now + 86400)
    facts = altered(facts_of("converged"), "witness", WitnessFacts, certificate=soon)
    (problem,) = link.problems(GOAL, facts)
    assert (str(problem.address), problem.code) == ("witness/cluster/certificate", "SG-CLU-011")
    assert "the certificate of Qnetd Server for the witness's link ends on" in problem.what


# Taken down.


def test_destroy_leaves_no_key_no_certificate_and_the_daemons_own_options() -> None:
    facts = facts_of("converged")
    after = take_all(facts, destroying(GOAL, facts).steps)
    assert not any(link_of(after, host).database for host in STORAGE)
    assert requiring_file().path not in witness_of(after).files
    assert not any(after.of(host, ClusterFacts).units[unit].is_active
                   for host in STORAGE for unit in UNITS)  # fmt: skip
