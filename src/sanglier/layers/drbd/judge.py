"""What is wrong with a mirror that no step may mend by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sanglier.core.address import Address
from sanglier.core.problem import Problem, Severity
from sanglier.layers.drbd.facts import SYNCING, UP_TO_DATE, Resource
from sanglier.spec.cluster import Volume


def _address(host: str, volume: Volume) -> Address:
    return Address(host=host, layer="drbd", subject=volume.name)


def blocker(volume: Volume, host: str, code: str, what: str, why: str, fix: str) -> Problem:
    """Make a problem of one side that keeps a plan from running."""
    return Problem(
        code=code,
        severity=Severity.BLOCKER,
        address=_address(host, volume),
        what=what,
        why=why,
        fix=fix,
    )


def _syncing(volume: Volume, host: str, side: Resource) -> Problem:
    percent = f", {side.synced_percent:.0f} % done" if side.synced_percent is not None else ""
    return Problem(
        code="SG-DRBD-002",
        severity=Severity.WAITING,
        address=_address(host, volume),
        what=f"its data is being brought up to date ({side.connection}{percent})",
        why="a side that is behind is neither promoted nor exported",
        fix="wait, then apply again; `cat /proc/drbd` shows the progress",
    )


def _without_data(volume: Volume, host: str) -> Problem:
    return blocker(
        volume, host, "SG-DRBD-003", "its I/O is frozen",
        "its own disk is gone or behind, and its peer is away: there is no data to go on with",
        "bring the peer back, or the disk; `drbdadm resume-io` would answer with errors",
    )  # fmt: skip


def _suspended(volume: Volume, host: str) -> Problem:
    return blocker(
        volume, host, "SG-DRBD-003", "its I/O is frozen",
        "DRBD waits for word that the lost peer is dead",
        "finish the fencing of the peer; only when you have seen with your own eyes that it "
        f"is off: `drbdadm resume-io {volume.name}`",
    )  # fmt: skip


def _diverged(volume: Volume, host: str) -> Problem:
    return Problem(
        code="SG-DRBD-004",
        severity=Severity.WARNING,
        address=_address(host, volume),
        what="the mirror is cut: both sides are StandAlone",
        why="somebody disconnected it, or the replication link failed; two Primaries that lose "
        "each other begin two histories at once (split brain), and only a person can choose one",
        fix="apply tries to connect and never discards anything; when it reports a split brain, "
        "stop the writers and keep a copy of both sides before you choose one",
    )


def _side_problems(volume: Volume, host: str, side: Resource) -> Iterator[Problem]:
    if side.suspended:
        told = _suspended if side.disk == UP_TO_DATE else _without_data
        yield told(volume, host)
    if side.connection in SYNCING and side.disk != UP_TO_DATE:
        yield _syncing(volume, host, side)


def problems(volume: Volume, sides: Mapping[str, Resource]) -> tuple[Problem, ...]:
    """Judge one volume."""
    found = [p for host, side in sides.items() for p in _side_problems(volume, host, side)]
    apart = [side for side in sides.values() if side.connection == "StandAlone"]
    if len(apart) == len(volume.devices):
        found.append(_diverged(volume, volume.prefer))
    return tuple(found)
