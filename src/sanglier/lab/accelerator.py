"""By what QEMU runs hosts here: the processor itself (KVM) if it really does, else emulation.

/dev/kvm may be there, open and even make a virtual machine, and yet run nothing (a machine that
is itself virtual in some ways).  So a guest is booted: a boot sector that says a word.
"""

from __future__ import annotations

import subprocess
import tempfile
from enum import StrEnum
from pathlib import Path

from sanglier.lab.command import BOUND
from sanglier.lab.identity import write_atomically
from sanglier.lab.place import Place

PROGRAM = "qemu-system-x86_64"
KVM_DEVICE = Path("/dev/kvm")

MACHINE = (PROGRAM, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc")
"""A PC with nothing in it that nobody looks at; its disks and cards are hot-pluggable."""

PROBE_SECONDS = 10
"""A guest that runs has said it within one."""

PORT = 0xF4
WORD = 0x2A
SAID = WORD << 1 | 1
"""Exit status of QEMU when its guest wrote WORD to the port of isa-debug-exit."""

TRANSLATED_MIB = 128
"""Memory for translated code: QEMU takes up to a GiB for each host if it may."""

SECTOR_BYTES = 512
SIGNATURE = b"\x55\xaa"
"""Ends a sector that a BIOS boots."""


class Accelerator(StrEnum):
    """How QEMU executes a guest."""

    KVM = "kvm"
    TCG = "tcg"

    @property
    def argv(self) -> tuple[str, ...]:
        """Options of QEMU: an emulated processor has no more than what Debian and DRBD use."""
        if self is Accelerator.KVM:
            return ("-accel", "kvm", "-cpu", "host")
        return ("-accel", f"tcg,thread=multi,tb-size={TRANSLATED_MIB}", "-cpu", "Nehalem")


def boot_sector() -> bytes:
    """Assemble ``mov al, WORD; out PORT, al; hlt; jmp $-1``."""
    code = bytes((0xB0, WORD, 0xE6, PORT, 0xF4, 0xEB, 0xFD))
    return code.ljust(SECTOR_BYTES - len(SIGNATURE), b"\0") + SIGNATURE


def probe_argv(sector: Path, accelerator: Accelerator) -> tuple[str, ...]:
    """Command that ends with SAID if a guest runs."""
    return (
        *MACHINE, *accelerator.argv, "-m", "16M",
        "-device", f"isa-debug-exit,iobase={PORT:#x},iosize=1",
        "-drive", f"file={sector},format=raw,if=floppy,readonly=on", "-no-reboot",
    )  # fmt: skip


def runs(accelerator: Accelerator, seconds: float = PROBE_SECONDS) -> bool:
    """Boot a guest, and tell whether it ran; one that never runs ends with us."""
    with tempfile.TemporaryDirectory(prefix="sanglier-probe-") as directory:
        sector = Path(directory) / "sector"
        sector.write_bytes(boot_sector())
        try:
            done = subprocess.run(
                (*BOUND, *probe_argv(sector, accelerator)), stdin=subprocess.DEVNULL,
                capture_output=True, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == SAID


def find() -> Accelerator:
    """Choose for this machine."""
    found = KVM_DEVICE.exists() and runs(Accelerator.KVM)
    return Accelerator.KVM if found else Accelerator.TCG


def of(place: Place) -> Accelerator:
    """Tell by what a lab's hosts run; found out once, and forgotten with the lab."""
    try:
        return Accelerator(place.accelerator.read_text())
    except FileNotFoundError:
        found = find()
        write_atomically(place.accelerator, found)
        return found
