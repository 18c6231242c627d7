"""Write the file, start the daemon, and wait for one map per volume with all its paths."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.files import WantedFile, as_read, differs, write_step
from sanglier.layers.initiator.desired import portals_of
from sanglier.layers.initiator.facts import InitiatorFacts, Portal
from sanglier.layers.initiator.steps import offered
from sanglier.layers.multipath.desired import DAEMON, QUEUES, conf_file, settings
from sanglier.layers.multipath.facts import Map, MultipathFacts, Path
from sanglier.layers.network.facts import NetworkFacts
from sanglier.layers.services import AT_BOOT, RUNNING, Unit
from sanglier.spec.cluster import ApplicationServer, Volume

START = AT_BOOT + "at_boot multipathd.service; systemctl start multipathd.service"
RECONFIGURE = """
systemctl -q is-active multipathd.service || return 0
multipathd reconfigure
tries=100
while multipathd show daemon | grep -q configure && [ "$tries" -gt 0 ]; do
    sleep 0.1; tries=$((tries - 1))
done
multipathd restorequeueing maps >/dev/null || :
"""
# $1 WWID, $2 alias, $3 paths.  A disk that came before the daemon is offered to it again; a path
# that failed works again once iscsid has logged in anew and the checker has looked.
WAIT = """
tries=300
while [ "$tries" -gt 0 ]; do
    have=$(multipathd show paths raw format '%w %T' 2>/dev/null | grep -cE "^$1 (ready|ghost)") || :
    if [ "$have" -ge "$3" ] && [ -b "/dev/mapper/$2" ]; then return 0; fi
    if [ $((tries % 50)) -eq 30 ]; then multipathd reconfigure >/dev/null || :; fi
    sleep 0.2; tries=$((tries - 1))
