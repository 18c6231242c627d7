"""Corosync's timeouts as it runs with them, and Pacemaker's for each fence device."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import Reader, RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.corosync import checked_values
from sanglier.layers.cluster.facts import ClusterFacts

READER = Reader(
    layer="cluster",
    timings={
        "runtime.config.totem.token": "corosync_token_ms",
        "runtime.config.totem.consensus": "corosync_consensus_ms",
        "quorum.device.timeout": "qdevice_timeout_ms",
        "quorum.device.sync_timeout": "qdevice_sync_timeout_ms",
        "pcmk_reboot_timeout": "fence_s",
    },
)


def in_force(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    """Give those of ``corosync-cmapctl`` and, of the CIB in force, the time that a kill has."""
    if not goal.cluster.guarded:
        return
    servers = [s.name for s in goal.cluster.storage if facts.has(s.name, ClusterFacts)]
    wanted = checked_values(goal.cluster)
    for server in servers:
        yield from READER.compare(server, "", wanted, facts.of(server, ClusterFacts).values)
    kill = cib.fence_timeouts(goal.cluster.timings)
    devices = [cib.device_id(s, device) for s in goal.cluster.storage for device in s.fence]
    for server in servers:
        loaded = facts.of(server, ClusterFacts).configuration
        for device in devices:
            now = cib.parameters(loaded, device) if loaded else {}
            yield from READER.compare(server, device, kill, now)
