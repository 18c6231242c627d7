"""The user-mode Linux back end: a host is an ordinary process, no hardware help needed.

A host's kernel leads a session of its own inside the lab's network namespace;
the kernel traces one process per address space of the guest (ptrace(2)).
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sanglier.lab import daemon, mconsole, network, preflight, process, volatile
from sanglier.lab.driver import Sighting, State
from sanglier.lab.errors import LabError, refuse
from sanglier.lab.image import Image
from sanglier.lab.place import Place
from sanglier.lab.topology import LabHost

MACHINE = "x86_64"
"""What uname(2) calls the processors that its kernel is a program for."""

QUICK_BOOT = (
    "quiet", "loglevel=4", "net.ifnames=0", "pty.legacy_count=0", "apparmor=0", "audit=0",
)  # fmt: skip
"""No chatter, no renaming of cards, no 512 old terminals for udev to look at."""

PAGE = os.sysconf("SC_PAGE_SIZE")


def kernel_argv(
    host: LabHost, image: Image, place: Place, disks: int = 1, *, volatile: bool = False
) -> tuple[str, ...]:
    """Build the kernel's command line: disks, network cards, memory, control socket."""
    boot = place.volatile / "boot" if volatile and host.data_disk else image.boot
    devices = [f"ubda={place.overlay(host.name)},{image.root}"]
    if host.data_disk:
        devices += [f"{name}={file}" for name, file in place.disks(host.name, disks).items()]
    cards = (
        f"vec{index}:transport=tap,ifname={card.tap},depth=128,gro=1,mac={card.mac}"
        for index, card in enumerate(host.interfaces)
    )
    return (
        str(boot), *devices, "root=/dev/ubda", "rw", "rootfstype=ext4", *cards,
        f"mem={host.memory_mib}M", f"uml_dir={place.sockets}/", f"umid={host.name}",
        f"hostfs={place.identity(host.name)}", "con=null", "con0=fd:0,fd:1", "console=tty0",
        *QUICK_BOOT, "init=/usr/lib/sanglier-lab/init",
    )  # fmt: skip


def processor(host: LabHost) -> int:
    """Choose the machine's processor for a host, neighbours on different ones.

    Each of its system calls is a switch between two processes: within one
    processor that is two to three times faster than across.
    """
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[int(host.address.rpartition(".")[2]) % len(allowed)]


def check_machine() -> None:
    """Refuse to begin on a processor that its kernel is no program for: SG-LAB-042."""
    machine = os.uname().machine
    if machine != MACHINE:
        raise refuse(
            42, "lab up", f"cannot run here: this machine is {machine}",
            why=f"the hosts' kernel is a program for {MACHINE}, Debian's user-mode-linux",
            fix=f"use a machine of {MACHINE}; all verbs but `lab` and `demo` work here, "
            "and so does `./test unit`",
        )  # fmt: skip


def memory_on_disk(needed: int, data: Path) -> int:
    """Count the bytes of hosts' memory that are to lie beside their disks: /dev/shm is better."""
    return needed // 2 if preflight.memory_dir(needed, data) == data else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UserModeLinux:
    """Driver (see ``driver.Driver``) of one lab."""

    place: Place
    image: Image
    disk_bytes: int
    disks: int = 1
    """Data disks of each storage server."""
    volatile: bool = False
    """Whether they lose their cache with the power."""
    memory_dir: Path
    """Where guest memory lives: a file per host, unlinked at once."""

    def sight(self, host: LabHost) -> Sighting:
        """Look at the host's session."""
        leader = self._leader(host)
        if leader is None:
            return Sighting(state=State.DEAD)
        state = State.FROZEN if leader.state == "T" else State.RUNNING
        resident = leader.resident_pages * PAGE
        return Sighting(state=state, pid=leader.pid, resident_bytes=resident)

    def start(self, host: LabHost) -> None:
        """Start the kernel, after clearing away what a killed one left."""
        if self._leader(host) is not None:
            return
        self.kill(host)
        self._prepare(host)
        daemon.launch(
            self.place,
            host.name,
            ("taskset", "-c", str(processor(host)), *self._argv(host)),
            source=self.place.keyboard(host.name),
            sink=self.place.console(host.name),
            env={"TMPDIR": str(self.memory_dir), **self._caches(host)},
        )

    def stop(self, host: LabHost, patience: float) -> None:
        """Press Ctrl-Alt-Del, which the image takes as power-off, then wait."""
        if self._leader(host) is None:
            return
        self.thaw(host)
        with suppress(LabError):
            mconsole.ask(self._socket(host), "cad")
        deadline = time.monotonic() + patience
        while self._leader(host) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.kill(host)

    def kill(self, host: LabHost) -> None:
        """SIGKILL the session; data that the guest had written stays in its disks' files."""
        daemon.end(self.place, host.name)

    def freeze(self, host: LabHost) -> None:
        """SIGSTOP the kernel's own processes; a traced one would report it to the kernel."""
        for member in daemon.session(self.place, host.name):
            if not process.is_traced(member.pid):
                process.send(member.pid, signal.SIGSTOP)

    def thaw(self, host: LabHost) -> None:
        """SIGCONT what was frozen."""
        for member in daemon.session(self.place, host.name):
            if not process.is_traced(member.pid):
                process.send(member.pid, signal.SIGCONT)

    def plug(self, host: LabHost, network_name: str) -> None:
        """Put the tap into its bridge."""
        network.plug(self.place, host.interface(network_name).tap, network_name)

    def unplug(self, host: LabHost, network_name: str) -> None:
        """Take the tap out of its bridge."""
        network.unplug(self.place, host.interface(network_name).tap)

    def attach_disk(self, host: LabHost, device: str, file: Path) -> None:
        """Hot-plug ``file`` as ``device`` (such as ubdc)."""
        mconsole.ask(self._socket(host), f"config {device}={file}")

    def detach_disk(self, host: LabHost, device: str) -> None:
        """Hot-unplug; the guest must not have it open."""
        mconsole.ask(self._socket(host), f"remove {device}")

    def _argv(self, host: LabHost) -> tuple[str, ...]:
        return kernel_argv(host, self.image, self.place, self.disks, volatile=self.volatile)

    def _caches(self, host: LabHost) -> dict[str, str]:
        """Tell the kernel which of its disks lose their cache."""
        if not (self.volatile and host.data_disk):
            return {}
        return volatile.environment(tuple(self.place.disks(host.name, self.disks).values()))

    def _socket(self, host: LabHost) -> Path:
        return self.place.sockets / host.name / "mconsole"

    def _prepare(self, host: LabHost) -> None:
        shutil.rmtree(self._socket(host).parent, ignore_errors=True)
        keyboard = self.place.keyboard(host.name)
        if not keyboard.exists():
            os.mkfifo(keyboard, 0o600)
        for disk in self.place.disks(host.name, self.disks).values() if host.data_disk else ():
            if not disk.exists():
                disk.touch()
                os.truncate(disk, self.disk_bytes)

    def _leader(self, host: LabHost) -> process.Process | None:
        return daemon.leader(self.place, host.name)
