"""What the machine must offer before a lab can start; every lack is named at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
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

TUN = Path("/dev/net/tun")


def check(verb: str, commands: Mapping[str, str] | None = None) -> None:
    """Refuse to go on with ``verb`` without root, without a command, or without taps.

    ``commands`` are those of the back end, each with the package that has it.
    """
    if os.geteuid() != 0:
        raise refuse(
            7, "lab", "needs root",
            why="it makes a network namespace, bridges and taps",
            fix="run it with sudo; nothing outside the namespace is touched",
        )  # fmt: skip
    absent = missing(REQUIRED_COMMANDS | dict(commands or {}))
    if absent:
        raise refuse(
            8, "lab", f"`{verb}` cannot run here: this machine has no {', '.join(absent)}",
            fix=f"apt-get install {' '.join(sorted(set(absent.values())))}",
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


def check_memory(needed: int) -> None:
    """Refuse to begin with less than ``needed`` bytes of memory available: SG-LAB-010."""
    available = available_bytes(Path("/proc/meminfo").read_text())
    if available < needed:
        raise refuse(
            10, "lab", f"needs about {needed >> 20} MiB of memory, {available >> 20} are available",
            fix="end something large, or ask for fewer --applications",
        )  # fmt: skip


def check_space(directory: Path, needed: int) -> None:
    """Refuse to fill a disk: SG-LAB-012 with less than ``needed`` bytes free."""
    free = free_bytes(directory)
    if free < needed:
        raise refuse(
            12, str(directory), f"has {free >> 20} MiB free, {needed >> 20} are needed",
            fix="free some space, or point SANGLIER_CACHE at a larger disk",
        )  # fmt: skip
