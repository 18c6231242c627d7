"""Never both sides of a volume open at once, as sampled on both storage servers all through.

Two rules, and both must hold.  At no moment are both open: a side is certainly open between two
samples of one boot that both show it open and are at most ``blind_s`` apart.  And a side opens
only after the other one was shut (:mod:`~sanglier.drill.checkers.handovers`): a server that nobody
sees may be anything.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sanglier.drill.checkers.handovers import Handover, handovers
from sanglier.drill.checkers.samples import Kill, Sample, Sides, sides
from sanglier.drill.result import Check, OpenSpan, Verdict

BLIND_S = 5.0
_DETAILS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A fault opened this side itself; it must be shut by ``until_s``, on our clock."""

    host: str
    from_s: float
    until_s: float

    def excuses(self, hosts: tuple[str, str], from_s: float, to_s: float) -> bool:
        """Whether both sides were open only because of it."""
        return self.host in hosts and self.from_s <= from_s and to_s <= self.until_s

    def opened(self, sample: Sample) -> bool:
        """Whether it is what this first open sample shows."""
        return self.host == sample.host and self.from_s <= sample.to_s <= self.until_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Samples that show one side open, without a break."""

    samples: Sequence[Sample]

    @property
    def brief(self) -> bool:
        """Whether no moment is known at which it was open for certain."""
        return self.samples[0].to_s > self.samples[-1].from_s

    @property
    def span(self) -> OpenSpan:
        """When it was open for certain; of a brief one, within which time it was."""
        edges = sorted((self.samples[0].to_s, self.samples[-1].from_s))
        one = self.samples[0]
        return OpenSpan(volume=one.volume, host=one.host, from_s=edges[0], to_s=edges[1])


def _joined(before: Sample, after: Sample, kills: Iterable[Kill], blind_s: float) -> bool:
    """Whether a side that both samples show open was open in between."""
    killed = any(
        k.host == before.host and before.from_s <= k.to_s and k.from_s <= after.to_s for k in kills
    )
    return before.open and after.open and before.leads_to(after, blind_s) and not killed


def _runs(samples: Sequence[Sample], kills: Sequence[Kill], blind_s: float) -> list[_Run]:
    """Give the open runs of one server's side."""
    runs: list[list[Sample]] = []
    for sample in samples:
        if runs and _joined(runs[-1][-1], sample, kills, blind_s):
            runs[-1].append(sample)
        elif sample.open:
            runs.append([sample])
    return [_Run(samples=run) for run in runs]


def open_spans(
    samples: Iterable[Sample], kills: Sequence[Kill] = (), blind_s: float = BLIND_S
) -> tuple[OpenSpan, ...]:
    """Give the open spans of every side, in order of time."""
    spans = [r.span for one in sides(samples).values() for r in _runs(one, kills, blind_s)]
    return tuple(sorted(spans, key=lambda span: (span.from_s, span.host)))


def _at_once(one: _Run, other: _Run) -> tuple[float, float] | None:
    """Give when both were open for certain, if they were."""
    mine, yours = one.span, other.span
    from_s, to_s = max(mine.from_s, yours.from_s), min(mine.to_s, yours.to_s)
    if one.brief and other.brief:
        return None
    if one.brief or other.brief:
        inner, outer = (mine, yours) if one.brief else (yours, mine)
        within = outer.from_s <= inner.from_s and inner.to_s <= outer.to_s
        return (from_s, to_s) if within else None
    return (from_s, to_s) if from_s <= to_s else None


def _overlaps(runs: Iterable[_Run], planted: Sequence[Planted]) -> Iterator[str]:
    for one, other in itertools.combinations(runs, 2):
        mine, yours = one.span, other.span
        if mine.host == yours.host or mine.volume != yours.volume:
            continue
        when = _at_once(one, other)
        if when is None or any(p.excuses((mine.host, yours.host), *when) for p in planted):
            continue
        hosts = " and ".join(sorted((mine.host, yours.host)))
        length_s = when[1] - when[0]
        yield f"{mine.volume}: {hosts} both open for {length_s:.1f} s at {when[0]:.1f}"


def _blind(samples: Sequence[Sample], blind_s: float) -> list[str]:
    """Say when neither server was seen for long."""
    times = sorted(sample.to_s for sample in samples)
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
    blind_s: float = BLIND_S,
    planted: Sequence[Planted] = (),
    until_s: float | None = None,
) -> Check:
    """Judge one volume; UNKNOWN when one of its ``hosts`` was never sampled, or not to the end.

    The end is not before ``until_s``, when all hosts lived.

    ``samples`` are in the order in which they came.  What a fault opened itself is excused for its
    own stated time, and no longer.
    """
    mine = [sample for sample in samples if sample.volume == volume]
    told = sides(mine)
    runs = [run for side in told.values() for run in _runs(side, kills, blind_s)]
    both = list(_overlaps(runs, planted))
    passed = [
        one
        for one in handovers(told, kills, blind_s)
        if not any(p.opened(one.opened) for p in planted)
    ]
    wrong = [*both, *_of(passed, Verdict.INVALID)]
    doubts = [*_unseen(volume, hosts, told, until_s), *_of(passed, Verdict.UNKNOWN)]
    if wrong:
        verdict, summary = Verdict.INVALID, wrong[0]
    elif doubts:
        verdict, summary = Verdict.UNKNOWN, doubts[0]
    else:
        verdict, summary = Verdict.VALID, _good(len(mine), len(passed), bool(planted))
    details = [*wrong, *doubts, *_of(passed, Verdict.VALID), *_blind(mine, blind_s)]
    return Check(
        name="both-open",
        subject=volume,
        verdict=verdict,
        summary=summary,
        details=tuple(details[:_DETAILS]),
        numbers={"samples": len(mine), "handovers": len(passed)},
    )


def _unseen(volume: str, hosts: Sequence[str], told: Sides, until_s: float | None) -> Iterator[str]:
    """Say which servers were never seen, or for the last time before ``until_s``."""
    last = {host: told[volume, host][-1] for host in hosts if (volume, host) in told}
    if never := [host for host in hosts if host not in last]:
        yield f"never sampled: {', '.join(never)}"
    for host, sample in last.items():
        if until_s is not None and sample.from_s < until_s:
            yield f"{host} was not seen any more after {sample.to_s:.1f} s, although it lived"


def _of(passed: Iterable[Handover], verdict: Verdict) -> list[str]:
    return [str(one) for one in passed if one.verdict is verdict]


def _good(samples: int, passed: int, planted: bool) -> str:
    but = " but while a fault had opened one" if planted else ""
    times = f", {passed} times one opened, after the other was seen shut" if passed else ""
    return f"{samples} samples, never both sides open{but}{times}"
