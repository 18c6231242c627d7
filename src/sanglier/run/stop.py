"""A wish to stop: nothing new is begun, what is under way comes to its end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class StopFlag:
    """Set once, by whom it may concern; read before anything new is begun."""

    because: str = ""

    def request(self, because: str) -> None:
        """Ask to stop; the first reason stands."""
        self.because = self.because or because

    @property
    def requested(self) -> bool:
        """Whether anyone asked."""
        return bool(self.because)
