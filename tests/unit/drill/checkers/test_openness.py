"""Both sides open at once is found; a side that nobody saw open is not accused."""

from __future__ import annotations

import pytest

from sanglier.drill.checkers.openness import Kill, Planted, Sample, check_openness, open_spans
from sanglier.drill.result import Check, Verdict

HOSTS = ("disk-a", "disk-b")


def _samples(host: str, states: str, from_s: float = 0.0) -> list[Sample]:
    """One sample a second; ``-`` is a second without any, ``x`` an absent target."""
    return [
        Sample(host=host, volume="data", at_s=from_s + at, state="absent" if s == "x" else s)
        for at, s in enumerate(states)
        if s != "-"
    ]


def _check(a: str, b: str, *kills: Kill) -> Check:
    samples = _samples("disk-a", a) + _samples("disk-b", b, from_s=0.5)
    return check_openness("data", HOSTS, samples, kills)


def test_a_flip_leaves_one_open_span_each() -> None:
    samples = _samples("disk-a", "0002222") + _samples("disk-b", "2222000")
    spans = [(span.host, span.from_s, span.to_s) for span in open_spans(samples)]
    assert spans == [("disk-a", 0.0, 2.0), ("disk-b", 4.0, 6.0)]
    assert check_openness("data", HOSTS, samples).verdict is Verdict.VALID


def test_both_open_is_found_and_timed() -> None:
    check = _check("0000222", "2220000")
    assert check.verdict is Verdict.VALID
    check = _check("0000022", "2220000")
    assert check.verdict is Verdict.INVALID
    assert check.summary == "data: disk-a and disk-b both open for 0.5 s at 3.5"


@pytest.mark.parametrize("state", ["0", "1", "4"])
def test_every_state_that_does_io_is_open(state: str) -> None:
    assert _check("000", state * 3).verdict is Verdict.INVALID


@pytest.mark.parametrize("state", ["2", "3", "x"])
def test_every_other_state_is_closed(state: str) -> None:
    assert _check("000", state * 3).verdict is Verdict.VALID


def test_another_volume_may_be_open_on_the_other_side() -> None:
    other = [Sample(host="disk-b", volume="mail", at_s=at, state="0") for at in (0.0, 1.0, 2.0)]
    samples = _samples("disk-a", "000") + _samples("disk-b", "222") + other
    assert check_openness("data", HOSTS, samples).verdict is Verdict.VALID


def test_a_killed_side_was_open_until_it_was_last_seen() -> None:
    killed = Kill(host="disk-a", at_s=2.5)
    assert _check("000-----0", "222000000", killed).verdict is Verdict.INVALID
    assert _check("000-----2", "222000000", killed).verdict is Verdict.VALID
    assert _check("000--2222", "222000000", killed).verdict is Verdict.VALID


def test_a_kill_parts_a_span_however_short_the_gap() -> None:
    samples = _samples("disk-a", "000-00")
    assert len(open_spans(samples)) == 1
    assert len(open_spans(samples, [Kill(host="disk-a", at_s=3.0)])) == 2
    assert len(open_spans(samples, [Kill(host="disk-b", at_s=3.0)])) == 1


def test_a_long_gap_is_no_evidence_and_is_noted_when_both_are_unseen() -> None:
    check = _check("000-------222", "222-------222")
    assert check.verdict is Verdict.VALID
    assert check.details == ("neither server was seen from 2.5 to 10.0",)
    assert _check("000-------000", "2222200022222").verdict is Verdict.VALID


def test_a_side_that_thaws_still_open_is_found() -> None:
    assert _check("000--------0", "22222222000000").verdict is Verdict.INVALID


def test_a_server_that_was_never_sampled_is_unknown() -> None:
    check = check_openness("data", HOSTS, _samples("disk-a", "000"))
    assert (check.verdict, check.summary) == (Verdict.UNKNOWN, "never sampled: disk-b")
    assert check_openness("data", HOSTS, []).verdict is Verdict.UNKNOWN


def _planted(b: str, from_s: float = 2.9, until_s: float = 12.9) -> Check:
    """The fault opens disk-b at ``from_s``, while disk-a is open."""
    samples = _samples("disk-a", "0" * len(b)) + _samples("disk-b", b, from_s=0.5)
    planted = [Planted(host="disk-b", from_s=from_s, until_s=until_s)]
    return check_openness("data", HOSTS, samples, planted=planted)


def test_what_a_fault_opened_itself_is_excused_for_its_own_time() -> None:
    check = _planted("222000000000222")
    assert check.verdict is Verdict.VALID
    assert "but while a fault had opened one" in check.summary


def test_a_planted_opening_that_is_not_shut_in_time_is_a_failure() -> None:
    assert _planted("2220000000000002").verdict is Verdict.INVALID


def test_neither_an_opening_before_the_fault_nor_a_second_one_after_it_is_excused() -> None:
    assert _planted("2200000000000222").verdict is Verdict.INVALID
    assert _planted("222000222222222002").verdict is Verdict.INVALID


def test_a_planted_opening_excuses_no_other_server() -> None:
    samples = _samples("disk-a", "000000") + _samples("disk-b", "222000", from_s=0.5)
    planted = [Planted(host="disk-c", from_s=0.0, until_s=10.0)]
    assert check_openness("data", HOSTS, samples, planted=planted).verdict is Verdict.INVALID
