"""What a drill came to, as frozen values: checks, summary, JSON and page share them.

Times are seconds since the drill's workload started (its own clock, ``time.monotonic``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What a check came to; a check that could not be made is never VALID."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNKNOWN = "UNKNOWN"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """One INVALID makes all INVALID, then one UNKNOWN makes all UNKNOWN; nothing is UNKNOWN."""
    found = set(verdicts)
    if Verdict.INVALID in found:
        return Verdict.INVALID
    if Verdict.UNKNOWN in found or not found:
        return Verdict.UNKNOWN
    return Verdict.VALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question about what was kept, and its answer."""

    name: str
    """What was asked, e.g. ``lost``, ``stale``, ``both-open``, ``fsck``."""
    subject: str
    """Of what: a workload, a volume, a host."""
    verdict: Verdict
    summary: str
    """One sentence for people."""
    details: tuple[str, ...] = ()
    """Evidence, at most a few dozen lines."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Figures for tables, e.g. ``acknowledged``, ``lost``."""


class MomentKind(StrEnum):
    """What a moment of the timeline is."""

    FAULT = "fault"
    HEAL = "heal"
    FENCED = "fenced"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happened."""

    at_s: float
    kind: MomentKind
    host: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSpan:
    """A stretch of time in which one side of a volume was seen open."""

    volume: str
    host: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """A stretch of time without an acknowledgement on one server."""

    server: str
    from_s: float
    to_s: float

    @property
    def length_s(self) -> float:
        """How long it was."""
        return self.to_s - self.from_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Acknowledgements of one server, all workloads together."""

    server: str
    per_second: tuple[int, ...]
    """Number in each second from the start."""
    stalls: tuple[Stall, ...]
    """Of a second or more, longest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillRun:
    """One drill from start to verdict."""

    name: str
    """Of the drill, or ``random`` with a round number."""
    explains: str
    """What it does, in a sentence for somebody who was not there."""
    seed: int | None
    schedule: tuple[str, ...]
    """The faults in order, as words that ``drill replay`` understands."""
    started: str
    """Wall clock, ISO 8601 in UTC."""
    length_s: float
    moments: tuple[Moment, ...]
    open_spans: tuple[OpenSpan, ...]
    series: tuple[Series, ...]
    checks: tuple[Check, ...]
    injections: int
    """Faults that were injected and took."""
    predicted_stall_s: float | None = None
    """The solver's worst stall for these faults; ``None`` when it makes no prediction."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks."""
        return worst(check.verdict for check in self.checks)

    @property
    def stall_s(self) -> float:
        """Longest stall of any server."""
        return max((s.length_s for line in self.series for s in line.stalls), default=0.0)

    @property
    def begun(self) -> bool:
        """Whether it came as far as its first fault; one that did not says why, and no more."""
        return any(check.name != "faults" for check in self.checks)

    def total(self, number: str) -> float:
        """Sum of a figure over the checks that give it."""
        return sum(check.numbers.get(number, 0) for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A run of one or more drills, as kept on disk and shown."""

    identity: str
    """Its directory's name: time and seed."""
    cluster: str
    access: str
    timings: str
    version: str
    """Of sanglier."""
    machine: str
    """What it ran on, in a few words: lab or servers, kernel, processors."""
    runs: tuple[DrillRun, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the runs."""
        return worst(run.verdict for run in self.runs)
