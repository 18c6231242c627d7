"""Stalls and rates are those of the acknowledgements."""

from __future__ import annotations

import pytest

from sanglier.drill.history import Ack, History


def _history(*times: float) -> History:
    acks = tuple(Ack(number=n, at_s=at) for n, at in enumerate(times, 1))
    return History(writer="srv-a", acks=acks)


def test_the_stall_is_the_longest_gap() -> None:
    assert _history(0.0, 0.1, 20.1, 20.2).stall_s() == pytest.approx(20.0)


def test_a_gap_before_the_moment_asked_for_does_not_count() -> None:
    assert _history(0.0, 9.0, 10.0, 10.5).stall_s(since_s=9.0) == pytest.approx(1.0)


def test_a_history_of_one_has_no_stall_and_no_rate() -> None:
    assert _history(1.0).stall_s() == 0.0
    assert _history(1.0).rate() == 0.0


def test_the_rate_is_per_second() -> None:
    assert _history(0.0, 0.5, 1.0).rate() == pytest.approx(2.0)
