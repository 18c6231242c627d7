"""Nobody is fenced who should live.

Who may be is said by each fault, from the moment at which it is made until the cluster is whole
again after it; of the faults that strike together so many may die as they say together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sanglier.drill.result import Check, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerEvent:
    """A server was switched off or reset, by a fence device or by itself; not by the drill."""

    host: str
    at_s: float
    action: str
    """``off``, ``reset``, or ``self`` for a server that fenced itself (o2cb)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Who may be fenced because of one fault, and when.  Seconds since the drill's zero."""

    group: int
    """Place in the schedule: faults of one group strike together."""
    hosts: frozenset[str]
    at_most: int
    """How many of them."""
    from_s: float
    to_s: float = math.inf
    """When the cluster was whole again; infinite while it is not."""

    def covers(self, event: PowerEvent) -> bool:
        """Whether it allows this one."""
        return event.host in self.hosts and self.from_s <= event.at_s <= self.to_s


def check_fences(events: Sequence[PowerEvent] | None, permissions: Sequence[Permission]) -> Check:
    """Judge who was fenced; ``events`` is ``None`` when that could not be told."""
    if events is None:
        return _check(Verdict.UNKNOWN, "the fence devices could not be asked", ())
    told = tuple(f"{event.at_s:.1f} s: {event.host} {event.action}" for event in events)
    wrong = {e.host for e in events if not any(one.covers(e) for one in permissions)}
    if wrong:
        return _check(Verdict.INVALID, f"fenced without reason: {', '.join(sorted(wrong))}", told)
    if crowds := list(_crowds(events, permissions)):
        return _check(Verdict.INVALID, crowds[0], told)
    who = ", ".join(sorted({event.host for event in events})) or "nobody"
    return _check(Verdict.VALID, f"fenced: {who}", told, len(events))


def _crowds(events: Iterable[PowerEvent], permissions: Sequence[Permission]) -> Iterator[str]:
    """Say where more servers died of one group of faults than it allows."""
    events = tuple(events)
    for group in dict.fromkeys(one.group for one in permissions):
        mine = [one for one in permissions if one.group == group]
        fenced = {e.host for e in events if any(one.covers(e) for one in mine)}
        most = sum(one.at_most for one in mine)
        if len(fenced) > most:
            yield f"at most {most} may be fenced, not {', '.join(sorted(fenced))}"


def _check(verdict: Verdict, summary: str, details: tuple[str, ...], fences: int = 0) -> Check:
    return Check(
        name="fences",
        subject="cluster",
        verdict=verdict,
        summary=summary,
        details=details,
        numbers={"fences": fences},
    )
