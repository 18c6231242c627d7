"""Take the mirror down; the data stays where it is."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Step
from sanglier.layers.base import Goal
from sanglier.layers.drbd import moves
from sanglier.layers.drbd.desired import HANDLER, resource_path, servers_of
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.spec.cluster import Volume


def _side(volume: Volume, host: str, now: DrbdFacts) -> tuple[Step, ...]:
    steps = []
    side = now.resources[volume.name]
    if side.up:
        steps.append(moves.take_down(volume, host))
    if resource_path(volume) in now.files:
        steps.append(moves.remove_file(volume, host, resource_path(volume)))
    return tuple(steps)


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Down and forget, on each side that was read."""
    steps: list[Step] = []
    for volume in goal.cluster.volumes:
        for server in servers_of(goal.cluster, volume):
            if facts.has(server.name, DrbdFacts):
                steps += _side(volume, server.name, facts.of(server.name, DrbdFacts))
    for server in goal.cluster.storage:
        if facts.has(server.name, DrbdFacts) and HANDLER in facts.of(server.name, DrbdFacts).files:
            steps.append(moves.remove_handler(server.name, HANDLER))
    return Proposal(steps=tuple(steps))
