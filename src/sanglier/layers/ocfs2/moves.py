"""Each single move of the shared filesystem, with its commands and its predicted effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sanglier.core.action import Action, Run, Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.backing.desired import BLANK, IN_USE, wipe_consent
from sanglier.layers.base import Goal
from sanglier.layers.files import WantedFile, as_read, remove_step, write_step
from sanglier.layers.ocfs2.desired import (
    AGAIN,
    BARRIER,
    MOUNT_S,
    PANIC,
    heard_limit,
    heard_unit,
    kernel_options,
    mkfs_arguments,
    mkfs_marker,
    mount_options,
    node_values,
    runtime_values,
    unit_name,
)
from sanglier.layers.ocfs2.facts import O2CB, Filesystem, Mount, Ocfs2Facts
from sanglier.layers.services import AT_BOOT, RUNNING, STOPPED
from sanglier.spec.cluster import Volume

Alter = Callable[[Ocfs2Facts], Ocfs2Facts]

# $1 cluster, $2 systemd's verb.
START = (
    AT_BOOT
    + """
at_boot o2cb.service
systemctl "$2" o2cb.service
[ -d "/sys/kernel/config/cluster/$1/heartbeat" ] || {
    systemctl status --no-pager -n 20 o2cb.service; echo "o2cb did not bring $1 online"; return 1
}
"""
)
# $1 device, $2 marker, $3 how (blank: must be; cut: our own unfinished one; over: consented);
# the rest are mkfs's arguments.  A making that was cut may only be begun again over a
# filesystem that holds nothing but what mkfs puts there.
MAKE = (
    BLANK
    + IN_USE
    + """
device=$1 marker=$2 how=$3; shift 3
in_use "$device" true
untouched() {
    debugfs.ocfs2 -R 'ls /' "$device" 2>/dev/null | while read -r inode _ _ _ name; do
        case $inode:$name in :|*:.|*:..|*:lost+found) ;; *) return 1;; esac
    done
}
case $how in
    blank) blank "$device" || {
        echo "$device is not blank any more; nothing was written"; return 1
    };;
    cut) untouched || { echo "$device holds files; it is not made again"; return 1; };;
esac
mkdir -p "${marker%/*}"
: > "$marker"
sync "$marker" "${marker%/*}"
yes | mkfs.ocfs2 --force "$@"
blockdev --flushbufs "$device"
rm -f "$marker"
"""
)
# remount POINT OPTION,OPTION…: the options in force are kept (mtab) and a line of fstab is not
# asked; "atime" comes first, for noatime would stay beside a relatime.  mount.ocfs2(8) may say yes
# to what the kernel does not do, so /proc/mounts has the last word.
REMOUNT = """
in_force() {
    found=
    while read -r _ where kind options _; do
        if [ "$where $kind" = "$1 ocfs2" ]; then found=,$options,; fi
    done < /proc/mounts
    for option in $(IFS=,; echo $2); do
        case $found in *,"$option",*) ;; *) return 1;; esac
    done
}
remount() {
    mount --options-source mtab -o "remount,atime,$2" "$1"
    in_force "$1" "$2" || { echo "not all of $2 is in force on $1:$found"; return 1; }
}
"""
# $1 mount unit, $2 mount point, $3 options, $4 the unit that it waits for.  A mount of the same
# filesystem elsewhere, made by hand, gives its options to this one too: they share what the kernel
# knows of it.
MOUNT = (
    REMOUNT
    + AT_BOOT
    + """
systemctl reset-failed "$1" 2>/dev/null || :
at_boot "$1"
systemctl start "$1" || {
    systemctl status --no-pager -n 20 "$1" "$4"; dmesg | tail -n 15; return 1
}
grep -q " $2 ocfs2 " /proc/mounts
in_force "$2" "$3" || remount "$2" "$3"
"""
)
# $1 mount unit, $2 mount point, $3 the unit that would mount it again.
UNMOUNT = """
systemctl stop "$3" 2>/dev/null || :
systemctl stop "$1" || :
if grep -q " $2 ocfs2 " /proc/mounts; then umount "$2" || {
    echo "$2 is busy; its users:"; fuser -vm "$2" 2>&1 || :; return 1; }
