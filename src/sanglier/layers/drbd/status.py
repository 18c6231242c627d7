"""One line per side of a volume."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import servers_of
from sanglier.layers.drbd.facts import DrbdFacts, Resource
from sanglier.layers.drbd.in_force import differences


def _text(side: Resource) -> str:
    if not side.up:
        return "down"
    frozen = ", I/O FROZEN" if side.suspended else ""
    percent = f" {side.synced_percent:.0f} %" if side.synced_percent is not None else ""
    return (
        f"{side.role}/{side.peer_role}, {side.disk}/{side.peer_disk}, "
        f"{side.connection}{percent}, protocol {side.protocol or '?'}{frozen}"
    )


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell role, disk and connection of each side."""
    return tuple(
        StatusLine(
            host=server.name,
            layer="drbd",
            subject=volume.name,
            healthy=_healthy(side) and not others,
            text="; ".join((_text(side), *others)),
        )
        for volume in goal.cluster.volumes
        for server in servers_of(goal.cluster, volume)
        if facts.has(server.name, DrbdFacts)
        for side in (facts.of(server.name, DrbdFacts).resources[volume.name],)
        for others in (differences(goal, volume, server.name, side),)
    )


def _healthy(side: Resource) -> bool:
    return side.exportable and side.connection == "Connected" and not side.suspended
