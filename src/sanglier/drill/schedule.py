"""Which faults, in which order: as words that can be kept and played again.

A word is ``NAME[:CHOICE][+SECONDS]``, or several joined with ``&`` that strike together.
``CHOICE`` picks among the application servers, or among all hosts; ``SECONDS`` is the time until it
is healed.  Each word waits until the cluster is whole again after the one before.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sanglier.core.errors import SanglierError
from sanglier.drill.faults import FAULTS
from sanglier.drill.faults.base import Fault
from sanglier.drill.scene import without_pause, without_power, without_time

ITEM = re.compile(r"(?P<name>[a-z0-9-]+)(:(?P<choice>[0-9]{1,2}))?(\+(?P<hold>[0-9]{1,4}))?")
TOGETHER = 0.2
"""Share of random words that are two faults at once."""
LONGEST_RANDOM_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One fault in a schedule."""

    fault: Fault
    choice: int = 0
    hold_s: int

    def __str__(self) -> str:
        choice = f":{self.choice}" if self.choice else ""
        return f"{self.fault.name}{choice}+{self.hold_s}"


Group = tuple[Item, ...]
"""Faults that strike together."""


def single(name: str) -> Group:
    """Give a fault alone, with its own time."""
    fault = FAULTS[name]
    return (Item(fault=fault, hold_s=round(fault.hold_s)),)


def word(group: Group) -> str:
    """Write a group as a word."""
    return "&".join(str(item) for item in group)


def parse(text: str) -> Group:
    """Read a word; raises SG-DRILL-001 with the names that exist."""
    return tuple(_item(text, part) for part in text.split("&"))


def _item(whole: str, text: str) -> Item:
    match = ITEM.fullmatch(text)
    if match is None or match["name"] not in FAULTS:
        raise SanglierError(
            code="SG-DRILL-001",
            subject=whole,
            what=f"{text!r} is no fault that can be played",
            why="a word is NAME[:CHOICE][+SECONDS], several joined with &",
            fix=f"the names: {', '.join(FAULTS)}",
        )
    fault = FAULTS[match["name"]]
    hold_s = int(match["hold"]) if match["hold"] else round(fault.hold_s)
    return Item(fault=fault, choice=int(match["choice"] or 0), hold_s=hold_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What there is to make faults with."""

    power: bool
    """Power over the hosts: a lab."""
    fence_s: int
    """What the file's timeouts give a fence device, seconds."""
    pauses: bool = False
    """Whether the hosts' clocks can be stopped: a lab of virtual machines."""

    def make(self, fault: Fault) -> bool:
        """Tell whether the fault can be made."""
        return self.refusal(fault, fault.name) is None

    def refusal(self, fault: Fault, subject: str) -> SanglierError | None:
        """Say why it cannot be made: SG-DRILL-011, 017 or 016."""
        if fault.needs_power and not self.power:
            return without_power(subject)
        if fault.needs_pause and not self.pauses:
            return without_pause(subject)
        if fault.fence_s > self.fence_s:
            return without_time(subject, fault.fence_s, self.fence_s)
        return None


def available(means: Means) -> tuple[Fault, ...]:
    """Return the faults that can be made."""
    return tuple(fault for fault in FAULTS.values() if means.make(fault))


def draw(seed: int, rounds: int, size: int, means: Means) -> tuple[tuple[Group, ...], ...]:
    """Draw ``rounds`` schedules of ``size`` words; the same seed and means: the same schedules."""
    chance = random.Random(seed)
    plain = tuple(fault for fault in available(means) if fault.plain)
    return tuple(tuple(_group(chance, plain) for _ in range(size)) for _ in range(rounds))


def _group(chance: random.Random, faults: Sequence[Fault]) -> Group:
    if chance.random() < TOGETHER:
        together = chance.sample([fault for fault in faults if not fault.alone], 2)
        return tuple(_drawn(chance, fault) for fault in together)
    return (_drawn(chance, chance.choice(faults)),)


def _drawn(chance: random.Random, fault: Fault) -> Item:
    hold_s = min(LONGEST_RANDOM_S, max(1, round(fault.hold_s * chance.uniform(0.5, 1.3))))
    return Item(fault=fault, choice=chance.randrange(fault.choices), hold_s=hold_s)
