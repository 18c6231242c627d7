"""What the machine must offer before a lab can start; every lack is named at once."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from sanglier.lab.command import free_bytes, missing
from sanglier.lab.errors import refuse

REQUIRED_COMMANDS = {
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "ip": "iproute2",
    "nc.openbsd": "netcat-openbsd",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "dpkg-deb": "dpkg",
}
"""Command -> Debian package that has it."""

REQUIRED_PACKAGES = tuple(sorted(set(REQUIRED_COMMANDS.values()) | {"debian-archive-keyring"}))
"""Debian packages of the machine: what ``./demo`` and ``./test`` install."""

EXTRA_MODULE = "pyghmi"
"""What the extra ``sanglier[lab]`` brings; only the power switches' daemon imports it."""

SHARED_MEMORY = Path("/dev/shm")
TUN = Path("/dev/net/tun")


def check() -> None:
    """Refuse to go on without root, without a command, or without taps."""
    if os.geteuid() != 0:
        raise refuse(
            7, "lab", "needs root",
            why="it makes a network namespace, bridges and taps",
            fix="run it with sudo; nothing outside the namespace is touched",
        )  # fmt: skip
    absent = missing(REQUIRED_COMMANDS)
    if absent:
        raise refuse(
            8, "lab", f"misses packages of this machine: {', '.join(absent)}",
            fix=f"apt-get install {' '.join(absent)}",
        )  # fmt: skip
    if not TUN.exists():
        raise refuse(
            9, "lab", f"needs {TUN}",
            why="the hosts' network cards are taps",
            fix="modprobe tun; in a container, pass the device in",
        )  # fmt: skip


def check_extra() -> None:
    """Refuse to boot a lab whose power switches could not answer."""
    if find_spec(EXTRA_MODULE) is None:
        raise refuse(
            17, "lab", f"needs the extra sanglier[lab]: Python finds no {EXTRA_MODULE}",
            why="the lab's power switches speak IPMI by it; nothing else needs it",
            fix="install Sanglier as sanglier[lab], or add it to what there is: "
            "`pipx inject sanglier 'pyghmi>=1.6,<2'`",
        )  # fmt: skip


def available_bytes(meminfo: str) -> int:
    """Read MemAvailable out of /proc/meminfo, proc(5)."""
    for line in meminfo.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def memory_dir(needed: int, fallback: Path) -> Path:
    """Choose where guests' memory lives: /dev/shm if ``needed`` bytes fit, else a disk.

    SG-LAB-010 if the machine does not have that much memory at all.  Guests
    resident sets are about a third of what they may use: half must be there.
    """
    available = available_bytes(Path("/proc/meminfo").read_text())
    if available < needed // 2:
        raise refuse(
            10, "lab", f"needs about {needed >> 21} MiB of memory, {available >> 20} are available",
            fix="end something large, or ask for fewer --applications",
        )  # fmt: skip
    return SHARED_MEMORY if _shared_memory_fits(needed) else fallback


def _shared_memory_fits(needed: int) -> bool:
    """Guests execute what lies there, so a mount with noexec (some containers) is no use."""
    if not SHARED_MEMORY.is_dir() or os.statvfs(SHARED_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(SHARED_MEMORY).free >= needed


def check_space(directory: Path, needed: int) -> None:
    """Refuse to fill a disk: SG-LAB-012 with less than ``needed`` bytes free."""
    free = free_bytes(directory)
    if free < needed:
        raise refuse(
            12, str(directory), f"has {free >> 20} MiB free, {needed >> 20} are needed",
            fix="free some space, or point SANGLIER_CACHE at a larger disk",
        )  # fmt: skip
