"""Histories: what a line means, stalls and rates, and recordings that were cut."""

from __future__ import annotations

import pytest

from sanglier.drill import history
from sanglier.drill.history import CUT, Event, History, Kind

from .load import make_history


def _acked(*times: float) -> History:
    acks = [Event(at_s=at, kind=Kind.ACK, words=(str(n),)) for n, at in enumerate(times, 1)]
    return make_history("appends", "srv-a", acks)


def test_the_stall_is_the_longest_gap() -> None:
    assert _acked(0.0, 0.1, 20.1, 20.2).stall_s() == pytest.approx(20.0)


def test_a_gap_before_the_moment_asked_for_does_not_count() -> None:
    assert _acked(0.0, 9.0, 10.0, 10.5).stall_s(since_s=9.0) == pytest.approx(1.0)


def test_a_history_of_one_has_no_stall_and_no_rate() -> None:
    assert _acked(1.0).stall_s() == 0.0
    assert _acked(1.0).rate() == 0.0


def test_the_rate_is_per_second() -> None:
    assert _acked(0.0, 0.5, 1.0).rate() == pytest.approx(2.0)


@pytest.mark.parametrize("line", ["", "a", "stopped", "Killed", "perl: a 17", "acked 17"])
def test_other_words_are_no_events(line: str) -> None:
    assert history.parse(line, 1.0) is None


def test_a_line_is_read() -> None:
    event = history.parse("a 17 3", 1.5)
    assert event == Event(at_s=1.5, kind=Kind.ACK, words=("17", "3"))


def _recording(told: History) -> list[str]:
    return [
        history.encode_head(told.workload, told.server, told.writer),
        *(history.encode_event(event) for event in told.events),
        history.encode_end(told.end),
    ]


def test_a_recording_is_read_as_it_was_written() -> None:
    told = make_history("races", "srv-a.2", _acked(0.25, 1.5).events, "failed: 3 5 é")
    assert history.decode(_recording(told)) == told


def test_a_recording_that_was_cut_says_so_and_keeps_what_came_before() -> None:
    *lines, last, _ = _recording(_acked(0.0, 1.0, 2.0))
    cut = history.decode([*lines, last[:20]])
    assert (len(cut.acks), cut.end, cut.clean) == (2, CUT, False)


def test_another_file_is_no_recording() -> None:
    with pytest.raises(ValueError, match="not a recording"):
        history.decode(['{"name": "something else"}'])
