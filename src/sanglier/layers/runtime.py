"""The timeouts in force on the hosts, beside those that the file wants.

Read back from what the layers' facts hold of the running kernel and daemons:
``drbdsetup show``, sysfs, configfs, ``corosync-cmapctl``; never from a
configuration file, which says nothing about what was taken over from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sanglier.core.facts import Facts
from sanglier.layers.base import Goal
from sanglier.layers.cluster.corosync import checked_values
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.drbd.desired import servers_of
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.initiator.desired import all_portals
from sanglier.layers.initiator.facts import InitiatorFacts, Session
from sanglier.layers.ocfs2 import desired as o2cb
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.spec.cluster import Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeValue:
    """One timeout in force on one host, in its tool's own unit."""

    host: str
    layer: str
    name: str
    wanted: str
    actual: str | None
    """``None`` when nothing is in force: a resource down, a session or a cluster missing."""

    @property
    def differs(self) -> bool:
        """Whether another value than the wanted one is in force, or none."""
        return self.actual != self.wanted


def runtime_values(goal: Goal, facts: Facts) -> tuple[RuntimeValue, ...]:
    """Give every timeout that the facts know of, in the order of the stack.

    Hosts and layers that were not read give none; see ``Facts.unreachable``.
    """
    return (
        *_drbd(goal, facts),
        *_corosync(goal, facts),
        *_initiator(goal, facts),
        *_o2cb(goal, facts),
    )


def _drbd_options(timings: Timings) -> dict[str, str]:
    return {
        "timeout": str(timings.drbd_timeout_ds),
        "ping-int": str(timings.drbd_ping_int_s),
        "ping-timeout": str(timings.drbd_ping_timeout_ds),
        "connect-int": str(timings.drbd_connect_int_s),
        "ko-count": str(timings.drbd_ko_count),
    }


def _compared(
    host: str, layer: str, subject: str, wanted: Mapping[str, str], now: Mapping[str, str]
) -> Iterator[RuntimeValue]:
    for name, value in wanted.items():
        full = f"{subject} {name}" if subject else name
        yield RuntimeValue(host=host, layer=layer, name=full, wanted=value, actual=now.get(name))


def _drbd(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    wanted = _drbd_options(goal.cluster.timings)
    for volume in goal.cluster.volumes:
        for server in servers_of(goal.cluster, volume):
            if facts.has(server.name, DrbdFacts):
                resource = facts.of(server.name, DrbdFacts).resources[volume.name]
                yield from _compared(server.name, "drbd", volume.name, wanted, resource.options)


def _corosync(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    if not goal.cluster.guarded:
        return
    wanted = checked_values(goal.cluster)
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            now = facts.of(server.name, ClusterFacts)
            yield from _compared(server.name, "cluster", "", wanted, now.values)


def _session_values(session: Session | None) -> dict[str, str]:
    if session is None:
        return {}
    found = {"recovery_tmo": session.recovery_tmo_s, "abort_tmo": session.abort_tmo_s}
    return {name: str(value) for name, value in found.items() if value is not None}


def _initiator(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    timings = goal.cluster.timings
    wanted = {"recovery_tmo": str(timings.recovery_s), "abort_tmo": str(timings.abort_timeout_s)}
    for server in goal.cluster.applications:
        if not facts.has(server.name, InitiatorFacts):
            continue
        now = facts.of(server.name, InitiatorFacts)
        sessions = {session.portal: session for session in now.sessions}
        for portal in all_portals(goal.cluster, server):
            values = _session_values(sessions.get(portal))
            target = portal.target.rpartition(":")[2].removeprefix(f"{goal.cluster.name}.")
            subject = f"{target} {portal.address}"
            yield from _compared(server.name, "initiator", subject, wanted, values)
        yield from _disks(server.name, timings, now.disk_timeouts)


def _disks(host: str, timings: Timings, now: Mapping[str, int]) -> Iterator[RuntimeValue]:
    for disk, seconds in sorted(now.items()):
        wanted = {"timeout": str(timings.sd_timeout_s)}
        yield from _compared(host, "initiator", disk, wanted, {"timeout": str(seconds)})


def _o2cb(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    wanted = o2cb.runtime_values(goal.cluster.timings)
    for server in goal.cluster.applications:
        if facts.has(server.name, Ocfs2Facts):
            now = facts.of(server.name, Ocfs2Facts).cluster_values
            yield from _compared(server.name, "ocfs2", "", wanted, now)
