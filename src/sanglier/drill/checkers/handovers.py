"""A side opens after the other one was shut, and somebody saw that.

For the first open sample of a side after an open one of the other there must be evidence, earlier
than it, that the other was not open any more: a sample that says so, its confirmed loss of power,
or a boot that began since.  None is UNKNOWN: it may have been shut where nobody looked.  INVALID is
an other one that was open again later in the same boot, or lost its power only later.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sanglier.drill.checkers.samples import Kill, Sample, Sides
from sanglier.drill.result import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One side opened after the other had been open."""

    opened: Sample
    """First that shows it."""
    verdict: Verdict
    why: str

    def __str__(self) -> str:
        """Tell it in a line."""
        one = self.opened
        return f"{one.volume}: {one.host} open at {one.to_s:.1f} s: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Closing:
    """Evidence that a side was not open any more, by a moment of our clock."""

    by_s: float
    words: str


def handovers(sides: Sides, kills: Sequence[Kill], blind_s: float) -> Iterator[Handover]:
    """Judge every opening of every side."""
    for (volume, host), mine in sides.items():
        for (others_volume, other), theirs in sides.items():
            if volume == others_volume and host != other:
                yours = [kill for kill in kills if kill.host == other]
                yield from _between(mine, theirs, yours, blind_s)


def _between(
    mine: Sequence[Sample], theirs: Sequence[Sample], kills: Sequence[Kill], blind_s: float
) -> Iterator[Handover]:
    judged_s = float("-inf")
    for place, sample in enumerate(mine):
        if not sample.open or (place and _goes_on(mine[place - 1], sample, blind_s)):
            continue
        last = _last_open(theirs, sample)
        if last is not None and theirs[last].to_s >= judged_s:
            yield _judged(mine[place:], theirs[last:], kills)
            judged_s = sample.from_s


def _goes_on(before: Sample, after: Sample, blind_s: float) -> bool:
    return before.open and before.leads_to(after, blind_s)


def _last_open(theirs: Sequence[Sample], opened: Sample) -> int | None:
    """Give the place of the last open sample that may have been before ``opened``."""
    places = (n for n, one in enumerate(theirs) if one.open and one.from_s <= opened.to_s)
    return max(places, default=None)


def _judged(mine: Sequence[Sample], theirs: Sequence[Sample], kills: Sequence[Kill]) -> Handover:
    """Judge from the first open sample of one side, and the last open one of the other before."""
    opened, last = mine[0], theirs[0]
    after = theirs[1] if len(theirs) > 1 else None
    kill = next((one for one in kills if one.to_s >= last.from_s and not _lie(one, theirs)), None)
    found = [one for one in (_seen(last, after), _killed(last, kill)) if one]
    first = min(found, key=lambda one: one.by_s, default=None)
    host, seen = last.host, f"{last.host}, last seen open at {last.from_s:.1f} s,"
    if first and first.by_s <= opened.from_s:
        return Handover(opened=opened, verdict=Verdict.VALID, why=first.words)
    if after and _again(mine, last, after):
        why = f"{host} was open before, and at {after.from_s:.1f} s in the same boot"
        return Handover(opened=opened, verdict=Verdict.INVALID, why=why)
    if kill and kill.from_s > opened.to_s and not _same_boot(last, after):
        why = f"{seen} was switched off only at {kill.from_s:.1f} s"
        return Handover(opened=opened, verdict=Verdict.INVALID, why=why)
    why = f"{host} was not seen shut before; last seen open at {last.from_s:.1f} s"
    return Handover(opened=opened, verdict=Verdict.UNKNOWN, why=why)


def _lie(kill: Kill, theirs: Sequence[Sample]) -> bool:
    """Whether its victim lived on in the same boot: then it was none."""
    return any(one.boot == theirs[0].boot and one.from_s > kill.to_s for one in theirs)


def _same_boot(last: Sample, after: Sample | None) -> bool:
    return after is not None and after.boot == last.boot


def _seen(last: Sample, after: Sample | None) -> _Closing | None:
    """Give what the next sample proves: it is not open, or of a boot that began since."""
    if after is None or (after.open and after.boot == last.boot):
        return None
    if after.boot == last.boot:
        return _Closing(by_s=after.to_s, words=f"{last.host} was shut by {after.to_s:.1f} s")
    by_s = after.to_s - after.since_boot_s
    return _Closing(by_s=by_s, words=f"{last.host} had booted anew by {by_s:.1f} s")


def _killed(last: Sample, kill: Kill | None) -> _Closing | None:
    if kill is None:
        return None
    words = f"{last.host} was switched off by {kill.to_s:.1f} s"
    return _Closing(by_s=kill.to_s, words=words)


def _again(mine: Sequence[Sample], last: Sample, after: Sample) -> bool:
    """Whether the other is open again in its boot, and this side was not seen shut before that."""
    shut = any(not one.open and one.from_s <= after.to_s for one in mine[1:])
    return after.open and after.boot == last.boot and not shut
