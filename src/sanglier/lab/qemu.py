"""The QEMU back end: a host is a virtual machine with the stock kernel of its release."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from sanglier.lab import accelerator, daemon, kernel, qmp
from sanglier.lab.accelerator import MACHINE, PROGRAM, Accelerator
from sanglier.lab.backend import Backend, Ground
from sanglier.lab.command import run
from sanglier.lab.driver import Sighting, State
from sanglier.lab.errors import LabError
from sanglier.lab.image import Image, Report
from sanglier.lab.kernel import Kernel
from sanglier.lab.place import Place
from sanglier.lab.recipe import KernelSource
from sanglier.lab.sessions import Sessions
from sanglier.lab.topology import LabHost, Role

PROCESSORS = 2

COMMON = (
    *MACHINE, "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
)  # fmt: skip
"""Its serial line is what the process reads and writes."""

KERNEL_WORDS = (
    "console=ttyS0", "root=/dev/vda", "rootfstype=ext4", "quiet", "loglevel=4", "net.ifnames=0",
    "audit=0", "fsck.mode=skip", "mitigations=off", "no_timer_check",
)  # fmt: skip
"""No chatter, no renaming of cards; nothing that guards one program from another, which emulation
pays for at each system call.  And no test at boot whether the timer ticks: on a busy machine an
emulated one is late, and the kernel panics ("IO-APIC + timer doesn't work")."""

IDENTITY = "opt/sanglier/identity"
"""Name of the archive in the firmware's files: image/init takes it from there."""

PRESS_SECONDS = 5.0
"""Between two pressings of the power button: before logind listens, nobody hears it."""

STANDING = frozenset({"paused", "io-error"})
"""States of a machine (QEMU's RunState) that stands still until it is told to go on: by order, or
because this machine's disk was full."""

NODES = "query-named-block-nodes"
"""What is behind disks."""

UNPLUG_SECONDS = 60.0
"""A guest's kernel has to let go of a disk by itself."""

MEMORY_MIB = {Role.STORAGE: 768, Role.APPLICATION: 640, Role.WITNESS: 384}
"""A host with Corosync and Pacemaker uses 400 MiB, one with neither 190."""

CHECK_MIB = 512
CHECK_SECONDS = 600
"""Emulated it takes 20 on a quiet machine."""


def host_argv(
    host: LabHost, image: Image, place: Place, how: Accelerator, disks: int = 1
) -> tuple[str, ...]:
    """Build QEMU's command line: disks, network cards, memory, identity, control socket."""
    words = ("rw", *KERNEL_WORDS, "init=/usr/lib/sanglier-lab/init")
    data = place.disks(host.name, disks) if host.data_disk else {}
    return (
        *COMMON, "-name", host.name, *how.argv, "-smp", str(PROCESSORS),
        "-m", f"{host.memory_mib}M", *_kernel(image.directory, words),
        "-qmp", f"unix:{socket(place, host)},server=on,wait=off",
        "-fw_cfg", f"name={IDENTITY},file={place.identity_archive(host.name)}",
        "-object", "rng-random,id=random,filename=/dev/urandom",
        "-device", "virtio-rng-pci,rng=random",
        *_disk("root", "qcow2", place.overlay(host.name)),
        *(word for name, file in data.items() for word in _disk(name, "raw", file)),
        *_cards(host),
    )  # fmt: skip


def _kernel(directory: Path, words: tuple[str, ...]) -> tuple[str, ...]:
    return (
        "-kernel", str(directory / "linux"), "-initrd", str(directory / "initrd"),
        "-append", " ".join(words),
    )  # fmt: skip


def _disk(name: str, form: str, file: Path, *, read_only: bool = False) -> tuple[str, ...]:
    """What the guest has written to a raw disk, and flushed to any, outlives the process: it is in
    the machine's page cache."""
    shut = ",read-only=on" if read_only else ""
    return (
        "-blockdev",
        f"driver={form},node-name={name}{shut},file.driver=file,file.filename={file}",
        "-device", f"virtio-blk-pci,id={name},drive={name},serial={name}",
    )  # fmt: skip


def _cards(host: LabHost) -> Iterator[str]:
    for index, card in enumerate(host.interfaces):
        yield from (
            "-netdev", f"tap,id=net{index},ifname={card.tap},script=no,downscript=no,vhost=off",
            "-device", f"virtio-net-pci,id=card{index},netdev=net{index},mac={card.mac},romfile=",
        )  # fmt: skip


