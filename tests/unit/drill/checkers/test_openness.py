"""Both sides open at once is found; a side that nobody saw open is not accused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.drill.checkers.openness import Planted, check_openness, open_spans
from sanglier.drill.checkers.samples import Kill, Sample, narrowed
from sanglier.drill.result import Check, Verdict

HOSTS = ("disk-a", "disk-b")


def _sample(
    host: str, state: str, at_s: float, volume: str = "data", boot: str = "1", width_s: float = 0
) -> Sample:
    """A sample that was taken exactly then, or up to ``width_s`` later; the boot began at -100."""
    return Sample(
        host=host, volume=volume, state=state, boot=boot, since_boot_s=at_s + 100,
        from_s=at_s, to_s=at_s + width_s,
    )  # fmt: skip


def _samples(host: str, states: str, from_s: float = 0.0) -> list[Sample]:
    """One sample a second; ``-`` is a second without any, ``x`` an absent target."""
    return [
        _sample(host, "absent" if s == "x" else s, from_s + at)
        for at, s in enumerate(states)
        if s != "-"
    ]


def _kill(host: str, at_s: float) -> Kill:
    return Kill(host=host, from_s=at_s, to_s=at_s)


def _check(a: str, b: str, *kills: Kill) -> Check:
    samples = _samples("disk-a", a) + _samples("disk-b", b, from_s=0.5)
    return check_openness("data", HOSTS, samples, kills)


def test_a_flip_leaves_one_open_span_each() -> None:
    samples = _samples("disk-a", "0002222") + _samples("disk-b", "2222000")
    spans = [(span.host, span.from_s, span.to_s) for span in open_spans(samples)]
    assert spans == [("disk-a", 0.0, 2.0), ("disk-b", 4.0, 6.0)]
    assert check_openness("data", HOSTS, samples).verdict is Verdict.VALID


def test_both_open_is_found_and_timed() -> None:
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
    other = [_sample("disk-b", "0", at, "mail") for at in (0.0, 1.0, 2.0)]
    samples = _samples("disk-a", "000") + _samples("disk-b", "222") + other
    assert check_openness("data", HOSTS, samples).verdict is Verdict.VALID


def test_a_killed_side_was_open_until_it_was_last_seen() -> None:
    killed = _kill("disk-a", 2.5)
    assert _check("000-----0", "222000000", killed).verdict is Verdict.INVALID
    assert _check("000------", "222000000", killed).verdict is Verdict.VALID


def test_a_kill_that_a_server_outlived_was_none() -> None:
    killed = _kill("disk-a", 2.5)
    assert _check("000-----2", "222000000", killed).verdict is Verdict.UNKNOWN
    assert _check("000--2222", "222000000", killed).verdict is Verdict.UNKNOWN


def test_a_kill_parts_a_span_however_short_the_gap() -> None:
    samples = _samples("disk-a", "000-00")
    assert len(open_spans(samples)) == 1
    assert len(open_spans(samples, [_kill("disk-a", 3.0)])) == 2
    assert len(open_spans(samples, [_kill("disk-b", 3.0)])) == 1


def test_a_long_gap_is_no_evidence_and_is_noted_when_both_are_unseen() -> None:
    check = _check("000-------222", "222-------222")
    assert check.verdict is Verdict.VALID
    assert check.details == ("neither server was seen from 2.5 to 10.0",)


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


def test_a_side_that_was_seen_shut_first_is_a_good_handover() -> None:
    check = _check("0002222", "2222000")
    assert check.verdict is Verdict.VALID
    assert check.numbers["handovers"] == 1
    assert check.details == ("data: disk-b open at 4.5 s: disk-a was shut by 3.0 s",)


def test_one_that_was_seen_shut_only_afterwards_is_unknown() -> None:
    check = _check("0000222", "2220000")
    assert check.verdict is Verdict.UNKNOWN
    assert "disk-a was not seen shut before; last seen open at 3.0 s" in check.summary


def test_one_that_was_never_seen_again_is_unknown() -> None:
    assert _check("000", "222000").verdict is Verdict.UNKNOWN


def test_a_kill_must_be_earlier_and_of_the_other() -> None:
    assert _check("000", "222000", _kill("disk-a", 3.2)).verdict is Verdict.VALID
    late = _check("000", "222000", _kill("disk-a", 4.2))
    assert late.verdict is Verdict.INVALID
    assert late.summary.startswith("data: disk-b open at 3.5 s: disk-a, last seen open at 2.0 s,")
    assert late.summary.endswith("was switched off only at 4.2 s")
    assert _check("000", "222000", _kill("disk-b", 2.2)).verdict is Verdict.UNKNOWN


def test_a_kill_before_it_was_last_seen_open_is_none() -> None:
    assert _check("000", "222000", _kill("disk-a", 0.5)).verdict is Verdict.UNKNOWN


def test_a_kill_that_may_have_been_either_is_no_evidence() -> None:
    kill = Kill(host="disk-a", from_s=2.5, to_s=9.0)
    assert _check("000", "222000", kill).verdict is Verdict.UNKNOWN


def _booted(at_s: float, since_s: float, state: str = "2") -> Check:
    """disk-a open until 2.0, disk-b from 3.5 on; disk-a is seen again in another boot."""
    seen = replace(_sample("disk-a", state, at_s, boot="2"), since_boot_s=since_s)
    samples = [*_samples("disk-a", "000"), *_samples("disk-b", "222000", from_s=0.5), seen]
    return check_openness("data", HOSTS, samples)


def test_another_boot_that_began_before_is_evidence_however_late_it_is_seen() -> None:
    assert _booted(40.0, since_s=37.0).verdict is Verdict.VALID
    assert _booted(40.0, since_s=36.0).verdict is Verdict.UNKNOWN


def test_a_side_that_is_open_again_in_its_boot_while_the_other_was_not_seen_is_invalid() -> None:
    check = _check("000-----0", "222-0")
    assert check.verdict is Verdict.INVALID
    assert "disk-a was open before, and at 8.0 s in the same boot" in check.summary


def test_where_the_other_one_was_seen_shut_in_between_it_is_unknown() -> None:
    check = _check("000-------000", "2222200022222")
    assert check.verdict is Verdict.UNKNOWN
    assert "disk-a open at 10.0 s: disk-b was shut by 8.5 s" in check.details[1]


def test_an_opening_by_a_fault_is_no_handover() -> None:
    assert _planted("222000000000222").numbers["handovers"] == 0


def _wide(*pieces: tuple[float, float, float]) -> list[Sample]:
    """(From, to, since boot) of samples of one side."""
    return [
        replace(_sample("disk-a", "0", 0.0), from_s=from_s, to_s=to_s, since_boot_s=since_s)
        for from_s, to_s, since_s in pieces
    ]


def test_a_sample_is_bounded_by_those_before_and_after_it() -> None:
    """Here all three reached us late and together: the network to the host was cut."""
    found = narrowed(_wide((0.0, 20.0, 50.0), (0.0, 20.0, 55.0), (0.0, 20.0, 60.0)))
    assert [round(one.from_s, 1) for one in found] == [0.0, 5.0, 10.0]
    assert [round(one.to_s, 1) for one in found] == [10.0, 15.0, 20.0]


def test_a_clock_that_stood_still_for_a_while_makes_no_bound_wrong() -> None:
    """Its host was paused for 100 s, and does not know: both samples say so."""
    first, second = narrowed(_wide((1.0, 1.1, 50.0), (102.0, 102.1, 51.0)))
    assert (first.from_s, first.to_s) == (1.0, 1.1)
    assert (second.from_s, second.to_s) == (102.0, 102.1)


def test_a_clock_that_runs_ahead_of_ours_is_not_believed() -> None:
    wide = _wide((1.0, 1.1, 50.0), (2.0, 2.1, 99.0))
    assert narrowed(wide) == wide


def test_two_boots_are_bounded_apart() -> None:
    wide = _wide((1.0, 9.0, 50.0), (20.0, 29.0, 2.0))
    two = [wide[0], replace(wide[1], boot="2")]
    assert narrowed(two) == two


def test_two_sides_that_may_have_been_open_one_after_the_other_are_not_accused() -> None:
    """Each sample may have been taken at any moment of 3 s: it cannot be told apart."""
    first = [_sample("disk-a", s, at, width_s=3.0) for at, s in ((0.0, "0"), (4.0, "2"))]
    other = [_sample("disk-b", s, at, width_s=3.0) for at, s in ((0.5, "2"), (4.5, "0"))]
    assert check_openness("data", HOSTS, first + other).verdict is Verdict.UNKNOWN
