"""The oracle bites: each kind of damage to a file of appends makes the check fire."""

from __future__ import annotations

from sanglier.drill.checkers import AppendCheck, check_appends
from sanglier.drill.history import Ack, History
from sanglier.drill.result import Verdict


def _line(number: int, writer: str = "srv-a") -> str:
    head = f"{writer} {number} "
    return head + "." * (63 - len(head))


def _history(*numbers: int) -> History:
    acks = tuple(Ack(number=n, at_s=float(n)) for n in numbers)
    return History(writer="srv-a", acks=acks)


def _check(lines: list[str], *acknowledged: int) -> AppendCheck:
    return check_appends(_history(*acknowledged), "srv-b", "\n".join(lines) + "\n")


def test_everything_acknowledged_and_present_is_valid() -> None:
    check = _check([_line(1), _line(2), _line(3)], 1, 2, 3)
    assert check.verdict is Verdict.VALID
    assert (check.acknowledged, check.present) == (3, 3)


def test_a_record_that_was_never_acknowledged_may_be_there() -> None:
    assert _check([_line(1), _line(2), _line(3)], 1, 2).verdict is Verdict.VALID


def test_a_lost_record_is_invalid_and_named() -> None:
    check = _check([_line(1), _line(3)], 1, 2, 3)
    assert check.verdict is Verdict.INVALID
    assert check.lost == (2,)


def test_a_record_there_twice_is_invalid() -> None:
    check = _check([_line(1), _line(2), _line(2)], 1, 2)
    assert check.verdict is Verdict.INVALID
    assert check.duplicated == (2,)


def test_a_torn_record_is_invalid() -> None:
    check = _check([_line(1), _line(2)[:40], _line(3)], 1, 3)
    assert check.verdict is Verdict.INVALID
    assert check.torn == (_line(2)[:40],)


def test_a_record_of_another_writer_is_torn() -> None:
    assert _check([_line(1), _line(2, writer="srv-b")], 1).verdict is Verdict.INVALID


def test_zeroes_in_the_middle_are_torn() -> None:
    assert _check([_line(1), "\0" * 63, _line(3)], 1, 3).verdict is Verdict.INVALID


def test_disorder_is_invalid() -> None:
    check = _check([_line(2), _line(1)], 1, 2)
    assert check.disordered
    assert check.verdict is Verdict.INVALID


def test_nothing_acknowledged_is_unknown_and_never_valid() -> None:
    assert check_appends(_history(), "srv-b", "").verdict is Verdict.UNKNOWN


def test_an_empty_file_after_acknowledgements_is_invalid() -> None:
    check = check_appends(_history(1, 2), "srv-b", "")
    assert check.verdict is Verdict.INVALID
    assert check.lost == (1, 2)
