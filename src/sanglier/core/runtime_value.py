"""A timeout in force on a host, beside the one that is wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NUMBER = re.compile(r"([0-9]{1,9})s?")
"""Pacemaker writes seconds with their unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeValue:
    """One timeout in force on one host, in its tool's own unit."""

    host: str
    layer: str
    name: str
    """As its tool calls it, after what it belongs to: ``data ping-int``, ``sda timeout``."""
    wanted: str
    actual: str | None
    """``None`` when nothing is in force: a resource down, a session or a cluster missing."""
    timing: str
    """Field of the file's timings that it is in force for; empty for what is in no inequality."""

    @property
    def differs(self) -> bool:
        """Whether another value than the wanted one is in force, or none."""
        return self.actual != self.wanted

    @property
    def subject(self) -> str:
        """What on the host it belongs to; empty when there is one of it."""
        return self.name.rpartition(" ")[0]

    @property
    def word(self) -> str:
        """Its tool's own name alone."""
        return self.name.rpartition(" ")[2]

    @property
    def number(self) -> int:
        """Value in force as a number; the wanted one where none (or no number) is in force."""
        found = NUMBER.fullmatch(self.actual or "") or NUMBER.fullmatch(self.wanted)
        return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Compares what a layer wants with what it has read."""

    layer: str
    timings: Mapping[str, str]
    """A value's name, as its tool calls it -> the field of the timings that it is in force for."""

    def compare(
        self, host: str, subject: str, wanted: Mapping[str, str], now: Mapping[str, str]
    ) -> Iterator[RuntimeValue]:
        """Give each wanted value of ``subject``, empty where a host has one such thing."""
        for name, value in wanted.items():
            yield RuntimeValue(
                host=host, layer=self.layer, name=f"{subject} {name}" if subject else name,
                wanted=value, actual=now.get(name), timing=self.timings.get(name, ""),
            )  # fmt: skip
