"""The timeouts in force on the hosts, beside those that the file wants.

Read back from what the layers' facts hold of the running kernel and daemons:
``drbdsetup show``, sysfs, configfs, ``corosync-cmapctl``, multipathd, the CIB; never
from a configuration file, which says nothing about what was taken over from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sanglier.core.facts import Facts
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.corosync import checked_values
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.drbd.desired import handler_waits, servers_of
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.initiator.desired import all_portals, session_timeouts
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.multipath.desired import QUEUES, settings
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2 import desired as o2cb
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.spec.cluster import Timings

TIMING = {
    "drbd timeout": "drbd_timeout_ds",
    "drbd ping-int": "drbd_ping_int_s",
    "drbd ping-timeout": "drbd_ping_timeout_ds",
    "drbd connect-int": "drbd_connect_int_s",
    "drbd ko-count": "drbd_ko_count",
    "drbd hold": "fence_hold_s",
    "cluster runtime.config.totem.token": "corosync_token_ms",
    "cluster runtime.config.totem.consensus": "corosync_consensus_ms",
    "cluster quorum.device.timeout": "qdevice_timeout_ms",
    "cluster quorum.device.sync_timeout": "qdevice_sync_timeout_ms",
    "cluster pcmk_reboot_timeout": "fence_s",
    "initiator recv_tmo": "noop_interval_s",
    "initiator ping_tmo": "noop_timeout_s",
    "initiator recovery_tmo": "recovery_s",
    "initiator abort_tmo": "abort_timeout_s",
    "initiator lu_reset_tmo": "reset_timeout_s",
    "initiator timeout": "sd_timeout_s",
    "multipath polling_interval": "polling_s",
    "multipath checker_timeout": "checker_timeout_s",
    "ocfs2 dead_threshold": "o2cb_threshold",
    "ocfs2 idle_timeout_ms": "o2cb_idle_ms",
    "ocfs2 keepalive_delay_ms": "o2cb_keepalive_ms",
    "ocfs2 reconnect_delay_ms": "o2cb_reconnect_ms",
}
"""Layer and name of a value -> the field of ``Timings`` that it is in force for."""
NUMBER = re.compile(r"([0-9]{1,9})s?")
"""Pacemaker writes seconds with their unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeValue:
    """One timeout in force on one host, in its tool's own unit."""

    host: str
    layer: str
    name: str
    """As its tool calls it, after what it belongs to: ``data ping-int``, ``sda timeout``."""
    wanted: str
    actual: str | None
    """``None`` when nothing is in force: a resource down, a session or a cluster missing."""

    @property
    def differs(self) -> bool:
        """Whether another value than the wanted one is in force, or none."""
        return self.actual != self.wanted

    @property
    def subject(self) -> str:
        """What on the host it belongs to; empty when there is one of it."""
        return self.name.rpartition(" ")[0]

    @property
    def word(self) -> str:
        """Its tool's own name alone."""
        return self.name.rpartition(" ")[2]

    @property
    def timing(self) -> str:
        """Field of ``Timings`` that it is in force for; empty for what is in no inequality."""
        return TIMING.get(f"{self.layer} {self.word}", "")

    @property
    def number(self) -> int:
        """Value in force as a number; the wanted one where none (or no number) is in force."""
        found = NUMBER.fullmatch(self.actual or "") or NUMBER.fullmatch(self.wanted)
        return int(found[1]) if found else 0


def runtime_values(goal: Goal, facts: Facts) -> tuple[RuntimeValue, ...]:
    """Give every timeout that the facts know of, in the order of the stack.

    Hosts and layers that were not read give none; see ``Facts.unreachable``.
    """
    return (
        *_drbd(goal, facts),
        *_corosync(goal, facts),
        *_fencing(goal, facts),
        *_initiator(goal, facts),
        *_multipath(goal, facts),
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
    timings = goal.cluster.timings
    wanted = _drbd_options(timings)
    for volume in goal.cluster.volumes:
        for server in servers_of(goal.cluster, volume):
            if facts.has(server.name, DrbdFacts):
                resource = facts.of(server.name, DrbdFacts).resources[volume.name]
                yield from _compared(server.name, "drbd", volume.name, wanted, resource.options)
    for server in goal.cluster.storage if goal.cluster.guarded else ():
        if facts.has(server.name, DrbdFacts):
            waits, now = handler_waits(timings), facts.of(server.name, DrbdFacts).handler
            yield from _compared(server.name, "drbd", "fence-peer", waits, now)


def _corosync(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    if not goal.cluster.guarded:
        return
    wanted = checked_values(goal.cluster)
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            now = facts.of(server.name, ClusterFacts)
            yield from _compared(server.name, "cluster", "", wanted, now.values)


def _fencing(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    """Give the time that Pacemaker leaves each fence device, from the CIB in force."""
    if not goal.cluster.guarded:
        return
    wanted = cib.fence_timeouts(goal.cluster.timings)
    devices = [cib.device_id(s, device) for s in goal.cluster.storage for device in s.fence]
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            loaded = facts.of(server.name, ClusterFacts).configuration
            for device in devices:
                now = cib.parameters(loaded, device) if loaded else {}
                yield from _compared(server.name, "cluster", device, wanted, now)


def _initiator(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
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
            subject = f"{target} {portal.address}"
            yield from _compared(server.name, "initiator", subject, wanted, values)
        yield from _disks(server.name, timings, now.disk_timeouts)


def _disks(host: str, timings: Timings, now: Mapping[str, int]) -> Iterator[RuntimeValue]:
    for disk, seconds in sorted(now.items()):
        wanted = {"timeout": str(timings.sd_timeout_s)}
        yield from _compared(host, "initiator", disk, wanted, {"timeout": str(seconds)})


def _multipath(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    wanted = settings(goal.cluster.timings)
    for server in goal.cluster.applications:
        if facts.has(server.name, MultipathFacts):
            now = facts.of(server.name, MultipathFacts)
            yield from _compared(server.name, "multipath", "", wanted, now.settings)
            queueing = {found.wwid: found.queueing for found in now.maps}
            for volume in goal.cluster.volumes:
                told = {"queueing": queueing[volume.wwid]} if volume.wwid in queueing else {}
                yield from _compared(
                    server.name, "multipath", volume.name, {"queueing": QUEUES}, told
                )


def _o2cb(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    wanted = o2cb.runtime_values(goal.cluster.timings)
    for server in goal.cluster.applications:
        if facts.has(server.name, Ocfs2Facts):
            now = facts.of(server.name, Ocfs2Facts)
            yield from _compared(server.name, "ocfs2", "", wanted, now.cluster_values)
            if now.panic:
                yield from _compared(server.name, "ocfs2", "kernel", o2cb.PANIC, now.panic)
