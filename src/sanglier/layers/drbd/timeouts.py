"""DRBD's timeouts as the kernel has them, ``drbdsetup show``, and the handler's waits."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import Reader, RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import handler_waits, net_options, servers_of
from sanglier.layers.drbd.facts import DrbdFacts

READER = Reader(
    layer="drbd",
    timings={
        "timeout": "drbd_timeout_ds",
        "ping-int": "drbd_ping_int_s",
        "ping-timeout": "drbd_ping_timeout_ds",
        "connect-int": "drbd_connect_int_s",
        "ko-count": "drbd_ko_count",
        "hold": "fence_hold_s",
    },
)


def in_force(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    """Give those of each resource and, with a guard, of its handler."""
    options = net_options(goal.cluster)
    wanted = {name: options[name] for name in READER.timings if name in options}
    for volume in goal.cluster.volumes:
        for server in servers_of(goal.cluster, volume):
            if facts.has(server.name, DrbdFacts):
                resource = facts.of(server.name, DrbdFacts).resources[volume.name]
                yield from READER.compare(server.name, volume.name, wanted, resource.options)
    for server in goal.cluster.storage if goal.cluster.guarded else ():
        if facts.has(server.name, DrbdFacts):
            waits = handler_waits(goal.cluster.timings)
            now = facts.of(server.name, DrbdFacts).handler
            yield from READER.compare(server.name, "fence-peer", waits, now)
