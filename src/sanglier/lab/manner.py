"""How a power switch behaves: honest, slow, answering late, or lying.

A switch asks for its manner at each command, so that it may change at any time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sanglier.lab import power
from sanglier.lab.identity import write_atomically
from sanglier.lab.place import Place
from sanglier.lab.power import Action, PowerEvent
from sanglier.lab.topology import LabHost

SLOW_S = 5.0
"""From an order to the deed of a slow one: controllers take 3 to 20 s."""
LATE_S = 3.0
"""By which each answer is late.  ipmitool(1) repeats its question meanwhile."""
DONE = 0x00


class Manner(StrEnum):
    """What a power switch is like."""

    HONEST = "honest"
    """It acts, then answers."""
    SLOW = "slow"
    """It answers at once, acts later, and says "on" until then: as most real ones."""
    LATE = "late"
    """It acts at once, and what it says comes late."""
    LIES = "lies"
    """It says that it did, and does nothing."""


def read(place: Place, host: str) -> Manner:
    """Tell how the power switch of a host behaves."""
    try:
        return Manner(place.manner(host).read_text())
    except FileNotFoundError:
        return Manner.HONEST


def write(place: Place, host: str, manner: Manner) -> None:
    """Have it behave so from now on."""
    write_atomically(place.manner(host), str(manner))


class Honest(Protocol):
    """The switch itself, ``bmc.Switch``."""

    @property
    def place(self) -> Place:
        """Of the lab."""
        ...

    @property
    def host(self) -> LabHost:
        """Whose power it has."""
        ...

    def is_on(self) -> bool:
        """Look."""
        ...

    def obey(self, action: Action, requester: str) -> int:
        """Act, note it, and return the completion code."""
        ...


def later(seconds: float, deed: Callable[[], object]) -> None:
    """Do something after a while."""
    timer = threading.Timer(seconds, deed)
    timer.daemon = True
    timer.start()


@dataclass(slots=True, kw_only=True)
class Mannered:
    """A switch with its manner; what it says is true only of the honest."""

    switch: Honest
    later: Callable[[float, Callable[[], object]], None] = later
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _busy_until: float = 0.0
    """When the last deed that it still owes is done."""
    _claimed: bool | None = None
    """What a liar says; nothing until it was told something."""
    _answered: set[tuple[object, ...]] = field(default_factory=set)

    @property
    def host(self) -> LabHost:
        """Whose power it has."""
        return self.switch.host

    @property
    def manner(self) -> Manner:
        """How it behaves just now."""
        return read(self.switch.place, self.host.name)

    def hesitate(self, request: tuple[object, ...]) -> None:
        """Wait if it answers late, once for each request: a repeated one was waited for."""
        if self.manner is Manner.LATE and request not in self._answered:
            self._answered = {request}
            self.sleep(LATE_S)

    def is_on(self) -> bool:
        """Look, or say what it last claimed."""
        if self.manner is not Manner.LIES:
            self._claimed = None
        return self.switch.is_on() if self._claimed is None else self._claimed

    def obey(self, action: Action, requester: str) -> int:
        """Act as its manner is, and return the completion code.

        Deeds are done in the order of their orders, also while the manner changes.
        """
        match self.manner:
            case Manner.LIES:
                return self._lie(action, requester)
            case Manner.SLOW:
                self._busy_until = self.clock() + SLOW_S
                self.later(SLOW_S, lambda: self.switch.obey(action, requester))
                return DONE
            case _:
                if (owes := self._busy_until - self.clock()) > 0:
                    self.sleep(owes)
                return self.switch.obey(action, requester)

    def _lie(self, action: Action, requester: str) -> int:
        """Claim; the log has it as not done, for it was not."""
        self._claimed = action is not Action.OFF
        event = PowerEvent(
            at=time.time(), host=self.host.name, action=action, requester=requester, done=False
        )
        power.note(self.switch.place.power_log, event)
        return DONE
