"""The timeouts of each iSCSI session and SCSI disk, from sysfs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import Reader, RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.initiator.desired import all_portals, session_timeouts
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.spec.cluster import Timings

READER = Reader(
    layer="initiator",
    timings={
        "recv_tmo": "noop_interval_s",
        "ping_tmo": "noop_timeout_s",
        "recovery_tmo": "recovery_s",
        "abort_tmo": "abort_timeout_s",
        "lu_reset_tmo": "reset_timeout_s",
        "timeout": "sd_timeout_s",
    },
)


def in_force(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    """Give those of every session that there should be, and of every disk that there is."""
    timings = goal.cluster.timings
    wanted = {name: str(seconds) for name, seconds in session_timeouts(timings).items()}
    for server in goal.cluster.applications:
        if not facts.has(server.name, InitiatorFacts):
            continue
        now = facts.of(server.name, InitiatorFacts)
        sessions = {session.portal: session.timeouts for session in now.sessions}
        for portal in all_portals(goal.cluster, server):
            values = {name: str(value) for name, value in sessions.get(portal, {}).items()}
            target = portal.target.rpartition(":")[2].removeprefix(f"{goal.cluster.name}.")
            yield from READER.compare(server.name, f"{target} {portal.address}", wanted, values)
        yield from _disks(server.name, timings, now.disk_timeouts)


def _disks(host: str, timings: Timings, now: Mapping[str, int]) -> Iterator[RuntimeValue]:
    wanted = {"timeout": str(timings.sd_timeout_s)}
    for disk, seconds in sorted(now.items()):
        yield from READER.compare(host, disk, wanted, {"timeout": str(seconds)})
