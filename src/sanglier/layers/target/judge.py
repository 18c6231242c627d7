"""What is wrong with an export whoever has its side open: told, and mended by the steps."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.target.desired import GROUP, OPTIMIZED, TAKES_IO, lun_group, state_path, tpg
from sanglier.layers.target.facts import TargetFacts
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


def problems(goal: Goal, facts: Facts) -> Iterator[Problem]:
    """Judge every export; in the article's mode all are open by declaration."""
    for server in goal.cluster.storage if goal.cluster.guarded else ():
        if facts.has(server.name, TargetFacts):
            for volume in (v for v in goal.cluster.volumes if server.name in v.devices):
                if found := _opened(goal, facts, volume, server):
                    yield found
