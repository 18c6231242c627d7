"""Power over the hosts, from outside: what a lab has, and real servers mostly have not."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from sanglier.drill.checkers.fences import PowerEvent

SWITCH = "bmc"
"""What is cut and healed as if it were a network, so that a power switch answers nothing."""


class Manner(StrEnum):
    """How a power switch behaves."""

    HONEST = "honest"
    SLOW = "slow"
    """It answers at once and acts some seconds later."""
    LATE = "late"
    """It acts at once, and its answers come some seconds later."""
    LIES = "lies"
    """It says that it did, and does nothing."""


class Power(Protocol):
    """Switches, plugs and the log of the power switches; every call returns when it is done.

    Networks are named ``management``, ``replication``, ``san-a``, ``san-b``.
    """

    async def behave(self, host: str, manner: Manner) -> None:
        """Have the power switch of a host behave so."""
        ...

    async def manner(self, host: str) -> Manner:
        """Tell how it behaves."""
        ...

    async def kill(self, host: str) -> None:
        """Cut the power."""
        ...

    async def unflushed(self, host: str) -> int | None:
        """Count the blocks that were written and not flushed when a host lost its power.

        ``None`` where the disks have no cache that could be lost, or it is not known.
        """
        ...

    async def start(self, host: str) -> None:
        """Boot a host that is off; returns before it answers."""
        ...

    async def freeze(self, host: str) -> None:
        """Stop every instruction."""
        ...

    async def thaw(self, host: str) -> None:
        """Let it go on, if it is frozen."""
        ...

    async def pause(self, host: str) -> None:
        """Stop every instruction and the host's clock."""
        ...

    async def resume(self, host: str) -> None:
        """Let it go on, if it is paused: it has noticed nothing."""
        ...

    async def cut(self, host: str, network: str) -> None:
        """Unplug."""
        ...

    async def heal(self, host: str, network: str) -> None:
        """Plug in again."""
        ...

    async def dead(self, host: str) -> bool:
        """Whether it is off."""
        ...

    async def unplugged(self, host: str) -> frozenset[str]:
        """Networks that its cables are not in, as seen just now."""
        ...

    async def fenced(self) -> Sequence[PowerEvent]:
        """What the power switches did on somebody's order, with seconds since the epoch."""
        ...
