"""Where a lab keeps its files; nothing here creates any."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sanglier.lab.errors import refuse
from sanglier.lab.topology import check_name

LONGEST = 80
"""A Unix socket's path, in it, has at most 107 characters (unix(7))."""
PLAIN_PATH = re.compile(rf"[A-Za-z0-9/._+@-]{{1,{LONGEST}}}")


def cache_dir() -> Path:
    """Images and disks: SANGLIER_CACHE, else XDG_CACHE_HOME/sanglier, else ~/.cache/sanglier."""
    own = os.environ.get("SANGLIER_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base).absolute() / "sanglier"


def run_dir() -> Path:
    """State of running labs: SANGLIER_LAB_DIR, else /run/sanglier/lab."""
    return Path(os.environ.get("SANGLIER_LAB_DIR") or "/run/sanglier/lab").absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Every path of one lab."""

    name: str
    state: Path
    """Small files that die with the machine's boot: records, sockets, keys, ssh_config."""
    data: Path
    """Disks and console logs, on a real disk."""

    @property
    def namespace(self) -> str:
        """Name of the network namespace, ip-netns(8)."""
        return f"sanglier-{self.name}"

    @property
    def namespace_file(self) -> Path:
        """Where ip-netns(8) mounts it."""
        return Path("/run/netns") / self.namespace

    @property
    def lock(self) -> Path:
        """Lock of the whole lab, beside the state so that it survives its removal."""
        return self.state.with_name(f"{self.name}.lock")

    @property
    def record(self) -> Path:
        """What was asked for, written before anything is made."""
        return self.state / "lab.json"

    @property
    def ssh_config(self) -> Path:
        """What the rest of the product needs to reach the hosts."""
        return self.state / "ssh_config"

    @property
    def entrance(self) -> Path:
        """Script by which an ordinary user's ssh comes into the lab's network."""
        return self.state / "enter"

    @property
    def sockets(self) -> Path:
        """Control sockets of the hosts; the name is older than the second back end."""
        return self.state / "uml"

    @property
    def bmc_password(self) -> Path:
        """Password of every power switch of the lab, mode 0600."""
        return self.state / "bmc.password"

    @property
    def secrets(self) -> Path:
        """Secrets file for clusters that are built in the lab: `--secrets`."""
        return self.state / "cluster.secrets"

    @property
    def power_log(self) -> Path:
        """What the power switches did, a JSON object per line."""
        return self.data / "power.jsonl"

    @property
    def volatile(self) -> Path:
        """What boots storage servers with volatile disks: not in /run, which is often noexec."""
        return self.data / "volatile"

    def identity(self, host: str) -> Path:
        """Files that a host copies over its own at its first boot."""
        return self.state / "identity" / host

    def identity_archive(self, host: str) -> Path:
        """The same as one file, for a host that cannot read a directory of the machine."""
        return self.state / "identity" / f"{host}.tar"

    @property
    def accelerator(self) -> Path:
        """What hosts are run by on this machine, for as long as the lab is there."""
        return self.state / "accelerator"

    def process(self, name: str) -> Path:
        """Record of a running process: session and start time."""
        return self.state / f"{name}.process"

    def host_lock(self, host: str) -> Path:
        """Lock of one host, for verbs that change it."""
        return self.state / f"{host}.lock"

    def manner(self, host: str) -> Path:
        """How the power switch of a host behaves; it is honest where this is not there."""
        return self.state / f"{host}.manner"

    def keyboard(self, host: str) -> Path:
        """FIFO whose bytes are typed on the host's console."""
        return self.state / f"{host}.keyboard"

    def console(self, host: str) -> Path:
        """What the host wrote on its console."""
        return self.data / f"{host}.console"

    def overlay(self, host: str) -> Path:
        """Copy-on-write file over the image."""
        return self.data / f"{host}.cow"

    def disk(self, host: str) -> Path:
        """Data disk, the first one."""
        return self.data / f"{host}.disk"

    def disks(self, host: str, count: int) -> dict[str, Path]:
        """Data disks by the lab's names for them: ubdb, ubdc."""
        first = self.disk(host)
        return {
            f"ubd{letter}": first if number == 1 else first.with_name(f"{first.name}{number}")
            for number, letter in zip(range(1, count + 1), "bc", strict=False)
        }


def place(name: str) -> Place:
    """Lay out the paths of the lab ``name``; SG-LAB-003 for a path that no kernel takes."""
    check_name(name)
    found = Place(name=name, state=run_dir() / name, data=cache_dir() / "labs" / name)
    for path in (found.state, found.data):
        if not PLAIN_PATH.fullmatch(str(path)):
            raise refuse(
                3, name, f"cannot keep files in {str(path)!r}",
                why="the path goes onto a kernel's command line, into an ssh_config and before the "
                "names of sockets",
                fix="use a SANGLIER_CACHE and SANGLIER_LAB_DIR of letters, digits and /._+@-, so "
                f"short that this path, of {len(str(path))} characters, has at most {LONGEST}",
            )  # fmt: skip
    return found
