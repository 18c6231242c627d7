"""o2cb, the filesystem and its mount on one application server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.layers.files import Files
from sanglier.layers.services import Unit, Units

O2CB = "o2cb.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """What is on a map, blkid(8); empty kind: nothing known."""

    device: bool
    """The map is there."""
    readable: bool = False
    """A path of the map works, so that what is on it could be read."""
    kind: str = ""
    label: str = ""
    blank: bool = False
    pending: bool = False
    """A run was cut while it made the filesystem on a blank device."""
    cache: str = ""
    """``write back`` or ``write through``, queue/write_cache of a map that is mounted; with the
    latter the kernel drops flushes.  Empty: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount, /proc/mounts."""

    source: str
    kind: str
    options: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ocfs2Facts:
    """The shared filesystem of one host."""

    files: Files
    units: Units
    cluster_values: Mapping[str, str]
    """configfs: ``dead_threshold``, ``idle_timeout_ms``, … and ``node/NAME`` -> ``num ip port``."""
    filesystems: Mapping[str, Filesystem]
    mounts: Mapping[str, Mount]
    """Mount point -> mount, only those of the volumes."""
    elsewhere: tuple[str, ...] = ()
    """Other mount points that carry OCFS2, made by hand."""
    panic: Mapping[str, str] = field(default_factory=dict)
    """``panic`` and ``panic_on_oops`` in force, /proc/sys/kernel; empty: not known."""

    @property
    def o2cb(self) -> Unit:
        """The unit of o2cb; Debian 12's own, of an LSB script, is "generated"."""
        return self.units.get(O2CB, Unit())

    @property
    def o2cb_at_boot(self) -> bool:
        """Whether the unit starts at boot."""
        return self.o2cb.enabled == "enabled"

    @property
    def holds(self) -> bool:
        """Whether an OCFS2 filesystem is mounted, so that o2cb can take no other values."""
        ours = any(mount.kind == "ocfs2" for mount in self.mounts.values())
        return ours or bool(self.elsewhere)