done
echo "map $2 ($1) has ${have:-0} working paths, not $3:"
multipathd show paths
return 1
"""


def _address(host: str, subject: str) -> Address:
    return Address(host=host, layer="multipath", subject=subject)


def _read_again(goal: Goal, now: MultipathFacts) -> MultipathFacts:
    """Predict what a daemon that runs has taken over, and its maps with it."""
    if not now.units.get(DAEMON, Unit()).is_active:
        return now
    maps = tuple(replace(found, queueing=QUEUES) for found in now.maps)
    return replace(now, maps=maps, settings={**now.settings, **settings(goal.cluster.timings)})


def _file_effect(goal: Goal, host: str, wanted: WantedFile) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, MultipathFacts)
        files = {**now.files, wanted.path: as_read(wanted)}
        return facts.with_(host, _read_again(goal, replace(now, files=files)))

    return effect


def _start(goal: Goal, host: str) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, MultipathFacts)
        running = replace(now, units={**now.units, DAEMON: RUNNING})
        return facts.with_(host, _read_again(goal, running))

    return Step(
        address=_address(host, "multipathd"),
        phase=1,
        mark=Mark.START,
        summary="start multipathd, also at boot",
        reason="it does not run or does not start at boot",
        actions=(Script(text=START),),
        effect=effect,
    )


def _drifted(goal: Goal, now: MultipathFacts) -> tuple[str, ...]:
    """What multipathd runs with and the file does not say, in words."""
    wanted = settings(goal.cluster.timings)
    differing = [f"{key} is {now.settings[key]}, not {value}" for key, value in wanted.items()
                 if key in now.settings and now.settings[key] != value]  # fmt: skip
    ours = {volume.wwid for volume in goal.cluster.volumes}
    stopped = [f"{found.name} does not queue" for found in now.maps
               if found.wwid in ours and found.queueing not in {"", QUEUES}]  # fmt: skip
    return (*differing, *stopped)


def _reread(goal: Goal, host: str, now: MultipathFacts, reasons: tuple[str, ...]) -> Step:
    """Have the daemon take over the file, which is right already."""

    def effect(facts: Facts) -> Facts:
        return facts.with_(host, _read_again(goal, facts.of(host, MultipathFacts)))

    return Step(
        address=_address(host, "multipathd"),
        phase=0,
        mark=Mark.CHANGE,
        summary="have multipathd read its file again",
        reason="; ".join(reasons),
        actions=(Script(text=RECONFIGURE),),
        effect=effect,
        risk=Risk.DISRUPTIVE if now.maps else Risk.SAFE,
    )


def _configure(goal: Goal, host: str, now: MultipathFacts) -> tuple[Step, ...]:
    """Write the file and have a running daemon read it, in one step; start the daemon."""
    wanted = conf_file(goal)
    running = now.units.get(DAEMON, Unit())
    steps = []
    reasons = _drifted(goal, now) if running.is_active else ()
    if differs(wanted, now.files):
        steps.append(
            write_step(
                _address(host, "multipath.conf"),
                wanted,
                now.files,
                _file_effect(goal, host, wanted),
                phase=0,
                then=(Script(text=RECONFIGURE),),
                risk=Risk.DISRUPTIVE if now.maps else Risk.SAFE,
            )
        )
    elif reasons:
        steps.append(_reread(goal, host, now, reasons))
    if not (running.is_active and running.is_enabled):
        steps.append(_start(goal, host))
    return tuple(steps)


def map_of(now: MultipathFacts, volume: Volume) -> Map | None:
    """Find the map of a volume by WWID."""
    return next((m for m in now.maps if m.wwid == volume.wwid), None)


def _complete(goal: Goal, facts: Facts, host: str, volume: Volume) -> bool:
    """Whether the map has all open ways; dead ones count only while their portals answer."""
    found = map_of(facts.of(host, MultipathFacts), volume)
    if found is None or found.name != volume.alias:
        return False
    ways = _offered(goal, facts, volume, host)
    if len(found.paths) < len(ways):
        return False
    targets = {portal.target for portal in ways}
    dead = [path for path in found.dead if path.target in targets]
    return not dead or not _portals_answer(facts, host, ways)


def _portals_answer(facts: Facts, host: str, ways: tuple[Portal, ...]) -> bool:
    if not facts.has(host, NetworkFacts):
        return False
    reachable = facts.of(host, NetworkFacts).reachable
    return all(reachable.get(portal.address, False) for portal in ways)


def _map_effect(host: str, volume: Volume, paths: int) -> Effect:
    path = Path(device="", state="active", checker="ready", target="")

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, MultipathFacts)
        others = tuple(m for m in now.maps if m.wwid != volume.wwid)
        new = Map(
            name=volume.alias,
            wwid=volume.wwid,
            paths=(path,) * paths,
            groups=2,
            queueing=QUEUES,
        )
        return facts.with_(host, replace(now, maps=(*others, new)))

    return effect


def _reason(now: MultipathFacts, volume: Volume, wanted: int) -> str:
    found = map_of(now, volume)
    if found is None:
        return "there is no such map"
    if found.name != volume.alias:
        return f"the map is named {found.name}"
    if len(found.paths) < wanted:
        return f"it has {len(found.paths)} of {wanted} paths"
    return f"{len(found.dead)} of its {wanted} paths do not work yet"


def _wait(host: str, now: MultipathFacts, volume: Volume, wanted: int) -> Step:
    return Step(
        address=_address(host, volume.alias),
        phase=2,
        mark=Mark.START,
        summary=f"gather {wanted} paths into map {volume.alias}",
        reason=_reason(now, volume, wanted),
        actions=(Script(text=WAIT, args=(volume.wwid, volume.alias, str(wanted))),),
        effect=_map_effect(host, volume, wanted),
        limit=120,
    )


def _reachable(goal: Goal, facts: Facts, host: str, volume: Volume) -> bool:
    """Whether every session that the map needs is (or will be) there."""
    if not facts.has(host, InitiatorFacts):
        return False
    sessions = {s.portal for s in facts.of(host, InitiatorFacts).sessions}
    wanted = _offered(goal, facts, volume, host)
    return bool(wanted) and all(portal in sessions for portal in wanted)


def _offered(goal: Goal, facts: Facts, volume: Volume, host: str) -> tuple[Portal, ...]:
    """Ways to a volume that are exported: those of one side only while the other is behind."""
    app = next(server for server in goal.cluster.applications if server.name == host)
    mine = set(portals_of(goal.cluster, volume, app))
    return tuple(portal for portal in offered(goal, facts, app) if portal in mine)


def _failed_paths(host: str, volume: Volume, now: MultipathFacts) -> tuple[Problem, ...]:
    found = map_of(now, volume)
    failed = found.dead if found else ()
    if not failed:
        return ()
    told = ", ".join(f"{p.device} (to {p.target.rsplit(':', 1)[-1]})" for p in failed)
    return (
        Problem(
            code="SG-MP-001",
            severity=Severity.WARNING,
            address=_address(host, volume.alias),
            what=f"{len(failed)} of {len(found.paths) if found else 0} paths fail: {told}",
            why="the storage server behind them, or the SAN between, does not answer",
            fix="see the lower layers of `sanglier status`; paths return by themselves",
        ),
    )


def _server(goal: Goal, facts: Facts, server: ApplicationServer) -> Proposal:
    now = facts.of(server.name, MultipathFacts)
    proposal = Proposal(steps=_configure(goal, server.name, now))
    for volume in goal.cluster.volumes:
        proposal += Proposal(problems=_failed_paths(server.name, volume, now))
        if not _complete(goal, facts, server.name, volume) and _reachable(
            goal, facts, server.name, volume
        ):
            ways = len(_offered(goal, facts, volume, server.name))
            proposal += Proposal(steps=(_wait(server.name, now, volume, ways),))
    return proposal


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose for every application server."""
    proposal = Proposal()
    for server in goal.cluster.applications:
        if facts.has(server.name, MultipathFacts):
            proposal += _server(goal, facts, server)
    return proposal
