"""Name, CHAP and timeouts in files; then discovery; then a login over every portal."""

from __future__ import annotations

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Step
from sanglier.layers.base import Goal
from sanglier.layers.files import differs
from sanglier.layers.initiator import moves
from sanglier.layers.initiator.desired import (
    AT_BOOT,
    CONF_PATH,
    DAEMON,
    LOGIN,
    NAME_PATH,
    RECOVERY,
    all_portals,
    files_of,
    fits,
    is_ours,
    record_settings,
    session_timeouts,
    wrong_timeouts,
)
from sanglier.layers.initiator.facts import InitiatorFacts, Portal, Session
from sanglier.layers.services import Unit
from sanglier.layers.target.desired import tpg
from sanglier.layers.target.facts import TargetFacts
from sanglier.spec.cluster import ApplicationServer, Cluster


def _configure(goal: Goal, server: ApplicationServer, now: InitiatorFacts) -> list[Step]:
    steps = [
        moves.write(server, wanted, now)
        for wanted in files_of(goal, server)
        if differs(wanted, now.files)
    ]
    renamed = any(step.summary == f"write {NAME_PATH}" for step in steps)
    if not now.units.get(DAEMON, Unit()).is_active:
        steps.append(moves.start(server))
    elif renamed:
        steps.append(moves.restart(server, sessions=bool(now.sessions)))
    late = tuple(name for name in AT_BOOT if not now.units.get(name, Unit()).is_enabled)
    if late:
        steps.append(moves.enable(server, late))
    return steps


def _keep_sessions(
    server: ApplicationServer, now: InitiatorFacts, portals: tuple[Portal, ...]
) -> list[Step]:
    """Have systemd know the sessions, so that it ends them late at shutdown."""
    if now.units.get(LOGIN, Unit()).is_active or not (portals or now.sessions):
        return []
    return [moves.start_login(server)]


def offered(goal: Goal, facts: Facts, app: ApplicationServer) -> tuple[Portal, ...]:
    """Portals for ``app`` whose target is (or will be) enabled on its storage server."""
    found = []
    for volume in goal.cluster.volumes:
        for server in goal.cluster.target_servers(app):
            if server.name not in volume.devices or not facts.has(server.name, TargetFacts):
                continue
            export = facts.of(server.name, TargetFacts).exports[volume.name]
            if export.value(f"{tpg(goal, volume, server)}/enable") == "1":
                iqn = goal.cluster.target_iqn(volume, server)
                found += [Portal(target=iqn, address=address) for address in server.san]
    return tuple(found)


def _stale(goal: Goal, now: InitiatorFacts, portal: Portal) -> bool:
    record = now.records.get(portal)
    wanted = record_settings(goal.cluster.timings)
    if record is None or portal in now.stale_passwords:
        return True
    return any(record.get(key) != value for key, value in wanted.items())


def _discoveries(
    goal: Goal, server: ApplicationServer, now: InitiatorFacts, portals: tuple[Portal, ...],
    everything: bool,
) -> list[Step]:  # fmt: skip
    """Discover again per storage server that has a portal without a proper record."""
    steps = []
    for storage in goal.cluster.storage:
        mine = tuple(p for p in portals if p.address in storage.san)
        lacking = tuple(p for p in mine if everything or _stale(goal, now, p))
        if lacking:
            steps.append(moves.discover(goal, server, storage, mine, known=now.records))
    return steps


def _logged_in(sessions: tuple[Session, ...], portal: Portal) -> bool:
    return any(session.portal == portal for session in sessions)


def _stuck(goal: Goal, session: Session) -> tuple[str, ...]:
    """Tell what a session keeps from its login on, and that is not what is wanted now."""
    wanted = session_timeouts(goal.cluster.timings)
    wrong = wrong_timeouts(goal.cluster.timings, session)
    return tuple(f"{k} is {v}, not {wanted[k]}" for k, v in wrong.items() if k != RECOVERY)


def _why_again(
    goal: Goal, server: ApplicationServer, session: Session, portals: tuple[Portal, ...]
) -> str:
    """Say why a session must be made anew; empty when it need not.

    For its timeouts only while it works and its target is exported: a login to one that is
    away would wait, and the session comes back by itself.
    """
    if not is_ours(goal.cluster, session.portal.target):
        return ""
    if not fits(goal, server, session):
        return "its session bears another name or password"
    stuck = _stuck(goal, session)
    works = session.state == "LOGGED_IN" and session.portal in portals
    return f"taken over at a login only: {', '.join(stuck)}" if stuck and works else ""


def _again(
    goal: Goal, server: ApplicationServer, now: InitiatorFacts, portals: tuple[Portal, ...]
) -> list[Step]:
    """Mend live sessions: log in anew, one portal after the other, where nothing less helps."""
    reasons = {s.portal: _why_again(goal, server, s, portals) for s in now.sessions}
    steps = [moves.login_again(goal, server, portal, why) for portal, why in reasons.items() if why]
    kept = (s for s in now.sessions if not reasons[s.portal])
    wrong = {
        s.name: s.timeouts[RECOVERY]
        for s in kept
        if is_ours(goal.cluster, s.portal.target)
        and RECOVERY in wrong_timeouts(goal.cluster.timings, s)
    }
    return [*steps, moves.set_recovery(goal, server, wrong)] if wrong else steps


def _logins(
    goal: Goal, server: ApplicationServer, now: InitiatorFacts, portals: tuple[Portal, ...]
) -> list[Step]:
    return [
        moves.login(goal, server, portal)
        for portal in portals
        if not _logged_in(now.sessions, portal)
    ]


def _strangers(
    cluster: Cluster, server: ApplicationServer, now: InitiatorFacts
) -> tuple[Problem, ...]:
    """Name targets of this cluster that the file no longer has; they may still be in use."""
    wanted = {portal.target for portal in all_portals(cluster, server)}
    known = {p.target for p in now.records} | {s.portal.target for s in now.sessions}
    return tuple(
        Problem(
            code="SG-ISCSI-001",
            severity=Severity.WARNING,
            address=Address(host=server.name, layer="initiator", subject=target),
            what=f"it is still logged in to {target}, or will be at boot",
            why="the file has no such volume any more; a session is never ended under something "
            "that may still be mounted",
            fix="unmount what lies on it, flush its map (`multipath -f`), then "
            f"`iscsiadm -m node -T {target} --logout` and `iscsiadm -m node -T {target} -o delete`",
        )
        for target in sorted(known - wanted)
        if is_ours(cluster, target)
    )


def _server(goal: Goal, facts: Facts, server: ApplicationServer) -> Proposal:
    now = facts.of(server.name, InitiatorFacts)
    portals = offered(goal, facts, server)
    steps = _configure(goal, server, now)
    rewritten = any(step.summary == f"write {CONF_PATH}" for step in steps)
    steps += _discoveries(goal, server, now, portals, everything=rewritten)
    steps += _logins(goal, server, now, portals)
    steps += _again(goal, server, now, portals)
    steps += _keep_sessions(server, now, portals)
    wrong = {d: t for d, t in now.disk_timeouts.items() if t != goal.cluster.timings.sd_timeout_s}
    if wrong:
        steps.append(moves.set_timeouts(goal, server, wrong))
    return Proposal(steps=tuple(steps), problems=_strangers(goal.cluster, server, now))


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose for every application server."""
    proposal = Proposal()
    for server in goal.cluster.applications:
        if facts.has(server.name, InitiatorFacts):
            proposal += _server(goal, facts, server)
    return proposal
