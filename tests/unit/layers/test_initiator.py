"""open-iscsi's files, records and sessions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.core.probe import Output
from sanglier.core.step import Risk
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
    session_timeouts,
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
    assert all(session.timeouts == session_timeouts(TIMINGS) for session in now.sessions)


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
    line = (
        "session iqn.x 10.0.0.1 LOGGED_IN iqn.me /session1\n"
        f"timeout /session1 abort_tmo {word}\ntimeout /session1 ping_tmo 5\ndisk sda {word}\n"
    )
    outputs = {**outputs_of("blank", "srv-a", "initiator"), "sessions": Output(status=0, text=line)}
    now = parse(GOAL, "srv-a", outputs)
    assert now.sessions[0].timeouts == {"ping_tmo": 5}
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
    assert step.reason == "its session bears another name or password"


def with_timeouts(host: str, number: int, **values: int) -> Facts:
    sessions = list(initiator("converged", host).sessions)
    old = sessions[number]
    sessions[number] = replace(old, timeouts={**old.timeouts, **values})
    return altered(facts_of("converged"), host, InitiatorFacts, sessions=tuple(sessions))


def test_a_session_that_keeps_another_timeout_from_its_login_is_made_anew_alone() -> None:
    facts = with_timeouts("srv-a", 1, abort_tmo=15, recv_tmo=10)
    (step,) = applying(GOAL, facts).steps
    assert step.summary.startswith("log in anew to ")
    assert step.risk is Risk.DISRUPTIVE
    assert (
        step.reason == "taken over at a login only: abort_tmo is 15, not 10, recv_tmo is 10, not 3"
    )
    assert applying(GOAL, step.effect(facts)).empty


def test_a_recovery_timeout_is_set_on_the_live_sessions() -> None:
    facts = with_timeouts("srv-b", 0, recovery_tmo=120)
    (step,) = applying(GOAL, facts).steps
    name = initiator("converged", "srv-b").sessions[0].name
    assert step.summary == f"set the recovery timeout of {name}"
    assert step.risk is Risk.SAFE
    assert applying(GOAL, step.effect(facts)).empty


def test_one_login_mends_all_timeouts_of_a_session() -> None:
    facts = with_timeouts("srv-b", 0, recovery_tmo=120, ping_tmo=60)
    (step,) = applying(GOAL, facts).steps
    assert step.summary.startswith("log in anew to ")


def test_a_session_that_is_not_logged_in_keeps_its_timeouts_until_it_is() -> None:
    facts = with_timeouts("srv-a", 2, abort_tmo=15)
    sessions = facts.of("srv-a", InitiatorFacts).sessions
    away = tuple(replace(s, state="FREE") if s is sessions[2] else s for s in sessions)
    assert applying(GOAL, altered(facts, "srv-a", InitiatorFacts, sessions=away)).empty


def test_timeouts_that_could_not_be_read_are_no_drift() -> None:
    sessions = tuple(replace(s, timeouts={}) for s in initiator("converged", "srv-a").sessions)
    facts = altered(facts_of("converged"), "srv-a", InitiatorFacts, sessions=sessions)
    assert applying(GOAL, facts).empty
