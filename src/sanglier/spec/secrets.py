"""The cluster's secrets as values; reading and writing their file is ``run.secrets``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sanglier.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """Everything that must not be seen."""

    drbd: Mapping[str, Secret]
    """Volume name -> DRBD shared secret (at most 64 characters, drbd.conf(5))."""
    chap: Mapping[str, Secret]
    """Application server name -> CHAP password (12 to 16 characters, RFC 7143 12.1.3)."""

    @property
    def all(self) -> tuple[Secret, ...]:
        """Every secret, for masking."""
        return (*self.drbd.values(), *self.chap.values())
