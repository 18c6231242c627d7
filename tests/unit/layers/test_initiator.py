"""open-iscsi's files, records and sessions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.probe import Output
from sanglier.layers.files import differs
from sanglier.layers.initiator.desired import (
    DAEMON,
    LOGIN,
    SOCKET,
    all_portals,
    files_of,
    fits,
    is_ours,
    record_settings,
)
from sanglier.layers.initiator.facts import InitiatorFacts, Portal
from sanglier.layers.initiator.probe import parse

from .alter import altered
from .goal import APPLICATIONS, GOAL, TIMINGS
from .recordings import facts_of, outputs_of
from .simulate import applying

SERVERS = {server.name: server for server in GOAL.cluster.applications}
PORTALS = set(all_portals(GOAL.cluster, GOAL.cluster.applications[0]))


def initiator(case: str, host: str) -> InitiatorFacts:
    return facts_of(case).of(host, InitiatorFacts)


@pytest.mark.parametrize("host", APPLICATIONS)
def test_blank_hosts_have_no_records_no_sessions_and_debians_files(host: str) -> None:
    now = initiator("blank", host)
    assert (now.records, now.sessions, now.disk_timeouts) == ({}, (), {})
    assert not now.units[DAEMON].is_active
    assert all(differs(wanted, now.files) for wanted in files_of(GOAL, SERVERS[host]))


@pytest.mark.parametrize("host", APPLICATIONS)
def test_a_converged_host_has_a_session_over_every_portal(host: str) -> None:
    now = initiator("converged", host)
    assert {session.portal for session in now.sessions} == PORTALS
    assert {session.state for session in now.sessions} == {"LOGGED_IN"}
    assert {session.recovery_tmo_s for session in now.sessions} == {TIMINGS.recovery_s}
    assert {session.abort_tmo_s for session in now.sessions} == {TIMINGS.abort_timeout_s}


@pytest.mark.parametrize("host", APPLICATIONS)
def test_records_are_read_back_as_they_are_wanted(host: str) -> None:
    wanted = record_settings(TIMINGS)
    records = initiator("converged", host).records
    assert set(records) == PORTALS
    for record in records.values():
        assert {key: record.get(key) for key in wanted} == wanted


@pytest.mark.parametrize("host", APPLICATIONS)
def test_files_units_and_disks_are_as_wanted(host: str) -> None:
    now = initiator("converged", host)
    assert not any(differs(wanted, now.files) for wanted in files_of(GOAL, SERVERS[host]))
    assert now.units[SOCKET].is_enabled
    assert now.units[LOGIN].is_enabled
    assert now.units[DAEMON].is_active
    assert list(now.disk_timeouts.values()) == [TIMINGS.sd_timeout_s] * 4


def test_a_logged_out_session_is_gone_and_its_record_is_not() -> None:
    now = initiator("session-logged-out", "srv-a")
    lost = PORTALS - {session.portal for session in now.sessions}
    assert {portal.address for portal in lost} == {"10.77.3.12"}
    assert lost <= set(now.records)


def test_sessions_to_a_dead_server_are_there_and_not_logged_in() -> None:
    states = {s.portal.address: s.state for s in initiator("disk-b-dead", "srv-a").sessions}
    assert states["10.77.2.11"] == "LOGGED_IN"
    assert states["10.77.2.12"] == "FREE"


def test_a_stopped_daemon_keeps_its_sessions() -> None:
    now = initiator("iscsid-stopped", "srv-b")
    assert not now.units[DAEMON].is_active
    assert len(now.sessions) == 4


@pytest.mark.parametrize("text", ["²", "--5", "-", "", "5s"])
def test_odd_numbers_are_unknown(text: str) -> None:
    word = text or "-"
    line = f"session iqn.x 10.0.0.1 LOGGED_IN iqn.me {word} 15 /session1\ndisk sda {word}\n"
    outputs = {**outputs_of("blank", "srv-a", "initiator"), "sessions": Output(status=0, text=line)}
    now = parse(GOAL, "srv-a", outputs)
    assert now.sessions[0].recovery_tmo_s is None
    assert now.disk_timeouts == {}


def test_a_record_with_another_timeout_is_discovered_again() -> None:
    now = initiator("converged", "srv-a")
    portal = next(p for p in now.records if p.address == "10.77.2.11")
    odd = {**now.records[portal], "node.startup": "manual"}
    facts = altered(
        facts_of("converged"), "srv-a", InitiatorFacts, records={**now.records, portal: odd}
    )
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "discover the targets of disk-a"


def test_a_session_to_a_target_that_the_file_no_longer_has_is_told_and_kept() -> None:
    now = initiator("converged", "srv-a")
    old = Portal(target=f"{GOAL.cluster.iqn_prefix}:guiguiabloc.old.disk-a", address="10.77.2.11")
    sessions = (*now.sessions, replace(now.sessions[0], portal=old))
    plan = applying(
        GOAL, altered(facts_of("converged"), "srv-a", InitiatorFacts, sessions=sessions)
    )
    assert plan.empty
    assert "SG-ISCSI-001" in {problem.code for problem in plan.problems}


def test_targets_of_others_are_left_alone() -> None:
    now = initiator("converged", "srv-a")
    other = Portal(target="iqn.2001-05.com.example:array", address="10.9.9.9")
    sessions = (*now.sessions, replace(now.sessions[0], portal=other))
    assert not is_ours(GOAL.cluster, other.target)
    facts = altered(facts_of("converged"), "srv-a", InitiatorFacts, sessions=sessions)
    assert applying(GOAL, facts).empty


def test_a_disk_with_another_timeout_is_mended() -> None:
    facts = altered(
        facts_of("converged"), "srv-a", InitiatorFacts, disk_timeouts={"sda": 30, "sdb": 20}
    )
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "set the SCSI timeout of sda"


def test_sessions_bear_the_name_and_the_password_of_the_file() -> None:
    server = SERVERS["srv-a"]
    assert all(fits(GOAL, server, session) for session in initiator("converged", "srv-a").sessions)


def test_a_session_with_another_password_is_made_anew_alone() -> None:
    first, *others = initiator("converged", "srv-a").sessions
    sessions = (replace(first, password_digest="0" * 64), *others)
    facts = altered(facts_of("converged"), "srv-a", InitiatorFacts, sessions=sessions)
    (step,) = applying(GOAL, facts).steps
    assert step.summary == f"log in anew to {first.portal.target} at {first.portal.address}"
