"""Where a step, a fact or a problem lives: host, layer, subject."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Address:
    """Identity of a thing on a host, e.g. ``disk-a/drbd/data``."""

    host: str
    layer: str
    subject: str

    def __str__(self) -> str:
        return f"{self.host}/{self.layer}/{self.subject}"
