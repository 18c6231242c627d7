"""A checker that crashes, or says nothing, is UNKNOWN and never VALID."""

from __future__ import annotations

from sanglier.drill.checkers.guard import guard
from sanglier.drill.checkers.legs import check_legs
from sanglier.drill.result import Check, Verdict


def test_an_answer_is_passed_on() -> None:
    check = check_legs("data", {"disk-a": "1", "disk-b": "1"})
    assert guard("legs", "data", lambda: (check,)) == (check,)


def test_a_crash_is_unknown_with_its_evidence() -> None:
    def crash() -> tuple[Check, ...]:
        raise IndexError("no such line")

    (check,) = guard("legs", "data", crash)
    assert (check.name, check.subject, check.verdict) == ("legs", "data", Verdict.UNKNOWN)
    assert check.summary == "the checker crashed: IndexError: no such line"
    assert "in crash" in "\n".join(check.details)


def test_no_answer_is_unknown() -> None:
    (check,) = guard("legs", "data", lambda: ())
    assert check.verdict is Verdict.UNKNOWN
