"""What is the same for all labs of one back end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sanglier.lab.driver import Driver
from sanglier.lab.image import Image, Report
from sanglier.lab.place import Place
from sanglier.lab.recipe import KernelSource
from sanglier.lab.topology import Role

DEFAULT = "uml"
"""The back end where nobody asks for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the driver of one lab stands on."""

    place: Place
    image: Image
    disk_bytes: int
    """Of each data disk."""
    disks: int = 1
    """Data disks of each storage server."""
    volatile: bool = False
    """Whether they lose their cache with the power."""
    memory_bytes: int = 0
    """What all wanted hosts together may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """One way to run real kernels on this machine."""

    name: str
    kernel: KernelSource
    commands: Mapping[str, str]
    """Commands of the machine that it needs beside every lab's, each with its Debian package."""
    memory_mib: Mapping[Role, int]
    resident: float
    """Share of their memory that hosts really take from the machine."""
    memory_on_disk: Callable[[int, Path], int]
    """Bytes of so much memory that would lie in the directory of hosts' disks."""
    cards: str
    """What a host's kernel calls its network cards, before a number."""
    volatile: bool
    """Whether data disks can lose their cache with the power."""
    ready: Callable[[Ground, Report], None]
    """Make what the hosts of a lab need beside disks and networks; may be repeated."""
    drive: Callable[[Ground], Driver]
