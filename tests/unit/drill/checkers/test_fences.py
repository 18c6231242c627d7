"""A server that is fenced without reason is found."""

from __future__ import annotations

from sanglier.drill.checkers.fences import PowerEvent, check_fences
from sanglier.drill.result import Verdict

OFF_A = PowerEvent(host="disk-a", at_s=12.0, action="off")
SELF_SRV = PowerEvent(host="srv-a", at_s=61.0, action="self")
SIDES = frozenset({"disk-a", "disk-b"})


def test_one_who_may_be_fenced_may_be() -> None:
    check = check_fences([OFF_A, OFF_A], SIDES, at_most=1)
    assert (check.verdict, check.summary) == (Verdict.VALID, "fenced: disk-a")
    assert check.numbers["fences"] == 2


def test_nobody_is_valid() -> None:
    assert check_fences([], frozenset()).summary == "fenced: nobody"
    assert check_fences([], frozenset()).verdict is Verdict.VALID


def test_a_wrong_one_is_found() -> None:
    check = check_fences([OFF_A, SELF_SRV], SIDES)
    assert (check.verdict, check.summary) == (Verdict.INVALID, "fenced without reason: srv-a")
    assert check.details == ("12.0 s: disk-a off", "61.0 s: srv-a self")


def test_both_where_one_was_enough_is_found() -> None:
    both = [OFF_A, PowerEvent(host="disk-b", at_s=13.0, action="off")]
    assert check_fences(both, SIDES).verdict is Verdict.VALID
    assert check_fences(both, SIDES, at_most=1).verdict is Verdict.INVALID


def test_devices_that_could_not_be_asked_are_unknown() -> None:
    assert check_fences(None, SIDES).verdict is Verdict.UNKNOWN
