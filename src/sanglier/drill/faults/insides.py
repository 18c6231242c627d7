"""What fails inside a host that lives: its disk, its daemons, its filesystem's room."""

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
BREAK = (
    DM
    + """
table=$(dmsetup table "$name")
case $table in *linear*) mkdir -p /run/sanglier; echo "$table" > "/run/sanglier/drill-$name" ;; esac
set -- $table
dmsetup suspend --noflush --nolockfs "$name"
dmsetup load "$name" --table "0 $2 error"
dmsetup resume "$name"
"""
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
BROKEN = DM + """dmsetup table "$name" | grep -q error"""
HANG = DM + """dmsetup suspend --noflush --nolockfs "$name" """
GO_ON = DM + """dmsetup resume "$name" """
HANGS = DM + """dmsetup info "$name" | grep -q SUSPENDED"""
# $1 daemon.  The shell's kill: no process of that name may be left.
KILL = """
pids=$(pidof "$1") || { echo "$1 does not run"; return 1; }
echo "$pids" > "/run/sanglier-drill-$1"
kill -9 $pids
"""
OTHER = """
old=$(cat "/run/sanglier-drill-$1") && [ -n "$old" ] || return 2
rm -f "/run/sanglier-drill-$1"
for pid in $old; do if [ -e "/proc/$pid/exe" ]; then echo "$pid lives"; return 1; fi; done
"""
# $1 unit.  systemd brings some of them back by itself.
AGAIN = 'systemctl is-active -q "$1" || systemctl start "$1"'
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


def _kill(daemon: str) -> Deed:
    async def deed(scene: Scene, host: Host) -> None:
        await scene.run(host, KILL, daemon)

    return deed


def _killed(daemon: str) -> Evidence:
    async def seen(scene: Scene, host: Host) -> Took:
        return await shown(scene, host, OTHER, daemon)

    return seen


def _revive(unit: str) -> Deed:
    async def deed(scene: Scene, host: Host) -> None:
        await scene.run(host, AGAIN, unit, limit=60)

    return deed


def _daemon(role: Role, daemon: str, unit: str, explains: str, *, fenced: bool = False) -> Fault:
    return Fault(
        name=f"{daemon}-killed", role=role, hold_s=6, explains=explains,
        inject=_kill(daemon), took=_killed(daemon),
        heal=_revive(unit),
        prediction="daemon-killed", fences=frozenset({role}) if fenced else frozenset(),
    )  # fmt: skip


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
    _daemon(
        Role.APPLICATION, "iscsid", "iscsid.service",
        "the iSCSI daemon of an application server is killed",
    ),
    _daemon(
        Role.APPLICATION, "multipathd", "multipathd.service",
        "the multipath daemon of an application server is killed",
    ),
    _daemon(
        Role.OPEN, "corosync", "corosync.service",
        "Corosync is killed on the open server: the other one must not open before it is dead",
        fenced=True,
    ),
    _daemon(
        Role.OPEN, "pacemakerd", "pacemaker.service",
        "Pacemaker's master process is killed on the open server; systemd starts it again",
        fenced=True,
    ),
    Fault(
        name="disk-full", role=Role.APPLICATION, hold_s=8,
        explains="the shared filesystem is filled to the last block",
        inject=_fill, heal=_make_room, took=_is_full, prediction="",
    ),
)  # fmt: skip
