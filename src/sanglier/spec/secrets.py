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
    corosync: Secret
    """Text of Corosync's authkey: 256 hexadecimal digits (128 to 4096 bytes, corosync.conf(5))."""
    fence: Mapping[str, Secret]
    """``FenceDevice.secret_key`` -> password; without the devices that need none."""

    @property
    def all(self) -> tuple[Secret, ...]:
        """Every secret, for masking."""
        return (*self.drbd.values(), *self.chap.values(), self.corosync, *self.fence.values())
