"""Refuse, or with consent wipe or take over, what is on a device; blank ones pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.backing import size
from sanglier.layers.backing.desired import (
    BLANK,
    IN_USE,
    emptied_marker,
    reuse_consent,
    short_device,
    wipe_consent,
)
from sanglier.layers.backing.facts import BackingFacts, Device, DeviceKind
from sanglier.layers.base import Goal
from sanglier.spec.cluster import Volume

# $1 device, $2 marker.  The kernel's claim on the device is ours while it is written, which is why
# wipefs(8) must not ask for it itself (-f).  blockdev --flushbufs so that nobody reads a stale
# page; the end of the device first, so that an interrupted wipe leaves the beginning recognisable.
WIPE = (
    BLANK
    + IN_USE
    + """
in_use "$1" sh -ec '
    bytes=$(blockdev --getsize64 "$1")
    tail=$((bytes / 1048576 > 0 ? bytes / 1048576 - 1 : 0))
    dd if=/dev/zero of="$1" bs=1M seek="$tail" conv=fsync 2>/dev/null || :
    head=$((tail < 16 ? tail : 16))
    wipefs -q -a -f -- "$1"
    dd if=/dev/zero of="$1" bs=1M count="$head" conv=fsync,notrunc 2>/dev/null
    blockdev --flushbufs "$1"
