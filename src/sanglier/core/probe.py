"""Read-only questions to a host and their answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from sanglier.core.action import Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What several probes of a host read: done once per gathering, before the first of them.

    Its script runs in the shell that the probes come from, and is heard only through variables.
    """

    sets: tuple[str, ...]
    script: Script


Part = Callable[[str, Collection[str], Collection[str]], str]
"""What a command printed, its words, some of these -> what it printed about those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A read-only script; ``name`` is unique on its host."""

    name: str
    script: Script
    part: Part | None = None
    """Probes with the same text and this are asked at once, with the words of all: one process."""
    needs: tuple[Look, ...] = ()
    """What it reads from variables."""
    plain: bool = False
    """Nothing in it can end a shell (as a wrong number in ``$((…))`` does), and no look sets one of
    its variables: it needs no shell of its own, a fork less.  Options and folder are set back."""
    slow: bool = False
    """It waits for other hosts, and is asked first: all else is then read within moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a probe printed (stdout and stderr together) and its exit status."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """True for exit status 0."""
        return self.status == 0

    @property
    def lines(self) -> tuple[str, ...]:
        """Non-empty lines."""
        return tuple(line for line in self.text.splitlines() if line.strip())


Outputs = Mapping[str, Output]
