"""One change on one host, with its reason, its risk and its predicted effect."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sanglier.core.action import Action
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.shell import render

Effect = Callable[[Facts], Facts]
"""Predicts the facts after the step; pure."""


class Risk(StrEnum):
    """What a step can cost."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"
    """May stall or interrupt I/O, or restart a service."""
    DESTRUCTIVE = "destructive"
    """Destroys data; never runs without a consent that names the thing."""


class Mark(StrEnum):
    """The sign in front of a step in a plan."""

    CREATE = "+"
    CHANGE = "~"
    REMOVE = "-"
    START = ">"
    STOP = "<"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change of one thing on one host.

    ``phase`` orders steps inside a layer: all hosts finish a phase before any
    begins the next; inside a phase each host runs its own steps in order.
    ``limit`` is the time allowed on the far side, in seconds.
    """

    address: Address
    phase: int
    mark: Mark
    summary: str
    reason: str
    actions: tuple[Action, ...]
    effect: Effect = field(compare=False, repr=False)
    risk: Risk = Risk.SAFE
    consent: str | None = None
    limit: int = 60
    detail: tuple[str, ...] = field(default=(), compare=False)

    @property
    def fingerprint(self) -> str:
        """Identity for "equal to what was consented to": address, summary, risk, commands.

        Not the mark: a file that a package brings meanwhile is changed, not created.
        """
        parts = [str(self.address), self.summary, str(self.risk)]
        parts += [render(action, reveal=True) for action in self.actions]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()
