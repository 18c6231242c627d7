"""How long applications waited, against the solver's prediction; whether they went on at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sanglier.drill.history import History
from sanglier.drill.result import Check, Series, Stall, Verdict

SHORTEST_S = 1.0
"""Of a stall in a :class:`Series`, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """A server was down on purpose: its silence is no stall.  On the histories' clock."""

    server: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The run, on the histories' clock."""

    from_s: float
    to_s: float
    away: tuple[Away, ...] = ()

    def _absences(self, server: str) -> list[Away]:
        return [away for away in self.away if away.server == server]

    def gaps(self, server: str, times: Iterable[float]) -> tuple[Stall, ...]:
        """Give every stretch without a time, from the first to the last moment of the run.

        An absence splits a stretch in two, and is none itself.
        """
        absences = self._absences(server)
        edges = {edge for away in absences for edge in (away.from_s, away.to_s)}
        inside = {time for time in edges.union(times) if self.from_s <= time <= self.to_s}
        marks = sorted(inside | {self.from_s, self.to_s})
        return tuple(
            Stall(server=server, from_s=before, to_s=after)
            for before, after in itertools.pairwise(marks)
            if not any(away.from_s <= before and after <= away.to_s for away in absences)
        )

    def ends_away(self, server: str) -> bool:
        """Whether the server was still down at the end."""
        return any(away.to_s >= self.to_s for away in self._absences(server))


def _times(histories: Iterable[History]) -> Mapping[tuple[str, str], list[float]]:
    """(Server, workload) -> times of acknowledgement, over all incarnations."""
    times: dict[tuple[str, str], list[float]] = {}
    for history in histories:
        acks = times.setdefault((history.server, history.workload), [])
        acks += [ack.at_s for ack in history.acks]
    return times


def series(histories: Sequence[History], window: Window) -> tuple[Series, ...]:
    """Give acknowledgements per second and stalls of every server, all workloads together.

    Times in the result count from the start of the run.
    """
    return tuple(
        _series(server, [h for h in histories if h.server == server], window)
        for server in sorted({history.server for history in histories})
    )


def _series(server: str, histories: Sequence[History], window: Window) -> Series:
    times = [ack.at_s for history in histories for ack in history.acks]
    counts = [0] * (int(window.to_s - window.from_s) + 1)
    for time in times:
        if window.from_s <= time <= window.to_s:
            counts[int(time - window.from_s)] += 1
    stalls = [gap for gap in window.gaps(server, times) if gap.length_s >= SHORTEST_S]
    relative = (
        Stall(server=server, from_s=s.from_s - window.from_s, to_s=s.to_s - window.from_s)
        for s in stalls
    )
    longest_first = sorted(relative, key=lambda stall: -stall.length_s)
    return Series(server=server, per_second=tuple(counts), stalls=tuple(longest_first))


def check_stall(
    histories: Sequence[History], window: Window, predicted_s: float | None, allowance_s: float
) -> Check:
    """Judge the longest stall of any workload on any server.

    It may last ``predicted_s`` (``None``: any time) and ``allowance_s`` more: the pause between
    two operations and the time that their words take to us.
    """
    found = [
        (gap, workload)
        for (server, workload), times in _times(histories).items()
        for gap in window.gaps(server, times)
    ]
    if not any(history.acks for history in histories) or not found:
        return _stall(Verdict.UNKNOWN, "nothing was acknowledged", 0.0)
    longest, workload = max(found, key=lambda pair: pair[0].length_s)
    told = f"longest stall {longest.length_s:.1f} s ({workload} on {longest.server})"
    if predicted_s is None:
        return _stall(Verdict.VALID, f"{told}, no prediction", longest.length_s)
    verdict = Verdict.VALID
    if longest.length_s > predicted_s + allowance_s:
        verdict = Verdict.INVALID
    return _stall(verdict, f"{told}, predicted at most {predicted_s:.1f} s", longest.length_s)


def _stall(verdict: Verdict, summary: str, longest_s: float) -> Check:
    return Check(
        name="stall",
        subject="application servers",
        verdict=verdict,
        summary=summary,
        numbers={"longest_stall_s": longest_s},
    )


def check_went_on(histories: Sequence[History], window: Window, since_s: float | None) -> Check:
    """Judge whether every workload was acknowledged again after ``since_s``.

    That is the moment from which all must be well, ``None`` when it never came; a server that was
    still down is excused.
    """
    silent = [
        f"{workload} on {server}: last acknowledgement {_last(times, window)}"
        for (server, workload), times in sorted(_times(histories).items())
        if since_s is not None and not window.ends_away(server)
        if max(times, default=0.0) <= since_s
    ]
    watched = [h for h in histories if not window.ends_away(h.server)]
    if silent:
        verdict, summary = Verdict.INVALID, f"did not go on: {silent[0]}"
    elif since_s is None:
        verdict, summary = Verdict.UNKNOWN, "the drill ended before all was healed"
    elif not watched:
        verdict, summary = Verdict.UNKNOWN, "no server was up at the end"
    else:
        verdict, summary = Verdict.VALID, "every workload went on"
    return Check(
        name="went-on",
        subject="application servers",
        verdict=verdict,
        summary=summary,
        details=tuple(silent),
    )


def _last(times: Sequence[float], window: Window) -> str:
    return f"{max(times) - window.from_s:.1f} s after the start" if times else "never"
