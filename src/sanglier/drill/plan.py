"""What is to be played in one drill."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.drill.schedule import Group
from sanglier.drill.settle import PATIENCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be played."""

    name: str
    explains: str
    groups: tuple[Group, ...]
    seed: int | None = None
    inspect: bool = True
    """Whether to unmount at the end and look at the filesystem and both legs."""
    patience_s: float = PATIENCE_S
    """How long to wait after a healing until the cluster is whole by itself."""
