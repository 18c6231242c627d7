"""What a host's network looks like from inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """The interface that bears an address."""

    name: str
    mtu: int
    """Bytes; 0 when it could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """Names, addresses and reachability of one host."""

    hostname: str
    addresses: Mapping[str, Interface]
    reachable: Mapping[str, bool]
    """Peer address -> whether a full-size, unfragmented ping came back; absent: not known."""
    clock_ahead_s: float | None
    """How far the host's clock is ahead of ours, in seconds."""
