"""What is wrong with the shared filesystem that no step may mend by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.ocfs2.desired import PANIC, kernel_options, node_values, runtime_values
from sanglier.layers.ocfs2.facts import Filesystem, Ocfs2Facts
from sanglier.spec.cluster import ApplicationServer, Cluster, Volume

WRITE_THROUGH = "write through"


def _problem(
    host: str, subject: str, code: str, severity: Severity, what: str, why: str, fix: str
) -> Problem:
    return Problem(
        code=code,
        severity=severity,
        address=Address(host=host, layer="ocfs2", subject=subject),
        what=what,
        why=why,
        fix=fix,
    )


def foreign_filesystem(host: str, volume: Volume, found: Filesystem) -> Problem | None:
    """Refuse to touch a filesystem that is not the declared one."""
    if found.kind in {"", "ocfs2"} and (found.kind != "ocfs2" or found.label == volume.label):
        return None
    return _problem(
        host, volume.name, "SG-FS-001", Severity.BLOCKER,
        f'the volume holds {found.kind} labelled "{found.label}", not ocfs2 "{volume.label}"',
        "an existing filesystem is never made again",
        f'if it is the right one, write `label: {found.label}` in the file; otherwise destroy '
        "the cluster with the consent to wipe its devices",
    )  # fmt: skip


def foreign_mount(host: str, volume: Volume, now: Ocfs2Facts) -> Problem | None:
    """Refuse a mount point that carries something else."""
    mount = now.mounts.get(volume.mount)
    if mount is None or mount.source == volume.map_device:
        return None
    return _problem(
        host, volume.name, "SG-FS-002", Severity.BLOCKER,
        f"{volume.mount} carries {mount.source} ({mount.kind}), not {volume.map_device}",
        "it would hide the shared filesystem, or be a single path without failover",
        f"unmount it on {host}, then apply again",
    )  # fmt: skip


def wrong_panic(now: Ocfs2Facts) -> Mapping[str, str]:
    """Kernel settings in force that are not the wanted ones; what is not known is none."""
    return {k: v for k, v in now.panic.items() if k in PANIC and v != PANIC[k]}


def missing_options(volume: Volume, now: Ocfs2Facts) -> tuple[str, ...]:
    """Options that the volume's filesystem is mounted without; none where it is not mounted."""
    mount = now.mounts.get(volume.mount)
    if mount is None or mount.source != volume.map_device:
        return ()
    return tuple(option for option in kernel_options(volume) if option not in mount.options)


def drops_flushes(host: str, volume: Volume, found: Filesystem) -> Problem | None:
    """Tell of a map at which flushes end: LIO says "write cache", so somebody wrote to sysfs."""
    if found.cache != WRITE_THROUGH:
        return None
    return _problem(
        host, volume.name, "SG-FS-010", Severity.WARNING,
        f'the queue of {volume.map_device} says "{WRITE_THROUGH}"',
        "the kernel drops every flush there, so that no fsync reaches a disk",
        f"on {host}: printf 'write back' > /sys/block/$(basename $(readlink {volume.map_device}))"
        f"/queue/write_cache; and see that /sys/block/drbd{volume.minor}/queue/write_cache says "
        "the same on both storage servers",
    )  # fmt: skip


def wrong_values(cluster: Cluster, now: Ocfs2Facts) -> dict[str, str]:
    """Runtime values of o2cb that are not the wanted ones, as "is"."""
    wanted = {**runtime_values(cluster.timings), **node_values(cluster)}
    return {
        key: now.cluster_values.get(key, "absent")
        for key, value in wanted.items()
        if now.cluster_values.get(key) != value
    }


def _locked_values(cluster: Cluster, host: str, now: Ocfs2Facts) -> Iterator[Problem]:
    wrong = wrong_values(cluster, now)
    if wrong and now.cluster_values and now.holds:
        yield _problem(
            host, "o2cb", "SG-FS-003", Severity.WARNING,
            f"o2cb runs with other values than declared: {_told(wrong)}",
            "they can only be changed while no filesystem is mounted there, and only on all "
            "servers together: one that differs from one that has a volume mounted cannot mount it",
            "unmount the volumes on every application server (their users first), then apply again",
        )  # fmt: skip


def _told(values: Mapping[str, str]) -> str:
    return ", ".join(f"{key} is {value}" for key, value in sorted(values.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """An application server that has a volume mounted, and what that forbids the others."""

    host: str
    values: Mapping[str, str]
    """What its o2cb runs with; empty when it could not be read."""
    other: Mapping[str, str]
    """Those of them that are not as the file wants them."""

    @property
    def binds(self) -> bool:
        """Whether no server's o2cb may be brought to what the file wants meanwhile."""
        return bool(self.other) or not self.values

    def admits(self, server: ApplicationServer, now: Ocfs2Facts) -> bool:
        """Whether ``server`` may mount beside it: known there, and with the same values.

        One that is not bound is brought to what the file wants, which is what is in force here.
        """
        known = f"node/{server.hostname}" in self.values
        if not self.binds:
            return known
        same = all(
            now.cluster_values.get(key, value) == value for key, value in self.values.items()
        )
        return known and bool(now.cluster_values) and same


def mounted(goal: Goal, facts: Facts) -> tuple[Mounted, ...]:
    """Find the servers whose o2cb is the measure of all others."""
    found = []
    for server in goal.cluster.applications:
        now = facts.of(server.name, Ocfs2Facts) if facts.has(server.name, Ocfs2Facts) else None
        if now is not None and now.holds:
            wrong = wrong_values(goal.cluster, now)
            other = {key: value for key, value in wrong.items() if key in now.cluster_values}
            found.append(Mounted(host=server.name, values=now.cluster_values, other=other))
    return tuple(found)


def held_back(host: str, bound: Mounted) -> Problem:
    """Tell that a server's o2cb is left as it is, because of another that has a volume mounted."""
    told = _told(bound.other) or "its o2cb cannot be read"
    return _problem(
        host, "o2cb", "SG-FS-004", Severity.WARNING,
        f"its o2cb is left as it is: {bound.host} has a volume mounted ({told})",
        "two servers whose o2cb differ cannot mount one volume, and with one node number for two "
        "they destroy it; so nothing is written that would count at the next start",
        "unmount the volumes on every application server (their users first), then apply again",
    )  # fmt: skip


def problems(goal: Goal, host: str, now: Ocfs2Facts) -> tuple[Problem, ...]:
    """Judge one application server."""
    found: list[Problem] = list(_locked_values(goal.cluster, host, now))
    for volume in goal.cluster.volumes:
        for problem in (
            foreign_filesystem(host, volume, now.filesystems[volume.name]),
            foreign_mount(host, volume, now),
            drops_flushes(host, volume, now.filesystems[volume.name]),
        ):
            if problem:
                found.append(problem)
    return tuple(found)
