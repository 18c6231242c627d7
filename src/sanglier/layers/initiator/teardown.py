"""Log out everywhere, forget the targets, stop the daemon, remove our files.

The initiator's name stays: Debian's iscsid refuses to start without one.
"""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Run
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Mark, Step
from sanglier.layers.base import Goal
from sanglier.layers.files import differs, remove_step
from sanglier.layers.initiator import moves
from sanglier.layers.initiator.desired import DAEMON, LOGIN, NAME_PATH, files_of, is_ours
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.services import Unit
from sanglier.spec.cluster import ApplicationServer

STOP = Run(argv=("systemctl", "stop", LOGIN, DAEMON))


def _stopped(now: InitiatorFacts, name: str) -> Unit:
    return replace(now.units.get(name, Unit()), active="inactive")


def _stop(host: str) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, InitiatorFacts)
        units = {**now.units, **{name: _stopped(now, name) for name in (DAEMON, LOGIN)}}
        return facts.with_(host, replace(now, units=units))

    return Step(
        address=Address(host=host, layer="initiator", subject="iscsid"),
        phase=1,
        mark=Mark.STOP,
        summary="stop iscsid",
        reason="no session is left",
        actions=(STOP,),
        effect=effect,
    )


def _remove(host: str, path: str) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, InitiatorFacts)
        files = {key: value for key, value in now.files.items() if key != path}
        return facts.with_(host, replace(now, files=files))

    subject = path.rsplit("/", 1)[-1]
    address = Address(host=host, layer="initiator", subject=subject)
    return remove_step(address, path, effect, phase=2, then=moves.RELOADS.get(path, ()))


def _server(goal: Goal, server: ApplicationServer, now: InitiatorFacts) -> tuple[Step, ...]:
    known = {p.target for p in now.records} | {s.portal.target for s in now.sessions}
    ours = sorted(target for target in known if is_ours(goal.cluster, target))
    steps = [moves.forget(server, t, "the cluster is being taken down", phase=0) for t in ours]
    units = [now.units[name] for name in (DAEMON, LOGIN) if name in now.units]
    if len(known) == len(ours) and any(unit.is_active for unit in units):
        steps.append(_stop(server.name))
    steps += [_remove(server.name, f.path) for f in files_of(goal, server)
              if f.path != NAME_PATH and not differs(f, now.files)]  # fmt: skip
    return tuple(steps)


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Forget this cluster's targets; sessions to others stay."""
    steps = [
        step
        for server in goal.cluster.applications
        if facts.has(server.name, InitiatorFacts)
        for step in _server(goal, server, facts.of(server.name, InitiatorFacts))
    ]
    return Proposal(steps=tuple(steps))
