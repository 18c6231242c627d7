"""What storage servers said of their sides, and when: on our own clock, and on nobody else's.

A host's clock may be wrong by any amount, and be stepped.  So a sample has two moments of ours:
it was taken after the last request that its host had heard by then was sent, and before it reached
us.  Between samples of one boot the host's clock since boot tells more: it never runs faster than
ours (a host that is frozen or paused stands still), so that a later sample bounds an earlier one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

OPEN = frozenset({"0", "1", "4"})
"""ALUA states in which a target does I/O: active/optimized, active/non-optimized, LBA-dependent
(SPC-4 5.15.2.4; ``alua_access_state`` of LIO)."""
DRIFT = 1e-3
"""Share by which two clocks run apart at most; adjtimex(2) slews by half of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a storage server said of its side of a volume.  Seconds since the drill's zero."""

    host: str
    volume: str
    state: str
    """``alua_access_state``, or ``absent``, ``disabled``."""
    boot: str
    """Identity of the boot in which it was taken."""
    since_boot_s: float
    """On the host's own clock, CLOCK_BOOTTIME."""
    from_s: float
    """Not before this moment of our clock."""
    to_s: float
    """Not after this moment of our clock."""

    @property
    def open(self) -> bool:
        """Whether initiators can do I/O through this side."""
        return self.state in OPEN

    def leads_to(self, after: Sample, blind_s: float) -> bool:
        """Whether ``after`` is of the same boot, and not so late that much was missed between."""
        return self.boot == after.boot and after.since_boot_s - self.since_boot_s <= blind_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A storage server lost its power, confirmed, between these moments of our clock."""

    host: str
    from_s: float
    to_s: float


Sides = Mapping[tuple[str, str], Sequence[Sample]]
"""(Volume, host) -> its samples, in the order in which they were taken."""


def sides(samples: Iterable[Sample]) -> Sides:
    """Sort samples, given in the order in which they came, by side; each as exact as can be."""
    found: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        found.setdefault((sample.volume, sample.host), []).append(sample)
    return {side: narrowed(told) for side, told in found.items()}


def narrowed(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Narrow the moments of one side's samples by those before and after in the same boot."""
    return [
        one
        for _, boot in itertools.groupby(samples, key=lambda sample: sample.boot)
        for one in _narrowed(list(boot))
    ]


def _narrowed(boot: Sequence[Sample]) -> Sequence[Sample]:
    floors = list(itertools.accumulate(boot[1:], _not_before, initial=boot[0]))
    backwards = reversed(floors[:-1])
    both = list(itertools.accumulate(backwards, _not_after, initial=floors[-1]))[::-1]
    if any(sample.from_s > sample.to_s for sample in both):
        return boot  # a clock that runs ahead of ours: only what we know ourselves
    return both


def _slow_s(before: Sample, after: Sample) -> float:
    return (after.since_boot_s - before.since_boot_s) * (1 - DRIFT)


def _not_before(before: Sample, after: Sample) -> Sample:
    return replace(after, from_s=max(after.from_s, before.from_s + _slow_s(before, after)))


def _not_after(after: Sample, before: Sample) -> Sample:
    return replace(before, to_s=min(before.to_s, after.to_s - _slow_s(before, after)))
