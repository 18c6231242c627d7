"""Stalls against the prediction; a workload that did not go on; seconds and gaps for the page."""

from __future__ import annotations

import pytest

from sanglier.drill.checkers.stalls import Away, Window, check_stall, check_went_on, series
from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Stall, Verdict

from ..load import make_history

WINDOW = Window(from_s=100.0, to_s=140.0)


def _every(step_s: float, *stretches: tuple[float, float]) -> list[float]:
    return [
        from_s + number * step_s
        for from_s, to_s in stretches
        for number in range(int((to_s - from_s) / step_s) + 1)
    ]


def _history(times: list[float], writer: str = "srv-a", workload: str = "appends") -> History:
    acks = [Event(at_s=at, kind=Kind.ACK, words=(str(n),)) for n, at in enumerate(times, 1)]
    return make_history(workload, writer, acks)


STALLED = _history(_every(0.5, (100, 110), (122, 140)))
STEADY = _history(_every(0.5, (100, 140)), "srv-b")


def test_a_stall_below_the_prediction_is_valid_and_above_it_is_not() -> None:
    check = check_stall([STALLED, STEADY], WINDOW, 11.5, 1.0)
    assert check.verdict is Verdict.VALID
    assert check.numbers["longest_stall_s"] == pytest.approx(12.0)
    assert check.summary == ("longest stall 12.0 s (appends on srv-a), predicted at most 11.5 s")
    assert check_stall([STALLED, STEADY], WINDOW, 10.5, 1.0).verdict is Verdict.INVALID


def test_without_prediction_any_stall_is_valid() -> None:
    assert check_stall([STALLED], WINDOW, None, 0.0).verdict is Verdict.VALID


def test_one_workload_that_hangs_is_not_hidden_by_another() -> None:
    both = [STALLED, _history(_every(0.5, (100, 140)), workload="trees")]
    assert check_stall(both, WINDOW, 5.0, 1.0).verdict is Verdict.INVALID
    assert series(both, WINDOW)[0].stalls == ()


def test_silence_from_some_moment_to_the_end_is_a_stall() -> None:
    silent = _history(_every(0.5, (100, 110)))
    assert check_stall([silent], WINDOW, None, 0.0).numbers["longest_stall_s"] == 30.0


def test_a_server_that_was_down_did_not_stall_but_its_start_counts() -> None:
    window = Window(
        from_s=100.0, to_s=140.0, away=(Away(server="srv-a", from_s=110.2, to_s=120.0),)
    )
    check = check_stall([STALLED], window, 2.0, 0.5)
    assert check.verdict is Verdict.VALID
    assert check.numbers["longest_stall_s"] == pytest.approx(2.0)
    other = Window(from_s=100.0, to_s=140.0, away=(Away(server="srv-b", from_s=110, to_s=120),))
    assert check_stall([STALLED], other, 2.0, 0.5).verdict is Verdict.INVALID


def test_incarnations_of_one_server_are_one_line() -> None:
    parts = [_history(_every(0.5, (100, 120))), _history(_every(0.5, (120.5, 140)), "srv-a.2")]
    assert check_stall(parts, WINDOW, 0.0, 0.5).verdict is Verdict.VALID
    assert [line.server for line in series(parts, WINDOW)] == ["srv-a"]


def test_nothing_acknowledged_is_unknown() -> None:
    assert check_stall([], WINDOW, None, 0.0).verdict is Verdict.UNKNOWN
    assert check_stall([_history([])], WINDOW, 1.0, 0.0).verdict is Verdict.UNKNOWN


def test_a_workload_that_did_not_go_on_is_found() -> None:
    silent = _history(_every(0.5, (100, 110)), workload="trees")
    check = check_went_on([STALLED, silent], WINDOW, since_s=115.0)
    assert check.verdict is Verdict.INVALID
    assert check.details == ("trees on srv-a: last acknowledgement 10.0 s after the start",)
    assert check_went_on([STALLED], WINDOW, since_s=115.0).verdict is Verdict.VALID


def test_a_workload_that_never_began_did_not_go_on() -> None:
    assert check_went_on([_history([])], WINDOW, since_s=115.0).verdict is Verdict.INVALID


def test_a_server_that_is_still_down_is_excused_but_proves_nothing() -> None:
    down = Window(from_s=100, to_s=140, away=(Away(server="srv-a", from_s=110, to_s=140),))
    silent = _history(_every(0.5, (100, 110)))
    assert check_went_on([silent, STEADY], down, since_s=115.0).verdict is Verdict.VALID
    assert check_went_on([silent], down, since_s=115.0).verdict is Verdict.UNKNOWN
    assert check_went_on([], WINDOW, since_s=115.0).verdict is Verdict.UNKNOWN


def test_series_counts_seconds_from_the_start_and_gives_the_longest_stall_first() -> None:
    window = Window(from_s=100.0, to_s=110.0)
    (line,) = series([_history([100.0, 100.5, 102.2, 106.0, 110.0])], window)
    assert line.per_second == (2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1)
    assert [round(stall.length_s, 1) for stall in line.stalls] == [4.0, 3.8, 1.7]
    assert line.stalls[0] == Stall(server="srv-a", from_s=6.0, to_s=10.0)
