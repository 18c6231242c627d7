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

    def shut_out_since(self, boots: str) -> str | None:
        """When the server was shut out whose boots are noted at ``boots``; ``None``: it is not.

        The note has lines ``known BOOT`` and ``out BOOT WHEN``, see the agents' ``boots``.
        """
        lines = [line.split() for line in (self.value(boots) or "").splitlines()]
        known = {words[1] for words in lines if words[:1] == ["known"] and len(words) == 2}
        out = (words for words in lines if words[:1] == ["out"] and len(words) == 3)
        return next((when for _, boot, when in out if boot in known), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """LIO on one storage server."""

    loaded: bool
    """The fabric's configfs directory exists."""
    units: Units
    exports: Mapping[str, Export]
    files: Files = field(default_factory=dict)
