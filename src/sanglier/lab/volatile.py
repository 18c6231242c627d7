"""Data disks whose write cache is lost with their host's power: see volatile.c."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from sanglier.lab.command import run
from sanglier.lab.errors import refuse
from sanglier.lab.image import Image
from sanglier.lab.place import Place

VARIABLE = "SANGLIER_VOLATILE"
"""Environment of a host's kernel: its volatile disks' files, with colons."""
COMPILERS = ("cc", "tcc", "gcc", "clang")
PRELOADED = "preload.so exec"
"""How the image's start script sets what is preloaded."""
COUNTS = struct.Struct("=4Q")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a disk's cache did since its host has booted, or until it lost its power."""

    writes: int
    flushes: int
    early: int
    """Blocks that it put on the disk by itself, in no order."""
    held: int
    """Blocks of 4 KiB that are not on the disk; of a host without power: lost."""


def compiler(names: Sequence[str] = COMPILERS) -> str:
    """Find a C compiler of this machine; empty when there is none."""
    return next((found for name in names if (found := shutil.which(name))), "")


def build(library: Path, with_compiler: str) -> None:
    """Compile the library; SG-LAB-035 without a compiler."""
    if not with_compiler:
        raise refuse(
            35, "lab", "volatile disks need a C compiler on this machine, and there is none",
            fix="apt-get install tcc libc6-dev, or leave out --volatile",
        )  # fmt: skip
    source = resources.files("sanglier.lab") / "volatile.c"
    made = library.with_suffix(".new")
    with resources.as_file(source) as file:
        run((with_compiler, "-shared", "-fPIC", "-o", str(made), str(file)))
    made.replace(library)


def ensure(place: Place, image: Image) -> None:
    """Make what boots the lab's storage servers: the library, and the image's start with it."""
    folder = place.volatile
    folder.mkdir(exist_ok=True, mode=0o700)
    library = folder / "volatile.so"
    if not library.exists():
        build(library, compiler())
    for name in ("linux", "preload.so"):
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(image.directory / name)
    boot = folder / "boot"
    boot.write_text(start_script((image.directory / "boot").read_text()))
    boot.chmod(0o755)


def start_script(text: str) -> str:
    """Give the image's start script with the library beside the other one that it preloads."""
    if text.count(PRELOADED) != 1:
        raise refuse(
            90, "lab", "the image's start script is not what volatile disks were made for",
            fix="lab down, then lab up with this version's image",
        )  # fmt: skip
    return text.replace(PRELOADED, "preload.so:${0%/*}/volatile.so exec")


def environment(disks: Sequence[Path]) -> dict[str, str]:
    """Tell a host's kernel which of its disks are volatile."""
    return {VARIABLE: ":".join(str(disk) for disk in disks)}


def read(disk: Path) -> Counts | None:
    """Tell what a disk's cache did; nothing when it has none."""
    try:
        found = disk.with_name(f"{disk.name}.cache").read_bytes()[: COUNTS.size]
    except FileNotFoundError:
        return None
    writes, flushes, early, held = COUNTS.unpack(found)
    return Counts(writes=writes, flushes=flushes, early=early, held=held)
