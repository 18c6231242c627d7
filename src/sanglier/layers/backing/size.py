"""How large a device is, was, and must be, and where DRBD's metadata lies on it.

Internal metadata is at the end of the device: one that grew while it was detached has its
metadata in the middle, and looks as if it had none.  ``drbdadm check-resize``, which every start
runs, moves it; drbdmeta(8) keeps the former size in /var/lib/drbd/drbd-minor-N.lkbd for that.
"""

from __future__ import annotations

import re
from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.probe import Output, Probe
from sanglier.core.problem import Problem, Severity
from sanglier.layers import looks
from sanglier.layers.backing.desired import short_device, wipe_consent
from sanglier.layers.backing.facts import BackingFacts, Device
from sanglier.layers.base import Goal
from sanglier.spec.cluster import Volume

# $1 device, $2 resource, $3 minor.  Devices are compared by their numbers, not by their names.
# "mirror": bytes of the running /dev/drbdN, where it is up to date; "held": it has this device
# open; "filed": the resource file of this host names it; "last": size, name and device-uuid that
# drbdmeta noted; "super": what lies where a device of that size would end in its metadata.
SIZE = (
    looks.NEWLINE
    + looks.NUMBER_OF
    + looks.SHOWN_OF
    + """
dev=$1 minor=$3 on= last=
[ -b "$dev" ] || return 0
number() { set -- $(stat -Lc '0x%t 0x%T' -- "$1" 2>/dev/null) && echo "$(($1)):$(($2))"; }
number_of "$dev"; mine=$number
[ -n "$mine" ] || return 0
shown_of "$2"
case $shown in *"minor "*)
    running=${shown#*minor }; running=${running%%;*}
    if read -r sectors < "/sys/block/drbd$running/size"; then
        set -f; IFS=$nl
        for line in $drbd_state; do
            case ${line# } in "$running: "*" ds:UpToDate/"*) echo "mirror $((sectors * 512))" ;;
            esac
        done
        unset IFS; set +f
    fi
    for slave in /sys/block/drbd"$running"/slaves/*/dev; do
        if read -r number < "$slave" && [ "$number" = "$mine" ]; then echo held; return 0; fi
    done;;
esac 2>/dev/null
read -r me < /proc/sys/kernel/hostname
if [ -r "/etc/drbd.d/$2.res" ]; then
    while read -r word value _; do
        case $word in
            on) on=$value ;;
            disk)
                [ "$on" = "$me" ] || continue
                value=${value%;}
                [ "$value" = "$dev" ] || [ "$(number "$value")" = "$mine" ] || continue
                echo filed ;;
        esac
    done < "/etc/drbd.d/$2.res"
fi
if { read -r last name && read -r _ uuid; } 2>/dev/null < "/var/lib/drbd/drbd-minor-$minor.lkbd"
then
    echo "last $last $uuid $name"
    case $last in '' | *[!0-9]* | ????????????????*) return 0 ;; esac
    [ "$last" -ge 4096 ] || return 0
    set -- $(od -A n -v -t x1 -w64 -j $((last - 4096)) -N 64 -- "$dev" 2>/dev/null)
    echo "super $*"
fi
"""
)
# $1 device, $2 its former size: what lies there must not be taken for metadata later.
FORGET = """
dd if=/dev/zero of="$1" bs=4096 seek="$(($2 / 4096 - 1))" count=1 conv=fsync,notrunc 2>/dev/null
blockdev --flushbufs "$1"
"""
LAST = re.compile(r"^last (?P<size>\d{1,15}) (?P<uuid>[0-9A-F]{16}) (?P<name>.+)$", re.MULTILINE)
SUPER = re.compile(r"^super (?P<hex>[0-9a-f]{2}(?: [0-9a-f]{2}){63})$", re.MULTILINE)
MAGICS = {"8374026b", "8374026c"}
"""Metadata of 8.4, cleanly detached or not; struct md_on_disk_08 of drbdmeta.c, byte 60."""
UUID, MAGIC = slice(80, 96), slice(120, 128)
"""Digits of the device-uuid and of the magic in it."""


def probe(goal: Goal, volume: Volume, host: str) -> Probe:
    """Ask for the sizes of one device."""
    args = (volume.devices[host], volume.name, str(volume.minor))
    return Probe(
        name=f"{volume.name}-size",
        script=Script(text=SIZE, args=args),
        needs=(looks.device_numbers(goal, host), looks.DRBD),
    )


def _displaced(last: re.Match[str], found: str, size: int) -> bool:
    """Whether metadata that drbdmeta noted lies where the device ended before it grew."""
    ours = found[UUID].upper() == last["uuid"] and found[MAGIC] in MAGICS
    return ours and int(last["size"]) < size


def with_sizes(device: Device, path: str, output: Output | None) -> Device:
    """Add what was told about sizes; a device that the mirror has open is ours by any name."""
    if output is None:
        return device
    mirrors = (line.split() for line in output.lines if line.startswith("mirror "))
    mirror = next((int(w[1]) for w in mirrors if len(w) == 2 and w[1].isdecimal()), 0)
    if "held" in output.lines:
        return replace(device, mirror=mirror, ours=True, users=(), signatures=(), nonzero=False)
    last, found = LAST.search(output.text), SUPER.search(output.text)
    filed = "filed" in output.lines
    was = int(last["size"]) if last and (filed or last["name"] == path) else 0
    return replace(
        device,
        mirror=mirror,
        ours=device.ours or filed,
        was=was,
        displaced=bool(
            last and found and _displaced(last, found["hex"].replace(" ", ""), device.size)
        ),
    )


