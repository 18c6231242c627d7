"""Never both sides of a volume open at once, as sampled on both storage servers all through.

A side counts as open only between two samples that both show it open and are at most ``blind_s``
apart, so that an overlap is evidence, not a guess.  A server that was not seen for longer, or that
was killed in between, may have been anything: its span ends at the last sample that showed it open.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sanglier.drill.result import Check, OpenSpan, Verdict

OPEN = frozenset({"0", "1", "4"})
"""ALUA states in which a target does I/O: active/optimized, active/non-optimized, LBA-dependent
(SPC-4 5.15.2.4; ``alua_access_state`` of LIO)."""
_DETAILS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a storage server said of its side of a volume."""

    host: str
    volume: str
    at_s: float
    """On a clock that both servers share."""
    state: str
    """``alua_access_state``, or ``absent``."""

    @property
    def open(self) -> bool:
        """Whether initiators can do I/O through this side."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A storage server was killed at this moment, on the samples' clock."""

    host: str
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A fault opened this side itself; it must be shut by ``until_s``, on the samples' clock."""

    host: str
    from_s: float
    until_s: float

    def excuses(self, hosts: tuple[str, str], from_s: float, to_s: float) -> bool:
        """Whether both sides were open only because of it."""
        return self.host in hosts and self.from_s <= from_s and to_s <= self.until_s


def _joined(before: Sample, after: Sample, kills: Iterable[Kill], blind_s: float) -> bool:
    """Whether a side that both samples show open was open in between."""
    killed = any(k.host == before.host and before.at_s <= k.at_s <= after.at_s for k in kills)
    return before.open and after.open and after.at_s - before.at_s <= blind_s and not killed


def _spans_of(
    samples: Sequence[Sample], kills: Iterable[Kill], blind_s: float
) -> tuple[OpenSpan, ...]:
    """Give the open spans of one server's side, samples in order of time."""
    runs: list[list[Sample]] = []
    for sample in samples:
        if runs and _joined(runs[-1][-1], sample, kills, blind_s):
            runs[-1].append(sample)
        elif sample.open:
            runs.append([sample])
        else:
            continue
    return tuple(
        OpenSpan(volume=r[0].volume, host=r[0].host, from_s=r[0].at_s, to_s=r[-1].at_s)
        for r in runs
    )


def _by_side(samples: Iterable[Sample]) -> Mapping[tuple[str, str], list[Sample]]:
    sides: dict[tuple[str, str], list[Sample]] = {}
    for sample in sorted(samples, key=lambda s: s.at_s):
        sides.setdefault((sample.volume, sample.host), []).append(sample)
    return sides


def open_spans(
    samples: Iterable[Sample], kills: Sequence[Kill] = (), blind_s: float = 5.0
) -> tuple[OpenSpan, ...]:
    """Give the open spans of every side, in order of time."""
    sides = _by_side(samples)
    spans = [span for side in sides.values() for span in _spans_of(side, kills, blind_s)]
    return tuple(sorted(spans, key=lambda span: (span.from_s, span.host)))


def _overlaps(spans: Iterable[OpenSpan], planted: Sequence[Planted]) -> list[str]:
    found = []
    for one, other in itertools.combinations(spans, 2):
        from_s, to_s = max(one.from_s, other.from_s), min(one.to_s, other.to_s)
        if one.host != other.host and one.volume == other.volume and from_s <= to_s:
            if any(p.excuses((one.host, other.host), from_s, to_s) for p in planted):
                continue
            hosts = " and ".join(sorted((one.host, other.host)))
            found.append(
                f"{one.volume}: {hosts} both open for {to_s - from_s:.1f} s at {from_s:.1f}"
            )
    return found


def _blind(samples: Sequence[Sample], blind_s: float) -> list[str]:
    """Say when neither server was seen for long."""
    times = sorted(sample.at_s for sample in samples)
    return [
        f"neither server was seen from {before:.1f} to {after:.1f}"
        for before, after in itertools.pairwise(times)
        if after - before > blind_s
    ]


def check_openness(
    volume: str,
    hosts: Sequence[str],
    samples: Iterable[Sample],
    kills: Sequence[Kill] = (),
    blind_s: float = 5.0,
    planted: Sequence[Planted] = (),
) -> Check:
    """Judge one volume; UNKNOWN when one of its ``hosts`` was never sampled.

    What a fault opened itself is excused for its own stated time, and no longer.
    """
    mine = [sample for sample in samples if sample.volume == volume]
    unseen = [host for host in hosts if not any(sample.host == host for sample in mine)]
    both = _overlaps(open_spans(mine, kills, blind_s), planted)
    if both:
        verdict, summary = Verdict.INVALID, both[0]
    elif unseen:
        verdict, summary = Verdict.UNKNOWN, f"never sampled: {', '.join(unseen)}"
    else:
        verdict = Verdict.VALID
        summary = f"{len(mine)} samples, never both sides open"
        summary += " but while a fault had opened one" if planted else ""
    details = [*both, *_blind(mine, blind_s)]
    return Check(
        name="both-open",
        subject=volume,
        verdict=verdict,
        summary=summary,
        details=tuple(details[:_DETAILS]),
        numbers={"samples": len(mine)},
    )
