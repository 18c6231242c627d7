"""One line per export."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.target.desired import GROUP, admitted, boots_path, lun_group, state_path, tpg
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.spec.cluster import StorageServer, Volume

STATES = {"0": "open (optimized)", "1": "NON-OPTIMIZED", "2": "standby", "3": "unavailable"}


def _boots(goal: Goal, server: StorageServer, volume: Volume, export: Export) -> str:
    """Name who is shut out, and who has not yet named its boot and therefore cannot be."""
    notes = {
        app.name: boots_path(volume, goal.cluster.initiator_iqn(app))
        for app in (admitted(goal, server) if goal.cluster.guarded else ())
    }
    out = [name for name, note in notes.items() if export.shut_out_since(note)]
    unnamed = [name for name, note in notes.items() if not export.value(note)]
    shut = f"; SHUT OUT: {', '.join(out)}" if out else ""
    text = "; a pause is not guarded against before the next boot of"
    return shut + (f"{text} {', '.join(unnamed)}" if unnamed else "")


def _line(goal: Goal, facts: Facts, server: StorageServer, volume: Volume) -> StatusLine:
    export = facts.of(server.name, TargetFacts).exports[volume.name]
    path = tpg(goal, volume, server)
    enabled = export.value(f"{path}/enable") == "1"
    state = export.value(state_path(volume)) or "?"
    portals = sum(1 for node in export.nodes if node.startswith(f"{path}/np/"))
    acls = sum(1 for node in export.nodes if node.startswith(f"{path}/acls/")
               and node.count("/") == path.count("/") + 2)  # fmt: skip
    group = export.value(lun_group(goal, volume, server)) or "?"
    strayed = "" if group == GROUP else f"; ITS LUN IS IN THE PORT GROUP {group}"
    text = f"{STATES.get(state, state)}, {portals} portals, {acls} initiators admitted"
    text += strayed + _boots(goal, server, volume, export)
    return StatusLine(
        host=server.name,
        layer="target",
        subject=volume.name,
        healthy=enabled and not strayed,
        text=text if enabled else "not exported",
    )


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell which exports are open and how."""
    return tuple(
        _line(goal, facts, server, volume)
        for server in goal.cluster.storage
        if facts.has(server.name, TargetFacts)
        for volume in goal.cluster.volumes
        if server.name in volume.devices
    )
