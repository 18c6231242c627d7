"""What takes I/O, as the targets themselves say, beside what Pacemaker has open where.

Pacemaker knows what it did; somebody else can open a port group behind its back.  The
agents shut such a side within ten seconds; this is what people are told, and what
``apply`` does where nobody watches (Pacemaker stopped, or in maintenance mode).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Mark, Step
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.facts import ClusterFacts, State
from sanglier.layers.drbd.desired import mark_path
from sanglier.layers.target.desired import (
    GROUP,
    ROOT,
    STANDBY,
    TAKES_IO,
    core,
    lun_group,
    opened_path,
    state_path,
    tpg,
)
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.spec.cluster import StorageServer, Volume

# $1 backstore, $2 resource, $3 this node, $4 mark: see agents/alua.  What Pacemaker has opened here
# meanwhile stays; LIO's own port group comes first, for the LUN of a removed one falls into it.
SHUT = f"""
if timeout 10 crm_resource --resource "$2" --locate 2>/dev/null |
    sed -n 's/.*is running on: *\\([^ ]*\\).*/\\1/p' | grep -qxF -- "$3"; then return 0; fi
cd {ROOT}/"$1"/alua || return 0
open() {{
    {{ read -r now < "$1/alua_access_state"; }} 2>/dev/null || return 1
    case $now in 0|1|4) ;; *) return 1 ;; esac
}}
for group in default_tg_pt_gp *; do
    open "$group" || continue
    printf 1 > "$group/alua_access_type"
    printf 2 > "$group/alua_access_state"
    if open "$group"; then echo "the port group $group cannot be shut"; return 1; fi
done
if [ -s "$4" ]; then printf '' > "$4"; fi
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A side that takes I/O by nobody's order."""

    server: StorageServer
    volume: Volume
    group: str
    """The port group in which its LUN is."""
    elsewhere: tuple[str, ...]
    """Nodes on which Pacemaker has the side open."""


def _state(facts: Facts, server: StorageServer) -> State | None:
    if not facts.has(server.name, ClusterFacts):
        return None
    return facts.of(server.name, ClusterFacts).state


def _group(goal: Goal, export: Export, volume: Volume, server: StorageServer) -> str:
    return export.value(lun_group(goal, volume, server)) or GROUP


def _takes_io(goal: Goal, export: Export, volume: Volume, server: StorageServer) -> bool:
    state = export.value(state_path(volume, _group(goal, export, volume, server)))
    return export.value(f"{tpg(goal, volume, server)}/enable") == "1" and state in TAKES_IO


def _places(goal: Goal, facts: Facts, volume: Volume) -> tuple[str, ...]:
    states = (_state(facts, server) for server in goal.cluster.storage)
    found = {node for state in states if state for node in state.where(cib.side(volume))}
    return tuple(sorted(found))


def _ordered(
    goal: Goal, facts: Facts, export: Export, volume: Volume, server: StorageServer
) -> bool:
    """Whether it is open by Pacemaker's word, read on the same server after the target's state.

    A mark counts where Pacemaker has the side nowhere: it was stopped and leaves what it runs.
    """
    state, places = _state(facts, server), _places(goal, facts, volume)
    here = server.hostname in state.where(cib.side(volume)) if state else server.hostname in places
    return here or (not places and bool(export.value(mark_path(volume))))


def opened(goal: Goal, facts: Facts) -> Iterator[Opened]:
    """Give the sides that are open and may not be; in the article's mode all may."""
    for server in goal.cluster.storage if goal.cluster.guarded else ():
        if not facts.has(server.name, TargetFacts):
            continue
        for volume in (v for v in goal.cluster.volumes if server.name in v.devices):
            export = facts.of(server.name, TargetFacts).exports[volume.name]
            if _takes_io(goal, export, volume, server) and not _ordered(
                goal, facts, export, volume, server
            ):
                elsewhere = (n for n in _places(goal, facts, volume) if n != server.hostname)
                yield Opened(
                    server=server, volume=volume, elsewhere=tuple(elsewhere),
                    group=_group(goal, export, volume, server),
                )  # fmt: skip


def words(found: Opened) -> str:
    """Say it in one line."""
    both = " and ".join((found.server.hostname, *found.elsewhere))
    return f"BOTH SIDES ARE OPEN: {both}" if found.elsewhere else "open by nobody's order"


def problem(found: Opened) -> Problem:
    """Say what it means."""
    return Problem(
        code="SG-CLU-009",
        severity=Severity.WARNING,
        address=Address(host=found.server.name, layer="cluster", subject=found.volume.name),
        what=f"{words(found)} (its LUN takes I/O through the port group {found.group})",
        why="somebody opened it by hand; Pacemaker did not, and nobody drained the other side: "
        "what is written through both is not ordered by anything",
        fix="it is shut within 10 s where Pacemaker watches; otherwise apply shuts it at once",
    )


def _record(goal: Goal, facts: Facts) -> Iterator[Problem]:
    """Tell of sides that were open for a moment: it is over, but what was written is not."""
    for server in goal.cluster.storage:
        if facts.has(server.name, TargetFacts):
            for volume in (v for v in goal.cluster.volumes if server.name in v.devices):
                export = facts.of(server.name, TargetFacts).exports[volume.name]
                if when := export.value(opened_path(volume)):
                    yield _past(server, volume, when)


def _past(server: StorageServer, volume: Volume, when: str) -> Problem:
    return Problem(
        code="SG-CLU-010",
        severity=Severity.WARNING,
        address=Address(host=server.name, layer="cluster", subject=volume.name),
        what=f"this side took I/O by nobody's order, and was shut at {when}",
        why="nothing undoes what was written through both sides meanwhile",
        fix=f"find out who did it; `drbdadm verify {volume.name}`; then, on {server.name}, "
        f"`rm {opened_path(volume)}`",
    )


def problems(goal: Goal, facts: Facts) -> tuple[Problem, ...]:
    """Judge every side."""
    if not goal.cluster.guarded:
        return ()
    return (*map(problem, opened(goal, facts)), *_record(goal, facts))


def shut(goal: Goal, found: Opened) -> Step:
    """Shut it; it takes no I/O that it should take."""
    host, volume = found.server.name, found.volume

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, TargetFacts)
        export = now.exports[volume.name]
        group = _group(goal, export, volume, found.server)
        groups = dict.fromkeys((state_path(volume), state_path(volume, group)), STANDBY)
        values = {**export.values, **{p: v for p, v in groups.items() if p in export.values}}
        exports = {**now.exports, volume.name: replace(export, values=values)}
        return facts.with_(host, replace(now, exports=exports))

    args = (core(volume), cib.side(volume), found.server.hostname, mark_path(volume))
    return Step(
        address=Address(host=host, layer="cluster", subject=f"{volume.name}-shut"),
        phase=0,
        mark=Mark.CHANGE,
        summary=f"shut this side of {volume.name}",
        reason=words(found),
        actions=(Script(text=SHUT, args=args),),
        effect=effect,
    )