fi
systemctl disable -q --no-reload "$1" 2>/dev/null || :
"""


# NAME VALUE …, of /proc/sys/kernel.
SET_KERNEL = """
while [ $# -gt 1 ]; do echo "$2" > "/proc/sys/kernel/$1"; shift 2; done
"""


def change(host: str, alter: Alter) -> Effect:
    """Make an effect on one host."""

    def effect(facts: Facts) -> Facts:
        return facts.with_(host, alter(facts.of(host, Ocfs2Facts)))

    return effect


def step(
    host: str, subject: str, phase: int, mark: Mark, summary: str, reason: str,
    actions: tuple[Action, ...], effect: Effect, risk: Risk = Risk.SAFE,
    consent: str | None = None, limit: int = 240,
) -> Step:  # fmt: skip
    """Make a step of this layer."""
    return Step(
        address=Address(host=host, layer="ocfs2", subject=subject),
        phase=phase,
        mark=mark,
        summary=summary,
        reason=reason,
        actions=actions,
        effect=effect,
        risk=risk,
        consent=consent,
        limit=limit,
    )


def write(host: str, wanted: WantedFile, now: Ocfs2Facts) -> Step:
    """Write one of the files."""
    subject = wanted.path.rsplit("/", 1)[-1]
    effect = change(host, lambda f: replace(f, files={**f.files, wanted.path: as_read(wanted)}))
    address = Address(host=host, layer="ocfs2", subject=subject)
    return write_step(address, wanted, now.files, effect, phase=0)


def remove_former(host: str, path: str) -> Step:
    """Remove what an earlier version wrote."""
    name = path.rsplit("/", 1)[-1]
    return remove_step(
        Address(host=host, layer="ocfs2", subject=f"former-{name}"),
        path,
        change(
            host,
            lambda f: replace(f, files={p: state for p, state in f.files.items() if p != path}),
        ),
        phase=0,
        reason="an earlier version of sanglier wrote it, and nothing of ours reads it any more",
    )


def set_panic(host: str, wrong: Mapping[str, str]) -> Step:
    """Have an oops and a panic end in a restart, from now on."""
    words = tuple(word for name in wrong for word in (name, PANIC[name]))
    return step(
        host, "panic", 1, Mark.CHANGE, "have the kernel restart after an oops or a panic",
        "; ".join(f"kernel.{name} is {now}, not {PANIC[name]}" for name, now in wrong.items()),
        (Script(text=SET_KERNEL, args=words),),
        change(host, lambda f: replace(f, panic={**f.panic, **PANIC})),
    )  # fmt: skip


def _online(goal: Goal) -> Alter:
    values = {**runtime_values(goal.cluster.timings), **node_values(goal.cluster)}
    return lambda f: replace(f, cluster_values=values, units={**f.units, O2CB: RUNNING})


def _start_action(goal: Goal, verb: str) -> Script:
    """Restart an offline cluster: its unit may be "active" and somebody took it off by hand."""
    return Script(text=START, args=(goal.cluster.name, verb))


def start_o2cb(goal: Goal, host: str, now: Ocfs2Facts) -> Step:
    """Bring o2cb online, also at boot."""
    return step(
        host, "o2cb", 1, Mark.START, f"bring o2cb cluster {goal.cluster.name} online, also at boot",
        "it is offline or does not start at boot",
        (_start_action(goal, "start" if now.cluster_values else "restart"),),
        change(host, _online(goal)),
    )  # fmt: skip


def restart_o2cb(goal: Goal, host: str, wrong: Mapping[str, str]) -> Step:
    """Take o2cb offline and online again, so that it takes its values."""
    told = ", ".join(f"{key} is {value}" for key, value in sorted(wrong.items()))
    return step(
        host, "o2cb", 1, Mark.CHANGE, f"restart o2cb cluster {goal.cluster.name}", told,
        (_start_action(goal, "restart"),), change(host, _online(goal)),
        Risk.DISRUPTIVE,
    )  # fmt: skip


def _made(goal: Goal, volume: Volume) -> Effect:
    made = Filesystem(device=True, readable=True, kind="ocfs2", label=volume.label)

    def effect(facts: Facts) -> Facts:
        for server in goal.cluster.applications:
            if facts.has(server.name, Ocfs2Facts):
                now = facts.of(server.name, Ocfs2Facts)
                both = {**now.filesystems, volume.name: made}
                facts = facts.with_(server.name, replace(now, filesystems=both))
        return facts

    return effect


def _make_action(goal: Goal, volume: Volume, how: str) -> Script:
    arguments = mkfs_arguments(goal.cluster, volume)
    return Script(text=MAKE, args=(volume.map_device, mkfs_marker(volume), how, *arguments))


def make(
    goal: Goal, host: str, volume: Volume, reason: str, *, how: str, consent: str | None = None
) -> Step:
    """Make the filesystem on a blank volume; ``how`` as in MAKE."""
    return step(
        host, volume.name, 2, Mark.CREATE,
        f"make OCFS2 {volume.label} with {volume.slots} node slots for {volume.workload}",
        reason, (_make_action(goal, volume, how),), _made(goal, volume),
        Risk.DESTRUCTIVE if consent else Risk.SAFE, consent, limit=600,
    )  # fmt: skip


def make_over(goal: Goal, host: str, volume: Volume) -> Step:
    """Make the filesystem over data of no known kind; needs its consent."""
    return step(
        host, volume.name, 2, Mark.CREATE,
        f"make OCFS2 {volume.label} with {volume.slots} node slots for {volume.workload}",
        "the volume holds data of no known kind, which is LOST",
        (_make_action(goal, volume, "over"),), _made(goal, volume), Risk.DESTRUCTIVE,
        wipe_consent(host, volume.map_device), limit=600,
    )  # fmt: skip


def mount(goal: Goal, host: str, volume: Volume) -> Step:
    """Mount the filesystem through systemd, also at boot."""
    unit, heard = unit_name(volume.mount), heard_unit(volume.mount)
    now = Mount(source=volume.map_device, kind="ocfs2", options=frozenset(mount_options(volume)))
    options = ",".join(kernel_options(volume))
    return step(
        host, volume.name, 3, Mark.START, f"mount {volume.label} on {volume.mount}, also at boot",
        "it is not mounted", (Script(text=MOUNT, args=(unit, volume.mount, options, heard)),),
        change(
            host,
            lambda f: replace(
                f, mounts={**f.mounts, volume.mount: now}, units={**f.units, unit: RUNNING}
            ),
        ),
        limit=heard_limit(goal.cluster.timings) + MOUNT_S,
    )  # fmt: skip


def remount(host: str, volume: Volume, missing: tuple[str, ...]) -> Step:
    """Have a mounted filesystem take its options, with its users on it."""
    options = kernel_options(volume)

    def alter(facts: Ocfs2Facts) -> Ocfs2Facts:
        mount = facts.mounts[volume.mount]
        now = replace(mount, options=mount.options.union(options))
        return replace(facts, mounts={**facts.mounts, volume.mount: now})

    reason = f"it is mounted without {', '.join(missing)}"
    if BARRIER in missing:
        reason += ", so that no fsync is flushed to a disk"
    text = REMOUNT + 'remount "$1" "$2"\n'
    return step(
        host, volume.name, 3, Mark.CHANGE, f"remount {volume.mount} with {','.join(options)}",
        reason, (Script(text=text, args=(volume.mount, ",".join(options))),),
        change(host, alter),
    )  # fmt: skip


def enable_mount(host: str, volume: Volume) -> Step:
    """Have an existing mount come back at boot."""
    unit = unit_name(volume.mount)
    return step(
        host, volume.name, 3, Mark.CHANGE, f"mount {volume.mount} at boot", "only mounted by hand",
        (Run(argv=("systemctl", "enable", "-q", "--no-reload", unit)),),
        change(host, lambda f: replace(f, units={**f.units, unit: RUNNING})),
    )  # fmt: skip


def unmount(host: str, volume: Volume) -> Step:
    """Unmount, and not at boot either."""
    unit = unit_name(volume.mount)
    again = f"{AGAIN}@{unit.removesuffix('.mount')}.service"

    def alter(facts: Ocfs2Facts) -> Ocfs2Facts:
        mounts = {where: m for where, m in facts.mounts.items() if where != volume.mount}
        return replace(facts, mounts=mounts, units={**facts.units, unit: STOPPED})

    return step(
        host, volume.name, 0, Mark.STOP, f"unmount {volume.mount}",
        "the cluster is being taken down",
        (Script(text=UNMOUNT, args=(unit, volume.mount, again)),), change(host, alter),
        Risk.DISRUPTIVE,
    )  # fmt: skip


def stop_o2cb(host: str) -> Step:
    """Take o2cb offline, also at boot."""
    return step(
        host, "o2cb", 1, Mark.STOP, "take o2cb offline", "no filesystem is left mounted",
        (Run(argv=("systemctl", "stop", O2CB)), Run(argv=("systemctl", "disable", "-q", O2CB))),
        change(host, lambda f: replace(f, cluster_values={}, units={**f.units, O2CB: STOPPED})),
    )  # fmt: skip
