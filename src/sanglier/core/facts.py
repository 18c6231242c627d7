"""What was read from the hosts, typed by layer.

Each layer has one frozen facts class per host; :class:`Facts` holds at most one
value of each class for each host and gives it back by class, so that no untyped
mapping crosses a module boundary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from sanglier.core.problem import Problem

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of all hosts that answered, and why the others did not."""

    _values: Mapping[tuple[str, type], object] = field(default_factory=dict)
    unreachable: Mapping[str, Problem] = field(default_factory=dict)

    def has(self, host: str, kind: type[F]) -> bool:
        """Tell whether ``kind`` was read from ``host``."""
        return (host, kind) in self._values

    def of(self, host: str, kind: type[F]) -> F:
        """Give the facts of class ``kind`` of ``host``; ``KeyError`` when not read."""
        return cast(F, self._values[host, kind])

    def with_(self, host: str, value: object) -> Facts:
        """Replace the facts of ``type(value)`` of ``host``."""
        return replace(self, _values={**self._values, (host, type(value)): value})

    def merge(self, newer: Facts) -> Facts:
        """Take everything of ``newer`` over what is here."""
        return Facts({**self._values, **newer._values}, {**self.unreachable, **newer.unreachable})