' sh "$1"
blank "$1" || { echo "$1 is still not blank"; return 1; }
mkdir -p "${2%/*}"
: > "$2"
"""
)
# $1 device, $2 marker: what is taken over is not to be blank.
REUSE = """
wipefs --noheadings --output TYPE -- "$1" | grep -qx "drbd"
rm -f "$2"
"""


def _effect(host: str, volume: str, device: Device) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, BackingFacts)
        return facts.with_(host, replace(now, devices={**now.devices, volume: device}))

    return effect


def _address(host: str, device: str) -> Address:
    return Address(host=host, layer="backing", subject=short_device(device))


def found_on(device: Device) -> str:
    """Say what is on a device."""
    if device.signatures:
        return "it holds " + ", ".join(device.signatures)
    return "it holds data (no known signature, but not zeroes)"


def wipe_step(host: str, volume: Volume, device: Device) -> Step:
    """Make the step that destroys what is on a device; needs its consent."""
    path = volume.devices[host]
    blank = replace(
        device, signatures=(), nonzero=False, ours=False, pending=False, emptied=True,
        displaced=False,
    )  # fmt: skip
    return Step(
        address=_address(host, path),
        phase=0,
        mark=Mark.REMOVE,
        summary=f"wipe {path}",
        reason=found_on(device),
        actions=(
            *size.forget(path, device),
            Script(text=WIPE, args=(path, emptied_marker(volume.name))),
        ),
        effect=_effect(host, volume.name, blank),
        risk=Risk.DESTRUCTIVE,
        consent=wipe_consent(host, path),
        limit=300,
    )


def _reuse_step(host: str, volume: Volume, device: Device) -> Step:
    path = volume.devices[host]
    return Step(
        address=_address(host, path),
        phase=0,
        mark=Mark.CHANGE,
        summary=f"take over the DRBD data on {path}",
        reason=f"{found_on(device)}, and no resource of this host uses it",
        actions=(Script(text=REUSE, args=(path, emptied_marker(volume.name))),),
        effect=_effect(host, volume.name, replace(device, ours=True, emptied=False)),
        risk=Risk.DISRUPTIVE,
        consent=reuse_consent(host, path),
    )


def _blocker(host: str, path: str, code: str, what: str, why: str, fix: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.BLOCKER,
        address=_address(host, path),
        what=what,
        why=why,
        fix=fix,
    )


def _unusable(host: str, volume: Volume, device: Device) -> Problem | None:
    path = volume.devices[host]
    if device.kind is DeviceKind.ABSENT:
        return _blocker(
            host, path, "SG-DISK-001", f"there is no device {path}",
            f"volume {volume.name} is to be mirrored on it",
            "create or attach it, or correct the file (`lsblk` shows what the host has)",
        )  # fmt: skip
    if device.kind is DeviceKind.OTHER:
        return _blocker(
            host, path, "SG-DISK-002", f"{path} is not a block device",
            "a mirror needs a disk, a partition or a logical volume",
            "correct the file (`lsblk` shows the block devices)",
        )  # fmt: skip
    if device.users:
        return _blocker(
            host, path, "SG-DISK-003", f"{path} is in use: " + "; ".join(device.users),
            "a device in use is never taken, with or without consent",
            "free it first (umount, swapoff, vgreduce, losetup -d, targetcli…), or name another "
            f"device; `lsblk -f`, `fuser -v {path}`, `losetup -l`, `zpool status`, `dmesg` tell",
        )  # fmt: skip
    if volume.size_bytes is not None and device.size < volume.size_bytes:
        return _blocker(
            host, path, "SG-DISK-004",
            f"{path} has {device.size} bytes, the file wants at least {volume.size_bytes}",
            f"volume {volume.name} declares its size",
            "enlarge the device, or lower the size in the file",
        )  # fmt: skip
    return None


def _content(goal: Goal, host: str, volume: Volume, device: Device) -> tuple[Step, ...]:
    if device.blank or device.pending or (device.ours and device.has_drbd):
        return ()
    consent = wipe_consent(host, volume.devices[host])
    if device.has_drbd and consent not in goal.consents:
        return (_reuse_step(host, volume, device),)
    return (wipe_step(host, volume, device),)


def _sizes(volume: Volume, facts: Facts) -> Iterator[Problem]:
    sizes = {
        host: facts.of(host, BackingFacts).devices[volume.name].size
        for host in volume.devices
        if facts.has(host, BackingFacts)
    }
    if len(set(sizes.values())) > 1 and all(sizes.values()):
        smaller = min(sizes, key=lambda host: sizes[host])
        told = ", ".join(f"{host} {size} bytes" for host, size in sizes.items())
        yield Problem(
            code="SG-DISK-005",
            severity=Severity.WARNING,
            address=_address(smaller, volume.devices[smaller]),
            what=f"the two devices of volume {volume.name} differ in size: {told}",
            why="DRBD uses the smaller size on both sides",
            fix="nothing, if the lost space does not matter",
        )


def _volume(goal: Goal, facts: Facts, volume: Volume) -> Proposal:
    proposal = Proposal(problems=tuple(_sizes(volume, facts)))
    for host in volume.devices:
        if not facts.has(host, BackingFacts):
            continue
        device = facts.of(host, BackingFacts).devices[volume.name]
        problem = _unusable(host, volume, device) or size.judge(goal, facts, volume, host)
        if problem:
            proposal += Proposal(problems=(problem,))
        else:
            proposal += Proposal(steps=_content(goal, host, volume, device))
    return proposal


def _twice(goal: Goal, facts: Facts) -> Iterator[Problem]:
    """One device that two volumes call theirs, under whatever names."""
    seen: dict[tuple[str, str], Volume] = {}
    for volume in goal.cluster.volumes:
        for host, path in volume.devices.items():
            if not facts.has(host, BackingFacts):
                continue
            number = facts.of(host, BackingFacts).devices[volume.name].number
            first = seen.setdefault((host, number), volume)
            if number and first is not volume:
                yield _blocker(
                    host, path, "SG-DISK-010",
                    f"{path} of volume {volume.name} is the same device ({number}) as "
                    f"{first.devices[host]} of volume {first.name}",
                    "each would overwrite what the other holds",
                    "name another device for one of the two (`lsblk` shows them)",
                )  # fmt: skip


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Let blank devices and our own pass; refuse or ask for the others."""
    proposal = Proposal(problems=tuple(_twice(goal, facts)))
    for volume in goal.cluster.volumes:
        proposal += _volume(goal, facts, volume)
    return proposal
