"""What the machine must offer before a lab can start; every lack is named at once."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from sanglier.lab import network, rootless
from sanglier.lab.command import free_bytes, missing
from sanglier.lab.errors import LabError, refuse

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
MACHINE = "x86_64"
"""What uname(2) calls the processors that the hosts' programs are for."""

CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_CHROOT": 18, "CAP_SYS_ADMIN": 21}
"""What root of a container may lack, capabilities(7): for bridges and taps, for an image's
build, for namespaces and mounts."""
USERS = 1 << 16
"""Users and groups that a Debian system has; an image's files are of some of them."""


def check(verb: str, commands: Mapping[str, str] | None = None) -> None:
    """Refuse to go on with ``verb`` without root, or without a command.

    ``commands`` are those of the back end, each with the package that has it.
    """
    if os.geteuid() != 0:
        raise _no_root(rootless.lack())
    absent = missing(REQUIRED_COMMANDS | dict(commands or {}))
    if absent:
        raise refuse(
            8, "lab", f"`{verb}` cannot run here: this machine has no {', '.join(absent)}",
            fix=f"apt-get install {' '.join(sorted(set(absent.values())))}",
        )  # fmt: skip


def _no_root(lack: str) -> LabError:
    if not lack:
        return refuse(11, "lab", "you have none up", fix="`lab up`; root's labs are root's")
    return refuse(
        7, "lab", "needs root",
        why=f"an ordinary user cannot have one here: {lack}",
        fix="run it as root, or with sudo; nothing outside the lab's namespaces is touched",
    )  # fmt: skip


def check_architecture() -> None:
    """Refuse to begin on a processor that the hosts' programs are none for: SG-LAB-042."""
    machine = os.uname().machine
    if machine != MACHINE:
        raise refuse(
            42, "lab up", f"cannot run here: this machine is {machine}",
            why=f"the hosts are of {MACHINE}, and their image is made by its own programs",
            fix=f"use a machine of {MACHINE}; all verbs but `lab` and `demo` work here, "
            "and so does `./test unit`",
        )  # fmt: skip


def check_machine() -> None:
    """Refuse to begin where root may not make what every lab is made of: SG-LAB-009, 041."""
    lacking = lacking_capabilities(Path("/proc/self/status").read_text())
    if lacking:
        raise _may_not(f"root lacks {', '.join(lacking)}")
    for kind in ("uid", "gid"):
        if mapped(Path(f"/proc/self/{kind}_map").read_text()) < USERS:
            raise _may_not(f"root is that of a user namespace with too few {kind}s, {kind}_map")
    _check_tun()
    refused = network.attempt()
    if refused:
        raise _may_not(refused)


def _container() -> str:
    """Tell what whoever starts a container must give it."""
    options = ("--device /dev/net/tun", "--cap-add NET_ADMIN", "--cap-add SYS_ADMIN")
    return f"in a container: --privileged, or at least {' '.join(options)}"


def _may_not(why: str) -> LabError:
    return refuse(
        41, "lab up", "cannot run here: it may not make namespaces, mounts, bridges and taps",
        why=why, fix=f"run it as root of the machine or of a virtual one; {_container()}",
    )  # fmt: skip


def lacking_capabilities(status: str) -> tuple[str, ...]:
    """Read CapEff out of /proc/PID/status, proc(5), and name what is not in it."""
    lines = dict(line.partition(":")[::2] for line in status.splitlines())
    held = int(lines["CapEff"], 16)
    return tuple(name for name, bit in CAPABILITIES.items() if not held >> bit & 1)


def mapped(table: str) -> int:
    """Count the users of a user namespace: /proc/PID/uid_map, user_namespaces(7)."""
    return sum(int(line.split()[2]) for line in table.splitlines())


def _check_tun() -> None:
    """Open it: a container may show a device that it does not let anybody open."""
    try:
        descriptor = os.open(TUN, os.O_RDWR | os.O_CLOEXEC)
        device = stat.S_ISCHR(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        lack = "" if device else "it is no device"
    except OSError as error:
        lack = os.strerror(error.errno or 0)
    if lack:
        raise refuse(
            9, "lab up", f"cannot run here: it needs {TUN}",
            why=f"the hosts' network cards are taps; {lack}", fix=f"modprobe tun; {_container()}",
        )  # fmt: skip


def check_directory(directory: Path, variable: str, *, programs: bool) -> None:
    """Refuse a directory in which no file can be made, or no program executed: SG-LAB-044."""
    lack = _lack_of(directory, programs=programs)
    if lack:
        raise refuse(
            44, "lab up", f"cannot use the directory {directory}", why=lack,
            fix=f"point {variable} at a directory on another disk",
        )  # fmt: skip


def _lack_of(directory: Path, *, programs: bool) -> str:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return "it is no directory"
    except OSError as error:
        return f"it cannot be made: {os.strerror(error.errno or 0)}"
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        if error.errno != errno.ENOSPC:  # of which `check_space` has the figures
            return f"no file can be made there: {os.strerror(error.errno or 0)}"
    if programs and os.statvfs(directory).f_flag & os.ST_NOEXEC:
        return "it is mounted with noexec, and the hosts' kernel is a program that lies there"
    return ""


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


def check_space(directory: Path, needed: int, why: str) -> None:
    """Refuse to fill a disk: SG-LAB-012 with less than ``needed`` bytes free; ``why`` for what."""
    free = free_bytes(directory)
    if free < needed:
        raise refuse(
            12, "lab up", f"needs {needed >> 20} MiB in {directory}, {free >> 20} are free",
            why=why, fix="free some space, or point SANGLIER_CACHE at a larger disk",
        )  # fmt: skip
