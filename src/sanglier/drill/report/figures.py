"""What the checks counted, summed; a figure that no check gave is absent, not 0."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from sanglier.drill.report.words import line, quantity
from sanglier.drill.result import Check, DrillRun, Verdict


class Figure(StrEnum):
    """Keys of ``Check.numbers`` that the reports sum."""

    ACKNOWLEDGED = "acknowledged"
    """Writes whose acknowledgement reached us."""
    LOST = "lost"
    """Acknowledged writes that were not there afterwards."""
    STALE = "stale"
    """Reads that gave something older than what was acknowledged before them."""
    BOTH_OPEN = "both_open"
    """Times at which both sides of a volume were seen open."""
    WRONG_FENCES = "wrong_fences"
    """Servers killed that no fault gave a reason to kill."""


MUST_BE_ZERO = (Figure.LOST, Figure.STALE, Figure.BOTH_OPEN, Figure.WRONG_FENCES)
TITLES = {
    Figure.ACKNOWLEDGED: "writes acknowledged",
    Figure.LOST: "acknowledged writes lost",
    Figure.STALE: "stale reads",
    Figure.BOTH_OPEN: "times both sides open",
    Figure.WRONG_FENCES: "wrong fences",
}
_ONE = {
    Figure.LOST: "acknowledged write lost",
    Figure.STALE: "stale read",
    Figure.BOTH_OPEN: "time both sides open",
    Figure.WRONG_FENCES: "wrong fence",
}


_CHECKS = {
    Figure.LOST: frozenset({"lost"}),
    Figure.STALE: frozenset({"stale"}),
    Figure.BOTH_OPEN: frozenset({"both-open"}),
    Figure.WRONG_FENCES: frozenset({"fences"}),
}
"""Names of the checks that answer for a figure, whether or not they count."""


def _answers(check: Check, key: Figure) -> bool:
    return key in check.numbers or check.name in _CHECKS.get(key, ())


def _value(check: Check, key: Figure) -> float:
    """Give what a check counted; one that does not count found at least one when INVALID."""
    return check.numbers.get(key, float(check.verdict is Verdict.INVALID))


def figure(run: DrillRun, key: Figure) -> float | None:
    """Sum a figure over the checks of a drill; None when none of them gives it.

    A 0 of a check that could not be made says nothing: where one of them is UNKNOWN, and no
    other found anything, a figure that must be 0 is absent.
    """
    answers = [check for check in run.checks if _answers(check, key)]
    value = sum(_value(check, key) for check in answers)
    unsure = key in MUST_BE_ZERO and any(c.verdict is Verdict.UNKNOWN for c in answers)
    return None if not answers or (unsure and not value) else value


def measured_stall_s(run: DrillRun) -> float | None:
    """Give the longest stall: of a server, or of one workload on it when a check was that exact.

    None when nothing was acknowledged, so that there is nothing to measure between.
    """
    told = [check.numbers.get("longest_stall_s", 0.0) for check in _stall_checks(run)]
    longest = max(run.stall_s, *told, 0.0)
    acknowledged = any(any(series.per_second) for series in run.series)
    return longest if acknowledged or longest else None


def exceeds(run: DrillRun) -> bool:
    """Whether the stall is longer than the solver's worst: as its check says, if there is one."""
    checks = _stall_checks(run)
    if checks:
        return any(check.verdict is Verdict.INVALID for check in checks)
    return run.predicted_stall_s is not None and run.stall_s > run.predicted_stall_s


def _stall_checks(run: DrillRun) -> list[Check]:
    return [check for check in run.checks if check.name == "stall"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A figure over several drills."""

    key: Figure
    value: float | None
    """None when no drill gave it."""
    given_by: int
    """Number of drills that gave it."""

    @property
    def broken(self) -> bool:
        """Whether a figure that must be 0 is not."""
        return self.key in MUST_BE_ZERO and bool(self.value)

    @property
    def sentence(self) -> str:
        """Say ``2 stale reads``."""
        title = _ONE.get(self.key, TITLES[self.key]) if self.value == 1 else TITLES[self.key]
        return f"{quantity(self.value)} {title}"


def summed(runs: Iterable[DrillRun], key: Figure) -> Sum:
    """Sum a figure over drills."""
    values = [value for run in runs if (value := figure(run, key)) is not None]
    return Sum(key=key, value=sum(values) if values else None, given_by=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The figures of several drills."""

    drills: int
    injections: int
    sums: tuple[Sum, ...]
    verdicts: tuple[tuple[Verdict, int], ...]
    """Number of drills by verdict, all three always there."""
    stalls_s: tuple[float, ...]
    """Longest stall of each drill that measured one."""

    def of(self, key: Figure) -> Sum:
        """Give one sum."""
        return next(one for one in self.sums if one.key is key)

    def number(self, verdict: Verdict) -> int:
        """Count the drills with that verdict."""
        return dict(self.verdicts)[verdict]

    @property
    def broken(self) -> tuple[Sum, ...]:
        """The sums that must be 0 and are not."""
        return tuple(one for one in self.sums if one.broken)

    @property
    def median_stall_s(self) -> float | None:
        """Median over the drills of their longest stall."""
        return statistics.median(self.stalls_s) if self.stalls_s else None

    @property
    def worst_stall_s(self) -> float | None:
        """The longest stall of all."""
        return max(self.stalls_s, default=None)


def totals(runs: Iterable[DrillRun]) -> Totals:
    """Sum everything over drills."""
    runs = tuple(runs)
    verdicts = [run.verdict for run in runs]
    return Totals(
        drills=len(runs),
        injections=sum(run.injections for run in runs),
        sums=tuple(summed(runs, key) for key in Figure),
        verdicts=tuple((verdict, verdicts.count(verdict)) for verdict in Verdict),
        stalls_s=tuple(s for s in map(measured_stall_s, runs) if s is not None),
    )


def _drills(number: int) -> str:
    return "1 drill" if number == 1 else f"{number} drills"


def headline(runs: Iterable[DrillRun]) -> str:
    """Say what drills came to, in a sentence; claims nothing that was not checked."""
    runs = tuple(runs)
    found = totals(runs)
    invalid, unknown = found.number(Verdict.INVALID), found.number(Verdict.UNKNOWN)
    if not found.drills:
        return "Nothing is known: no drill was run."
    if invalid:
        what = ", ".join([one.sentence for one in found.broken] + _uncounted(runs))
        also = f" {unknown} more could not be judged." if unknown else ""
        return f"{invalid} of {_drills(found.drills)} found something wrong: {what}.{also}"
    if unknown:
        tail = "what could be judged was right."
        return f"{unknown} of {_drills(found.drills)} could not be judged; {tail}"
    every = "The drill passed its checks" if found.drills == 1 else "All drills passed their checks"
    return f"{every}{_none_lost(found)}"


def _uncounted(runs: Iterable[DrillRun]) -> list[str]:
    """Name the checks that failed and that no figure stands for."""
    counted = frozenset[str]().union(*_CHECKS.values())
    failed = (check for run in runs for check in run.checks if check.verdict is Verdict.INVALID)
    names = dict.fromkeys(line(check.name) for check in failed if check.name not in counted)
    return [f"failed: {', '.join(names)}"] if names else []


def _none_lost(found: Totals) -> str:
    acknowledged, lost = found.of(Figure.ACKNOWLEDGED), found.of(Figure.LOST)
    if not acknowledged.value or lost.given_by < found.drills:
        return "."
    return f": of {quantity(acknowledged.value)} acknowledged writes, none was lost."
