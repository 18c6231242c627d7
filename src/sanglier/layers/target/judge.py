"""What is wrong with an export whoever has its side open: told, and mended by the steps."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.target.desired import (
    GROUP,
    OPTIMIZED,
    TAKES_IO,
    admitted,
    boots_path,
    lun_group,
    state_path,
    tpg,
)
from sanglier.layers.target.facts import TargetFacts
from sanglier.spec.budget import silence_s
from sanglier.spec.cluster import StorageServer, Volume


def _opened(goal: Goal, facts: Facts, volume: Volume, server: StorageServer) -> Problem | None:
    """Tell of I/O through a port group, or in a state, that the cluster never opens."""
    export = facts.of(server.name, TargetFacts).exports[volume.name]
    group = export.value(lun_group(goal, volume, server)) or GROUP
    state = export.value(state_path(volume, group)) or ""
    enabled = export.value(f"{tpg(goal, volume, server)}/enable") == "1"
    if not enabled or state not in TAKES_IO or (group, state) == (GROUP, OPTIMIZED):
        return None
    return Problem(
        code="SG-TGT-001",
        severity=Severity.WARNING,
        address=Address(host=server.name, layer="target", subject=volume.name),
        what=f"its LUN takes I/O by nobody's order: port group {group}, ALUA state {state}",
        why="the cluster opens nothing but its own port group, and that to state 0; if the other "
        "side is open, too, what is written through both is not ordered by anything",
        fix="it is shut within 10 s where Pacemaker watches; otherwise apply shuts it at once",
    )


def _shut_out(goal: Goal, facts: Facts, volume: Volume, server: StorageServer) -> Iterator[Problem]:
    """Tell of application servers that were silent for too long: they have no LUN."""
    export = facts.of(server.name, TargetFacts).exports[volume.name]
    for app in admitted(goal, server):
        since = export.shut_out_since(boots_path(volume, goal.cluster.initiator_iqn(app)))
        if since is None:
            continue
        yield Problem(
            code="SG-TGT-002",
            severity=Severity.WARNING,
            address=Address(host=server.name, layer="target", subject=f"{volume.name}-{app.name}"),
            what=f"{app.name} is shut out since {since}: it has no LUN here",
            why=f"it sent nothing for {silence_s(goal.cluster.timings):.0f} s, so the others took "
            "it for dead and replayed its journal; what it still holds back must not be written",
            fix=f"boot {app.name} anew (reset it, if it runs): its next boot has the LUN again "
            "within 10 s of its login, by itself; apply does not give it back",
        )


def problems(goal: Goal, facts: Facts) -> Iterator[Problem]:
    """Judge every export; in the article's mode all are open by declaration."""
    for server in goal.cluster.storage if goal.cluster.guarded else ():
        if facts.has(server.name, TargetFacts):
            for volume in (v for v in goal.cluster.volumes if server.name in v.devices):
                if found := _opened(goal, facts, volume, server):
                    yield found
                yield from _shut_out(goal, facts, volume, server)
