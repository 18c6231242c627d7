"""What fails inside a host that lives: its disk, or its filesystem's room."""

from __future__ import annotations

from sanglier.drill.faults.base import Deed, Evidence, Fault, Took, shown
from sanglier.drill.scene import Role, Scene
from sanglier.spec.cluster import Host

# $1 the backing device, which must be a device-mapper device.  dmsetup(8).
DM = """
name=$(dmsetup info -c --noheadings -o name "$1") || {
    echo "$1 is no device-mapper device"
    return 1
}
"""
# Each segment keeps its place: a table may have several.  What it was is kept, once.
KEEP = (
    DM
    + """
keep=/run/sanglier/drill-$name
mkdir -p /run/sanglier
[ -e "$keep" ] || dmsetup table "$name" > "$keep"
"""
)
SWAP = """
dmsetup suspend --noflush --nolockfs "$name"
echo "$table" | dmsetup load "$name"
dmsetup resume "$name"
"""
BREAK = KEEP + """table=$(sed -E 's/^([0-9]+ [0-9]+) .*/\\1 error/' "$keep")""" + SWAP
# dm-delay(8): device, offset and delay in ms, of reads and then of writes; flushes are as writes.
DELAY = (
    KEEP
    + """
grep -qvE '^[0-9]+ [0-9]+ linear [0-9:]+ [0-9]+$' "$keep" && {
    rm -f "$keep"; echo "$1 is not made of linear segments"; return 1
}
modprobe dm-delay
table=$(sed -E 's/^([0-9]+ [0-9]+) linear (.*)/\\1 delay \\2 0 \\2 3600000/' "$keep")
"""
    + SWAP
)
MEND = (
    DM
    + """
[ -e "/run/sanglier/drill-$name" ] || return 0
dmsetup suspend --noflush --nolockfs "$name"
dmsetup load "$name" < "/run/sanglier/drill-$name"
dmsetup resume "$name"
rm -f "/run/sanglier/drill-$name"
"""
)
# $1 resource.  DRBD detached; now the device is good again.
ATTACH = """
grep -q "ds:Diskless/" /proc/drbd || return 0
drbdadm attach "$1"
"""
DELAYED = DM + """dmsetup table "$name" | grep -q " delay " """
BROKEN = DM + """dmsetup table "$name" | grep -q error"""
HANG = DM + """dmsetup suspend --noflush --nolockfs "$name" """
GO_ON = DM + """dmsetup resume "$name" """
HANGS = DM + """dmsetup info "$name" | grep -q SUSPENDED"""
# $1 mount point.  posix_fallocate through fallocate(1) of util-linux is instant on OCFS2.
FILL = """
free=$(df --output=avail -B1M "$1" | tail -n 1)
fallocate -l "$((free - 1))M" "$1/.sanglier-drill-full" || :
dd if=/dev/zero of="$1/.sanglier-drill-rest" bs=64k 2>/dev/null || :
"""
FULL = '[ "$(df --output=avail -B1k "$1" | tail -n 1)" -lt 2048 ]'
EMPTY = 'rm -f "$1/.sanglier-drill-full" "$1/.sanglier-drill-rest"; sync'


def _device(scene: Scene, host: Host) -> str:
    return scene.volume.devices[host.name]


def _on_disk(text: str) -> Deed:
    async def deed(scene: Scene, host: Host) -> None:
        await scene.run(host, text, _device(scene, host))

    return deed


def _seen_on_disk(text: str) -> Evidence:
    async def seen(scene: Scene, host: Host) -> Took:
        return await shown(scene, host, text, _device(scene, host))

    return seen


async def _mend(scene: Scene, host: Host) -> None:
    await scene.run(host, MEND, _device(scene, host))
    await scene.run(host, ATTACH, scene.volume.name)


async def _resume(scene: Scene, host: Host) -> None:
    """Resume the disk; a host that was switched off meanwhile has lost the hang with its power."""
    await scene.run(host, GO_ON, _device(scene, host), limit=120)


async def _fill(scene: Scene, host: Host) -> None:
    await scene.run(host, FILL, scene.volume.mount, limit=120)


async def _is_full(scene: Scene, host: Host) -> Took:
    return await shown(scene, host, FULL, scene.volume.mount)


async def _make_room(scene: Scene, host: Host) -> None:
    await scene.run(host, EMPTY, scene.volume.mount, limit=120)


FAULTS = (
    Fault(
        name="disk-errors", role=Role.OPEN, hold_s=15,
        explains="the disk under the open side answers every request with an error",
        inject=_on_disk(BREAK), heal=_mend, took=_seen_on_disk(BROKEN),
        prediction="disk-fails", fences=frozenset({Role.OPEN}),
    ),
    Fault(
        name="standby-disk-errors", role=Role.STANDBY, hold_s=15,
        explains="the disk under the standby side answers every request with an error",
        inject=_on_disk(BREAK), heal=_mend, took=_seen_on_disk(BROKEN),
        prediction="disk-fails", fences=frozenset({Role.STANDBY}),
    ),
    Fault(
        name="disk-hangs", role=Role.OPEN, hold_s=60,
        explains="the disk under the open side does not answer any more, and gives no error",
        inject=_on_disk(HANG), heal=_resume, took=_seen_on_disk(HANGS),
        prediction="disk-hangs", fences=frozenset({Role.OPEN}), plain=False,
    ),
    Fault(
        name="writes-hang", role=Role.OPEN, hold_s=60,
        explains="the disk under the open side answers reads, and no write nor flush any more",
        inject=_on_disk(DELAY), heal=_mend, took=_seen_on_disk(DELAYED),
        prediction="disk-hangs", fences=frozenset({Role.OPEN}), plain=False,
    ),
    Fault(
        name="standby-writes-hang", role=Role.STANDBY, hold_s=60,
        explains="the disk under the standby side answers reads, and no write nor flush any more: "
        "the open side must not wait for it for ever",
        inject=_on_disk(DELAY), heal=_mend, took=_seen_on_disk(DELAYED),
        prediction="", fences=frozenset({Role.STANDBY}), plain=False,
    ),
    Fault(
        name="disk-full", role=Role.APPLICATION, hold_s=8,
        explains="the shared filesystem is filled to the last block",
        inject=_fill, heal=_make_room, took=_is_full, prediction="",
    ),
)  # fmt: skip
