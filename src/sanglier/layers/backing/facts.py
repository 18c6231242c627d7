"""What lies on the devices that are to carry the mirror."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class DeviceKind(StrEnum):
    """What the path of a backing device leads to."""

    BLOCK = "block"
    ABSENT = "absent"
    OTHER = "other"
    """Something that is no block device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One backing device."""

    kind: DeviceKind
    size: int = 0
    """Bytes."""
    users: tuple[str, ...] = ()
    """Who uses it now: mounts, swap, holders (LVM, MD, device-mapper), used partitions."""
    signatures: tuple[str, ...] = ()
    """File systems, RAID members, partition tables found by wipefs(8)."""
    number: str = ""
    """Major and minor, the same under every name of a device."""
    nonzero: bool = False
    """Whether the first 16 MiB or the last MiB hold anything but zeroes."""
    ours: bool = False
    """Whether a DRBD resource of the volume's name has it, attached or by its file."""
    pending: bool = False
    """Whether metadata was being written on it (blank before) when a run was cut."""
    emptied: bool = False
    """Whether its being blank is meant: wiped with its consent, or a first build was cut."""

    was: int = 0
    """Bytes when drbdmeta(8) last noted its size, 0 where it did not."""
    mirror: int = 0
    """Bytes of the running mirror of its volume on this host, 0 where none runs."""
    displaced: bool = False
    """Whether DRBD's metadata lies where the device ended before it grew."""

    @property
    def blank(self) -> bool:
        """Nothing at all was found on it."""
        return not self.signatures and not self.nonzero

    @property
    def has_drbd(self) -> bool:
        """It carries DRBD metadata."""
        return "drbd" in self.signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class BackingFacts:
    """Devices of one storage server, by volume."""

    devices: Mapping[str, Device]