def usable(size: int) -> int:
    """Bytes that DRBD 8.4 leaves of a device with internal metadata, drbd_int.h.

    Superblock and activity log take 72 sectors, the bitmap 8 per 2^18 of the device.
    """
    sectors = size // 512 & ~7
    return max(0, sectors - (-(-sectors // 2**18) * 8 + 72)) * 512


def _problem(
    host: str, volume: Volume, code: str, severity: Severity, what: str, why: str, fix: str
) -> Problem:
    subject = short_device(volume.devices[host])
    return Problem(
        code=code,
        severity=severity,
        address=Address(host=host, layer="backing", subject=subject),
        what=what,
        why=why,
        fix=fix,
    )


def _grown(host: str, volume: Volume, device: Device) -> Problem:
    path = volume.devices[host]
    return _problem(
        host, volume, "SG-DISK-011", Severity.WARNING,
        f"{path} has grown from {device.was} to {device.size} bytes while it was detached; its "
        "metadata lies where it ended",
        "the data is whole: DRBD moves its metadata to the new end when it next starts",
        "nothing: do not wipe it. Where the server is in maintenance, "
        f"`sanglier maintain FILE {host} --done`",
    )  # fmt: skip


def _too_small(host: str, volume: Volume, device: Device, mirror: int) -> Problem:
    path = volume.devices[host]
    was = f"; it had {device.was} when DRBD last used it" if device.was > device.size else ""
    return _problem(
        host, volume, "SG-DISK-012", Severity.BLOCKER,
        f"{path} has {device.size} bytes, of which {usable(device.size)} could be mirrored{was}; "
        f"volume {volume.name} has {mirror}",
        "what lies beyond its end would have no place on it; DRBD refuses to connect such a side",
        "give it its size back (nothing was written to it), or name a device that is large enough",
    )  # fmt: skip


def _shrunk(host: str, volume: Volume, device: Device) -> Problem:
    path = volume.devices[host]
    return _problem(
        host, volume, "SG-DISK-012", Severity.BLOCKER,
        f"{path} has shrunk from {device.was} to {device.size} bytes",
        "DRBD's metadata, which lies at its end, is cut off, and with it the end of the data",
        "give it its size back: the metadata is then found again (nothing was written to it); to "
        f"fill it anew from the other side: --allow {wipe_consent(host, path)}",
    )  # fmt: skip


def _without_metadata(host: str, volume: Volume, device: Device) -> Problem:
    path = volume.devices[host]
    held = ", ".join(device.signatures) or "data (no known signature, but not zeroes)"
    sizes = f"; it had {device.was} bytes and has {device.size}" if _resized(device) else ""
    return _problem(
        host, volume, "SG-DISK-013", Severity.BLOCKER,
        f"{path} holds {held}, which is volume {volume.name}'s own, but no DRBD metadata at its "
        f"end{sizes}",
        "it may be a whole copy whose metadata lies elsewhere: the device grew, or was cut",
        "give the device its former size, or restore its metadata (drbdmeta restore-md); only if "
        f"this copy is to be destroyed: --allow {wipe_consent(host, path)}",
    )  # fmt: skip


def _resized(device: Device) -> bool:
    return device.was not in {0, device.size}


def _own(volume: Volume, device: Device) -> bool:
    """Whether the volume itself wrote what is on a device: by its label, or for want of any."""
    unknown = device.ours and not device.signatures
    return unknown or f"ocfs2 {volume.label}" in device.signatures


def _shrunken(volume: Volume, device: Device) -> bool:
    """Whether the end of our device is gone.

    Metadata may be found all the same: drbdmeta(8) leaves the old superblock where the device once
    ended, from before it grew.
    """
    known = device.ours and device.was > device.size
    return known and (device.has_drbd or _own(volume, device))


def _mirror(facts: Facts, volume: Volume) -> int:
    """Bytes of the volume as it runs, 0 where it does not."""
    found = (facts.of(h, BackingFacts) for h in volume.devices if facts.has(h, BackingFacts))
    return max((now.devices[volume.name].mirror for now in found), default=0)


def judge(goal: Goal, facts: Facts, volume: Volume, host: str) -> Problem | None:
    """Name a device whose size changed, and keep what is ours on it; None where all is well."""
    device = facts.of(host, BackingFacts).devices[volume.name]
    mirror = _mirror(facts, volume)
    if mirror and usable(device.size) < mirror:
        return _too_small(host, volume, device, mirror)
    if wipe_consent(host, volume.devices[host]) in goal.consents:
        return None
    if device.displaced:
        return _grown(host, volume, device)
    if device.blank or device.pending:
        return None
    if _shrunken(volume, device):
        return _shrunk(host, volume, device)
    if device.has_drbd or not _own(volume, device):
        return None
    return _without_metadata(host, volume, device)


def forget(path: str, device: Device) -> tuple[Script, ...]:
    """Destroy metadata in the middle of a device first: a wipe reaches only its ends."""
    if not 4096 <= device.was < device.size:
        return ()
    return (Script(text=FORGET, args=(path, str(device.was))),)
