"""What is wrong with the shared filesystem that no step may mend by itself."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.address import Address
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.ocfs2.desired import kernel_options, node_values, runtime_values
from sanglier.layers.ocfs2.facts import Filesystem, Ocfs2Facts
from sanglier.spec.cluster import Cluster, Volume

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
    if wrong and now.cluster_values and now.mounts:
        told = ", ".join(f"{key} is {value}" for key, value in sorted(wrong.items()))
        yield _problem(
            host, "o2cb", "SG-FS-003", Severity.WARNING,
            f"o2cb runs with other values than declared: {told}",
            "they can only be changed while no filesystem is mounted there; the kernel ignores "
            "a change without a word otherwise",
            f"unmount the volumes on {host} (their users first), then apply again",
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
