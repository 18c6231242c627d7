"""Which fault ended when: a heal ends the fault of its host whose words are most like its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sanglier.drill.report.words import line
from sanglier.drill.result import DrillRun, Moment, MomentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault from its injection to its heal."""

    number: int
    """In the order of injection, from 1."""
    host: str
    text: str
    from_s: float
    healed_s: float | None
    """None when nothing healed it before the end."""

    @property
    def label(self) -> str:
        """Its number, words, host (unless the words name it), and whether it was never healed."""
        words = line(self.text)
        host = line(self.host)
        where = "" if not host or host in words else f" ({host})"
        unhealed = ", not healed" if self.healed_s is None else ""
        return f"{self.number}. {words}{where}{unhealed}"


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[\w-]+", text.lower()))


def _choose(open_: Mapping[int, Moment], heal: Moment) -> tuple[int, ...]:
    """Give the places of the faults that a heal ends; one without a host ends all."""
    if not heal.host:
        return tuple(open_)
    likeness = {
        place: len(_words(fault.text) & _words(heal.text))
        for place, fault in open_.items()
        if fault.host == heal.host
    }
    return (max(likeness, key=lambda place: likeness[place]),) if likeness else ()


def _matched(run: DrillRun) -> tuple[list[tuple[Moment, float | None]], list[Moment]]:
    """Give the faults, each with its heal's time, and the heals of nothing."""
    injected: list[Moment] = []
    open_: dict[int, Moment] = {}
    ended: dict[int, float] = {}
    stray = []
    for moment in sorted(run.moments, key=lambda moment: moment.at_s):
        if moment.kind is MomentKind.FAULT:
            open_[len(injected)] = moment
            injected.append(moment)
        elif moment.kind is MomentKind.HEAL:
            healed = _choose(open_, moment)
            ended |= dict.fromkeys(healed, moment.at_s)
            open_ = {place: fault for place, fault in open_.items() if place not in healed}
            stray += [] if healed else [moment]
    return [(fault, ended.get(place)) for place, fault in enumerate(injected)], stray


def faults(run: DrillRun) -> tuple[Fault, ...]:
    """Give the faults in the order of their injection."""
    return tuple(
        Fault(number=n, host=moment.host, text=moment.text, from_s=moment.at_s, healed_s=healed)
        for n, (moment, healed) in enumerate(_matched(run)[0], start=1)
    )


def other_moments(run: DrillRun) -> tuple[Moment, ...]:
    """Give fences, notes and heals of nothing: what is a mark and not a stretch; fences first."""
    kinds = (MomentKind.FENCED, MomentKind.NOTE)
    found = [m for m in run.moments if m.kind in kinds] + _matched(run)[1]
    return tuple(sorted(found, key=lambda m: (m.kind is not MomentKind.FENCED, m.at_s)))
