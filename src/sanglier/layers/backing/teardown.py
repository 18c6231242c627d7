"""Keep the data, unless its destruction is consented to by name."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Step
from sanglier.layers.backing.desired import wipe_consent
from sanglier.layers.backing.facts import BackingFacts, DeviceKind
from sanglier.layers.backing.steps import wipe_step
from sanglier.layers.base import Goal
from sanglier.spec.cluster import Volume


def _wipe(goal: Goal, facts: Facts, volume: Volume) -> tuple[Step, ...]:
    steps = []
    for host, path in volume.devices.items():
        if not facts.has(host, BackingFacts) or wipe_consent(host, path) not in goal.consents:
            continue
        device = facts.of(host, BackingFacts).devices[volume.name]
        if device.kind is DeviceKind.BLOCK and (device.ours or not device.blank):
            steps.append(wipe_step(host, volume, device))
    return tuple(steps)


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Wipe what was named; leave everything else as it is."""
    steps = [step for volume in goal.cluster.volumes for step in _wipe(goal, facts, volume)]
    return Proposal(steps=tuple(steps))
