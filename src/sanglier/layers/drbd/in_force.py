"""What the kernel runs against what the cluster's file names: device, minor, addresses.

A resource file that names something else than the kernel has is a time bomb: nothing shows it
until the next start, which then runs with the other.  And ``drbdadm adjust`` would detach the disk,
or cut the mirror, on the spot.  So none is ever written while it would be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from sanglier.core.problem import Problem
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import address_of, servers_of
from sanglier.layers.drbd.facts import Resource
from sanglier.layers.drbd.judge import blocker
from sanglier.spec.cluster import Volume

Ends = tuple[str, str]
"""Address of this side and of the peer, as the kernel shows them."""


def wanted_ends(goal: Goal, volume: Volume, host: str) -> Ends:
    """Give the two addresses of a connection as ``host`` sees them."""
    here, there = sorted(servers_of(goal.cluster, volume), key=lambda s: s.name != host)
    return address_of(volume, here), address_of(volume, there)


def _comparable(end: str) -> tuple[str, str]:
    """Address and port, whatever way an IPv6 address is spelled."""
    address, _, port = end.rsplit(" ", maxsplit=1)[-1].rpartition(":")
    try:
        return str(ip_address(address.strip("[]"))), port
    except ValueError:
        return address, port


def other_device(volume: Volume, host: str, side: Resource) -> bool:
    """Whether the kernel has another device attached than the one the file names.

    The same device by another name is not another; without numbers names must do.
    """
    now = side.in_force
    if not side.up or not now.device:
        return False
    if now.backed and side.named:
        return side.named not in now.backed
    return now.device != volume.devices[host]


def renamed(volume: Volume, host: str, side: Resource) -> bool:
    """Whether the file names the attached device by another name than the kernel was told."""
    attached = side.up and bool(side.in_force.device)
    named = side.in_force.device == volume.devices[host]
    return attached and not named and not other_device(volume, host, side)


def other_ends(goal: Goal, volume: Volume, host: str, side: Resource) -> bool:
    """Whether the connection uses other addresses or another port than the file's."""
    now = (side.in_force.here, side.in_force.there)
    if not side.up or side.connection == "StandAlone" or not all(now):
        return False
    return [_comparable(e) for e in now] != [
        _comparable(e) for e in wanted_ends(goal, volume, host)
    ]


def other_port_only(goal: Goal, volume: Volume, host: str, side: Resource) -> bool:
    """Whether the addresses are the file's and only the port is not."""
    now = (side.in_force.here, side.in_force.there)
    wanted = wanted_ends(goal, volume, host)
    return [_comparable(e)[0] for e in now] == [_comparable(e)[0] for e in wanted]


def other_minor(volume: Volume, side: Resource) -> bool:
    """Whether the kernel runs the resource under another minor, or another one under the file's."""
    return side.up and side.in_force.minor != volume.minor


def differences(goal: Goal, volume: Volume, host: str, side: Resource) -> tuple[str, ...]:
    """Say in words what the kernel runs and the file does not name."""
    now, found = side.in_force, []
    if other_device(volume, host, side):
        found.append(f"the kernel has {now.device} attached, the file names {volume.devices[host]}")
    if other_ends(goal, volume, host, side):
        here, there = wanted_ends(goal, volume, host)
        found.append(
            f"the kernel replicates from {now.here} to {now.there}, the file says from {here} "
            f"to {there}"
        )
    if other_minor(volume, side):
        found.append(_minors(volume, now.minor))
    return tuple(found)


def _minors(volume: Volume, now: int | None) -> str:
    if now is None:
        return f"the kernel runs minor {volume.minor}, but not as resource {volume.name}"
    return f"the kernel runs it with minor {now}, the file says {volume.minor}"


ANEW = (
    "`sanglier destroy FILE` without a wipe keeps the data; then `sanglier apply FILE` with what "
    "is new and `--allow reuse:HOST/DEVICE` for both sides"
)


def _device(volume: Volume, host: str, side: Resource, what: str) -> Problem:
    old, new = side.in_force.device, volume.devices[host]
    return blocker(
        volume, host, "SG-DRBD-021", what,
        "the device of a running side is never exchanged under it: both sides would lose their "
        "data in the same moment, or the next start would run on the other device",
        f"to keep it, name {old} in the file again. To change it, one side at a time: with "
        f"{old} in the file `sanglier maintain FILE {host}`; write {new} for {host} only; "
        f"`sanglier apply FILE`; `sanglier maintain FILE {host} --done` copies everything to it; "
        "then the other side (docs/how-to/change-a-device.md)",
    )  # fmt: skip


def _ends(goal: Goal, volume: Volume, host: str, side: Resource, what: str) -> Problem:
    other = next(name for name in volume.devices if name != host)
    if other_port_only(goal, volume, host, side):
        port = _comparable(side.in_force.here)[1]
        fix = (
            f"to keep it, write `port: {port}`. To change it: with `port: {port}` in the file "
            f"`sanglier maintain FILE {other}`; write `port: {volume.port}`; "
            f"`sanglier apply FILE`; `sanglier maintain FILE {other} --done`"
        )
    else:
        fix = f"to keep them, write the old addresses. To change them, stop the volume: {ANEW}"
    return blocker(
        volume, host, "SG-DRBD-022", what,
        "both sides must change together, and two that are open cannot be parted for it: each "
        "would fence the other, or begin a history of its own",
        fix,
    )  # fmt: skip


def _minor(volume: Volume, host: str, side: Resource, what: str) -> Problem:
    now = side.in_force.minor
    if now is None:
        why = "it belongs to a resource that the file does not have"
        fix = f"`drbdsetup show` on {host} names it; write another `minor:`, or take it down"
    else:
        why = f"the target has /dev/drbd{now} open, and Pacemaker's agents read that minor"
        fix = f"to keep it, write `minor: {now}`. To change it, stop the volume: {ANEW}"
    return blocker(volume, host, "SG-DRBD-023", what, why, fix)


def _side(goal: Goal, volume: Volume, host: str, side: Resource) -> Iterator[Problem]:
    told = iter(differences(goal, volume, host, side))
    if other_device(volume, host, side):
        yield _device(volume, host, side, next(told))
    if other_ends(goal, volume, host, side):
        what = next(told)
        if not (side.alone and other_port_only(goal, volume, host, side)):
            yield _ends(goal, volume, host, side, what)
    if other_minor(volume, side):
        yield _minor(volume, host, side, next(told))


def problems(goal: Goal, volume: Volume, sides: Mapping[str, Resource]) -> tuple[Problem, ...]:
    """Refuse what cannot be changed under a volume that runs."""
    return tuple(p for host, side in sides.items() for p in _side(goal, volume, host, side))
