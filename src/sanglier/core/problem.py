"""What is wrong and what to do about it, found by a layer in the facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sanglier.core.address import Address


class Severity(StrEnum):
    """How much a problem stops."""

    BLOCKER = "blocker"
    """No plan may run while it stands."""
    WARNING = "warning"
    """Said aloud; the plan goes on."""
    WAITING = "waiting"
    """Not finished by itself yet (a resync); steps that depend on it are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A stable code, the subject, and three sentences."""

    code: str
    severity: Severity
    address: Address
    what: str
    why: str
    fix: str

    def __str__(self) -> str:
        return f"{self.address}: {self.what}  [{self.code}]\n  why: {self.why}\n  do:  {self.fix}"
