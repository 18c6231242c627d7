"""LIO's configfs tree of a volume, as paths and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.layers.files import Files
from sanglier.layers.services import Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What configfs holds for one volume on one storage server.

    Keys are paths below /sys/kernel/config/target; a directory or link that
    matters is in ``nodes``, the value of an attribute in ``values``.
    """

    nodes: frozenset[str] = frozenset()
    values: Mapping[str, str]

    def value(self, path: str) -> str | None:
        """Value of an attribute; ``None`` when the tree has none."""
        return self.values.get(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """LIO on one storage server."""

    loaded: bool
    """The fabric's configfs directory exists."""
    units: Units
    exports: Mapping[str, Export]
    files: Files = field(default_factory=dict)