def socket(place: Place, host: LabHost) -> Path:
    """Where a host's QEMU takes orders."""
    return place.sockets / f"{host.name}.qmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Qemu(Sessions):
    """Driver (see ``driver.Driver``) of one lab."""

    pauses: ClassVar[bool] = True

    image: Image

    @property
    def title(self) -> str:
        """Name it with what runs it."""
        return f"QEMU ({accelerator.of(self.place)}), Linux {self.image.kernel.release}"

    @property
    def pace(self) -> float:
        """See ``driver.Driver``."""
        return 1.0 if accelerator.of(self.place) is Accelerator.KVM else 0.05

    @property
    def programs(self) -> float:
        """Give emulated hosts ten times as long: what a fork took there on two processors."""
        return 1.0 if accelerator.of(self.place) is Accelerator.KVM else 10.0

    @property
    def boot_s(self) -> float:
        """Give emulated hosts, of which five share a few processors, a quarter of an hour."""
        return 180.0 if accelerator.of(self.place) is Accelerator.KVM else 900.0

    def sight(self, host: LabHost) -> Sighting:
        """Look at the host's process, and ask it whether it is paused."""
        seen = super(Qemu, self).sight(host)
        if seen.state is not State.RUNNING:
            return seen
        try:
            stands = qmp.status(socket(self.place, host)) in STANDING
        except LabError:  # it is busy; or it was frozen, or ended, meanwhile
            return super(Qemu, self).sight(host)
        return replace(seen, state=State.PAUSED) if stands else seen

    def start(self, host: LabHost) -> None:
        """Start the virtual machine."""
        if self.leader(host) is not None:
            return
        self.kill(host)
        socket(self.place, host).unlink(missing_ok=True)
        self.make_disks(host)
        self._make_overlay(host)
        write_archive(self.place.identity(host.name), self.place.identity_archive(host.name))
        daemon.launch(
            self.place, host.name,
            host_argv(host, self.image, self.place, accelerator.of(self.place), self.disks),
            source=self.place.keyboard(host.name), sink=self.place.console(host.name), env={},
        )  # fmt: skip

    def stop(self, host: LabHost, patience: float) -> None:
        """Press the power button until the host is off."""
        deadline = time.monotonic() + patience
        if self.leader(host) is not None:
            self.thaw(host)
            self._order(host, "cont")
        while self.leader(host) is not None and time.monotonic() < deadline:
            self._order(host, "system_powerdown")
            self._await_end(host, min(deadline, time.monotonic() + PRESS_SECONDS))
        self.kill(host)

    def _order(self, host: LabHost, command: str) -> None:
        """Tell it something before it is killed anyway: one that does not answer is left alone."""
        with suppress(LabError):
            qmp.ask(socket(self.place, host), command, timeout=PRESS_SECONDS)

    def _await_end(self, host: LabHost, deadline: float) -> None:
        while self.leader(host) is not None and time.monotonic() < deadline:
            time.sleep(0.1)

    def pause(self, host: LabHost) -> None:
        """Stop the virtual processors and every clock of the machine."""
        qmp.ask(socket(self.place, host), "stop")

    def resume(self, host: LabHost) -> None:
        """Let them go on from there."""
        qmp.ask(socket(self.place, host), "cont")

    def attach_disk(self, host: LabHost, device: str, file: Path) -> None:
        """Hot-plug ``file``; its serial number is the name that the host finds it by."""
        order = socket(self.place, host)
        if str(file) not in qmp.names(order, NODES, "file"):
            backing = {"driver": "file", "filename": str(file)}
            qmp.ask(order, "blockdev-add", {"driver": "raw", "node-name": device, "file": backing})
        if device not in self._plugged(host):
            front = {"driver": "virtio-blk-pci", "id": device, "drive": device, "serial": device}
            qmp.ask(order, "device_add", front)

    def detach_disk(self, host: LabHost, device: str) -> None:
        """Hot-unplug, and wait until the guest has let go of it."""
        order = socket(self.place, host)
        if device in self._plugged(host):
            gone = "DEVICE_DELETED"
            qmp.ask(order, "device_del", {"id": device}, event=gone, timeout=UNPLUG_SECONDS)
        if device in qmp.names(order, NODES, "node-name"):
            qmp.ask(order, "blockdev-del", {"node-name": device})

    def _plugged(self, host: LabHost) -> frozenset[str]:
        """Name the disks and cards that the host has, or has not let go of."""
        where = {"path": "/machine/peripheral"}
        return qmp.names(socket(self.place, host), "qom-list", "name", where)

    def _make_overlay(self, host: LabHost) -> None:
        """Make the file of differences to the image, whole or not at all."""
        overlay = self.place.overlay(host.name)
        if not overlay.exists():
            new = overlay.with_suffix(".new")
            new.unlink(missing_ok=True)
            root = str(self.image.root)
            run(("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", root, str(new)))
            new.replace(overlay)


def write_archive(directory: Path, archive: Path) -> None:
    """Pack a host's identity as files of root, tar(5)."""

    def of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    new = archive.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with tarfile.open(new, "w") as out:
        for path in sorted(directory.iterdir()):
            out.add(path, arcname=path.name, filter=of_root)
    new.replace(archive)


def check_argv(out: Path, how: Accelerator) -> tuple[str, ...]:
    """Command that boots an image once, with nothing that it could write to."""
    words = ("ro", *KERNEL_WORDS, "init=/usr/lib/sanglier-lab/kernel-check")
    return (
        *COMMON, *how.argv, "-m", f"{CHECK_MIB}M", "-no-reboot", *_kernel(out, words),
        *_disk("root", "raw", out / "root.ext4", read_only=True),
    )  # fmt: skip


def ask_kernel(out: Path) -> Kernel:
    """Boot an image once, to see that it does."""
    return kernel.ask(check_argv(out, accelerator.find()), CHECK_SECONDS)


def ready(ground: Ground, report: Report) -> None:
    """Find out by what the hosts can be run."""
    how = accelerator.of(ground.place)
    if how is Accelerator.TCG:
        report(ground.place.name, "KVM runs no guest here: hosts are emulated, which is slow")


def drive(ground: Ground) -> Qemu:
    """Make the driver of a lab."""
    return Qemu(
        place=ground.place, image=ground.image, disk_bytes=ground.disk_bytes, disks=ground.disks
    )


BACKEND = Backend(
    name="qemu",
    kernel=KernelSource(
        driver="qemu", scripts=("kernel-qemu.sh", "disks.rules"), ask=ask_kernel
    ),
    commands={PROGRAM: "qemu-system-x86", "qemu-img": "qemu-utils"},
    memory_mib=MEMORY_MIB,
    resident=1.2,
    memory_on_disk=lambda _needed, _data: 0,
    cards="eth",
    volatile=False,
    ready=ready,
    drive=drive,
)  # fmt: skip
