"""Device-mapper maps as multipathd tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.layers.files import Files
from sanglier.layers.services import Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One path of a map."""

    device: str
    """Kernel name, e.g. ``sda``."""
    state: str
    """``dm_st`` of multipathd: active, failed, undef."""
    checker: str
    """``chk_st``: ready, ghost, faulty, shaky."""
    target: str
    """IQN of the target that it leads to."""
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """One multipath map."""

    name: str
    wwid: str
    paths: tuple[Path, ...]
    groups: int
    """Number of path groups."""
    queueing: str = ""
    """``on``, ``off`` or a number of retries."""

    @property
    def dead(self) -> tuple[Path, ...]:
        """Paths that the checker does not find usable."""
        return tuple(path for path in self.paths if path.checker not in {"ready", "ghost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipathFacts:
    """DM-Multipath on one application server."""

    files: Files
    units: Units
    maps: tuple[Map, ...]
    disks: Mapping[str, str]
    """Kernel name of every LIO disk -> WWID as udev tells it."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What multipathd runs with for LIO's disks, by its keywords; empty when it does not answer."""
