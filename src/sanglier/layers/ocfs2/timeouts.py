"""o2cb's timeouts from configfs, and what the kernel does after an oops."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import Reader, RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.ocfs2.desired import PANIC, runtime_values
from sanglier.layers.ocfs2.facts import Ocfs2Facts

READER = Reader(
    layer="ocfs2",
    timings={
        "dead_threshold": "o2cb_threshold",
        "idle_timeout_ms": "o2cb_idle_ms",
        "keepalive_delay_ms": "o2cb_keepalive_ms",
        "reconnect_delay_ms": "o2cb_reconnect_ms",
    },
)


def in_force(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    """Give those of every application server."""
    wanted = runtime_values(goal.cluster.timings)
    for server in goal.cluster.applications:
        if facts.has(server.name, Ocfs2Facts):
            now = facts.of(server.name, Ocfs2Facts)
            yield from READER.compare(server.name, "", wanted, now.cluster_values)
            if now.panic:
                yield from READER.compare(server.name, "kernel", PANIC, now.panic)
