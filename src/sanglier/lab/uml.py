"""The user-mode Linux back end: a host is an ordinary process, no hardware help needed.

A host's kernel leads a session of its own inside the lab's network namespace;
the kernel traces one process per address space of the guest (ptrace(2)).
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sanglier.lab import daemon, kernel, mconsole, volatile
from sanglier.lab.backend import Backend, Ground
from sanglier.lab.errors import LabError, refuse
from sanglier.lab.image import Image, Report
from sanglier.lab.kernel import Kernel
from sanglier.lab.place import Place
from sanglier.lab.recipe import KernelSource
from sanglier.lab.sessions import Sessions
from sanglier.lab.topology import MEMORY_MIB, LabHost

QUICK_BOOT = (
    "quiet", "loglevel=4", "net.ifnames=0", "pty.legacy_count=0", "apparmor=0", "audit=0",
)  # fmt: skip
"""No chatter, no renaming of cards, no 512 old terminals for udev to look at."""

SHARED_MEMORY = Path("/dev/shm")

CHECK_BYTES = 128 << 20
"""Memory of the kernel that is booted to be checked."""

CHECK_SECONDS = 90
"""It takes one or two."""


def kernel_argv(
    host: LabHost, image: Image, place: Place, disks: int = 1, *, volatile: bool = False
) -> tuple[str, ...]:
    """Build the kernel's command line: disks, network cards, memory, control socket."""
    boot = (place.volatile if volatile and host.data_disk else image.directory) / "boot"
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


def memory_on_disk(needed: int, data: Path) -> int:
    """Count the bytes of hosts' memory that are to lie beside their disks: /dev/shm is better."""
    return needed // 2 if memory_dir(needed, data) == data else 0


def memory_dir(needed: int, fallback: Path) -> Path:
    """Choose where guests' memory lives: /dev/shm if ``needed`` bytes fit, else a disk."""
    return SHARED_MEMORY if _shared_memory_fits(needed) else fallback


def _shared_memory_fits(needed: int) -> bool:
    """Guests execute what lies there, so a mount with noexec (some containers) is no use."""
    if not SHARED_MEMORY.is_dir() or os.statvfs(SHARED_MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(SHARED_MEMORY).free >= needed


@dataclass(frozen=True, slots=True, kw_only=True)
class UserModeLinux(Sessions):
    """Driver (see ``driver.Driver``) of one lab."""

    pauses: ClassVar[bool] = False
    programs: ClassVar[float] = 1.0
    pace: ClassVar[float] = 1.0

    image: Image
    volatile: bool = False
    """Whether data disks lose their cache with the power."""
    memory_dir: Path
    """Where guest memory lives: a file per host, unlinked at once."""

    @property
    def title(self) -> str:
        """Name it as in the campaigns' records."""
        return f"user-mode Linux {self.image.kernel.release}"

    @property
    def boot_s(self) -> float:
        """Give all hosts three minutes; a lab of five needs half a minute."""
        return 180.0

    def start(self, host: LabHost) -> None:
        """Start the kernel, after clearing away what a killed one left."""
        if self.leader(host) is not None:
            return
        self.kill(host)
        shutil.rmtree(self._socket(host).parent, ignore_errors=True)
        self.make_disks(host)
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
        if self.leader(host) is None:
            return
        self.thaw(host)
        with suppress(LabError):
            mconsole.ask(self._socket(host), "cad")
        deadline = time.monotonic() + patience
        while self.leader(host) is not None and time.monotonic() < deadline:
            time.sleep(0.1)
        self.kill(host)

    def pause(self, host: LabHost) -> None:
        """Refuse: its clock is the machine's."""
        raise cannot_pause(host)

    def resume(self, host: LabHost) -> None:
        """Refuse: nothing is ever paused."""
        raise cannot_pause(host)

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


def cannot_pause(host: LabHost) -> LabError:
    """Describe what this back end has not."""
    return refuse(
        38, host.name, "cannot be paused: it is of user-mode Linux, whose clock is the machine's",
        fix="`lab freeze`, after which its clock jumps; or a lab made with --driver qemu",
    )  # fmt: skip


def ask_kernel(out: Path) -> Kernel:
    """Boot the kernel of an image once, for a second."""
    sockets = out / "uml"
    argv = (
        str(out / "boot"), f"ubda={out / 'root.ext4'}", "root=/dev/ubda", "ro",
        f"mem={CHECK_BYTES >> 20}M", "con=null", "con0=null,fd:1", "console=tty0", "quiet",
        f"uml_dir={sockets}/", "umid=check", "init=/usr/lib/sanglier-lab/kernel-check",
    )  # fmt: skip
    try:
        return kernel.ask(argv, CHECK_SECONDS, {"TMPDIR": str(memory_dir(CHECK_BYTES, out))})
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def ready(ground: Ground, _report: Report) -> None:
    """Make what boots hosts whose disks are volatile."""
    if ground.volatile:
        volatile.ensure(ground.place, ground.image)


def drive(ground: Ground) -> UserModeLinux:
    """Make the driver of a lab."""
    return UserModeLinux(
        place=ground.place,
        image=ground.image,
        disk_bytes=ground.disk_bytes,
        disks=ground.disks,
        volatile=ground.volatile,
        memory_dir=memory_dir(ground.memory_bytes, ground.place.data),
    )


BACKEND = Backend(
    name="uml",
    kernel=KernelSource(
        driver="uml", scripts=("kernel-uml.sh", "boot", "preload.c"), ask=ask_kernel,
        suite="bookworm",
    ),
    commands={},
    memory_mib=MEMORY_MIB,
    resident=0.5,
    memory_on_disk=memory_on_disk,
    cards="vec",
    volatile=True,
    ready=ready,
    drive=drive,
)  # fmt: skip
"""Its kernel is of the release that is known to be good, whatever the hosts' own: ``kernel.py``."""
