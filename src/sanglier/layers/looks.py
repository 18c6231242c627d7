"""What several layers read of a host, asked once per gathering: each look is one process.

Shell text that takes an answer apart without a process stands beside it.  /proc/drbd is tested
first because drbdsetup(8) would load the module.
"""

from __future__ import annotations

from sanglier.core.action import Script
from sanglier.core.probe import Look
from sanglier.layers.base import Goal

NEWLINE = """
nl='
'
"""
"""For the scripts below, and for going through an answer line by line: ``set -f; IFS=$nl``."""


def _look(sets: str, text: str, *args: str) -> Look:
    return Look(sets=tuple(sets.split()), script=Script(text=text, args=args))


ADDRESSES = _look("addresses", "addresses=$(ip -o addr show)")
MOUNTS = _look("proc_mounts", "proc_mounts=$(cat /proc/mounts)")
"""read(1) of the shell asks the kernel for every single byte: a process is cheaper."""
DRBD = _look(
    "drbd_state drbd_shown",
    """
drbd_state= drbd_shown=
[ -e /proc/drbd ] || return 0
drbd_state=$(cat /sys/module/drbd/version /proc/drbd 2>/dev/null)
drbd_shown=$(drbdsetup show --show-defaults 2>/dev/null)
""",
)
"""The mirror's state, and right after it all resources as the kernel runs them.  There are secrets
in what is shown: it is printed in parts only."""
DRBD_FILES = _look("drbd_files", "drbd_files=$(tail -v -n +1 /etc/drbd.d/*.res 2>/dev/null)")
"""All resource files, each behind tail's header, with their secrets."""
# Guarded or not: only where Corosync runs.  timeout(1) bounds one that hangs.
COROSYNC = _look(
    "corosync_values",
    """
corosync_values=
command -v corosync-cmapctl || return 0
[ -e /run/corosync.pid ] || [ -S /run/corosync/cpg ] || pidof corosync || return 0
corosync_values=$(timeout 10 corosync-cmapctl nodelist. totem.cluster_name \\
    runtime.config.totem. quorum.device. 2>/dev/null)
""",
)
COROSYNC_CONF = _look(
    "corosync_conf",
    "corosync_conf=$(tail -v -n +1 -- /etc/corosync/corosync.conf 2>/dev/null)",
)
PACEMAKER = _look(
    "pacemaker",
    """
pacemaker=
read -r pacemaker < /sys/fs/cgroup/system.slice/pacemaker.service/cgroup.procs && return 0
pacemaker=$(pidof pacemakerd)
""",
)
"""A process of its unit, or its own that somebody started by hand; empty when it does not run."""

# $1 resource -> $shown: its part of $drbd_shown, empty when the kernel does not have it.
SHOWN_OF = """
shown_of() {
    shown= begin="${nl}resource $1 {$nl" end="$nl}"
    case $nl$drbd_shown$nl in *"$begin"*)
        shown=$nl$drbd_shown$nl
        shown=${shown#*"$begin"}
        shown="resource $1 {$nl${shown%%"$end"*}$end";;
    esac
}
"""
# $1 device -> $number: MAJOR:MINOR, from $device_numbers; empty for an unknown one.
NUMBER_OF = """
number_of() {
    number=
    case $nl$device_numbers in *"$nl$1 0x"*)
        number=$nl$device_numbers$nl
        number=${number#*"$nl$1 "}
        number=${number%%"$nl"*}
        number="$((${number% *})):$((${number#* }))";;
    esac
}
"""


def device_numbers(goal: Goal, host: str) -> Look:
    """Ask where the devices of all volumes on ``host`` lead to, stat(1): links are followed."""
    devices = (v.devices[host] for v in goal.cluster.volumes if host in v.devices)
    text = "device_numbers=$(stat -Lc '%n 0x%t 0x%T' -- \"$@\" 2>/dev/null)"
    return _look("device_numbers", text, *devices)
