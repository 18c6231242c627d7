"""A server that is fenced without reason is found."""

from __future__ import annotations

import pytest

from sanglier.drill.checkers.fences import Permission, PowerEvent, check_fences
from sanglier.drill.result import Verdict

OFF_A = PowerEvent(host="disk-a", at_s=12.0, action="off")
OFF_B = PowerEvent(host="disk-b", at_s=13.0, action="off")
SELF_SRV = PowerEvent(host="srv-a", at_s=61.0, action="self")
SIDES = frozenset({"disk-a", "disk-b"})


def may(
    *hosts: str, at_most: int = 1, group: int = 0, from_s: float = 5, to_s: float = 50
) -> Permission:
    return Permission(
        group=group, hosts=frozenset(hosts), at_most=at_most, from_s=from_s, to_s=to_s
    )


def test_one_who_may_be_fenced_may_be() -> None:
    check = check_fences([OFF_A, OFF_A], [may(*SIDES)])
    assert (check.verdict, check.summary) == (Verdict.VALID, "fenced: disk-a")
    assert check.numbers["fences"] == 2


def test_nobody_is_valid() -> None:
    assert check_fences([], []).summary == "fenced: nobody"
    assert check_fences([], []).verdict is Verdict.VALID


def test_a_wrong_one_is_found() -> None:
    check = check_fences([OFF_A, SELF_SRV], [may(*SIDES)])
    assert (check.verdict, check.summary) == (Verdict.INVALID, "fenced without reason: srv-a")
    assert check.details == ("12.0 s: disk-a off", "61.0 s: srv-a self")


@pytest.mark.parametrize(("from_s", "to_s"), [(12.1, 50), (5, 11.9)])
def test_the_right_one_at_the_wrong_moment_is_found(from_s: float, to_s: float) -> None:
    check = check_fences([OFF_A], [may("disk-a", from_s=from_s, to_s=to_s)])
    assert check.verdict is Verdict.INVALID


def test_both_where_one_was_enough_is_found() -> None:
    both = [OFF_A, OFF_B]
    assert check_fences(both, [may(*SIDES, at_most=2)]).verdict is Verdict.VALID
    assert check_fences(both, [may(*SIDES)]).verdict is Verdict.INVALID


def test_faults_that_strike_together_may_kill_as_many_as_they_say_together() -> None:
    both, one, other = [OFF_A, OFF_B], may("disk-a"), may("disk-b")
    assert check_fences(both, [one, other]).verdict is Verdict.VALID
    wide = [may(*SIDES), may("srv-a", group=1, from_s=60, to_s=90)]
    assert check_fences(both, wide).verdict is Verdict.INVALID


def test_devices_that_could_not_be_asked_are_unknown() -> None:
    assert check_fences(None, [may(*SIDES)]).verdict is Verdict.UNKNOWN
