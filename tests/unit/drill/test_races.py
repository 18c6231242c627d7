"""Races: two processes race for real; a second winner, none, or a lost prize is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Check, Verdict
from sanglier.drill.workloads.races import Races, Starter, races

from .load import Run, acked, make_history, make_readings, new_load, run_until


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    return await run_until(new_load(tmp_path, Races(rate_hz=100)), acked(20))


def _prize(run: Run) -> Path:
    return next(iter(sorted(run.folder.glob("taken-*"))))


async def test_every_race_has_one_winner_and_the_prize_bears_its_name(run: Run) -> None:
    checks = await run.checks()
    assert checks["races"].verdict is Verdict.VALID
    assert checks["races"].numbers["contested"] >= 10
    assert all(len(race.winners) == 1 for race in races(run.histories) if not race.unanswered)
    assert [history.end for history in run.histories] == ["", ""]


async def test_a_prize_that_is_gone_is_found(run: Run) -> None:
    _prize(run).unlink()
    assert (await run.verdicts()) == {"races": Verdict.INVALID}


async def test_a_prize_in_two_hands_is_found(run: Run) -> None:
    prize = _prize(run)
    other = "srv-b" if prize.name.endswith("srv-a") else "srv-a"
    (run.folder / f"taken-{prize.name.split('-')[1]}-{other}").write_text("srv-a")
    checks = await run.checks()
    assert checks["races"].verdict is Verdict.INVALID
    assert "are both there" in checks["races"].summary


@pytest.mark.parametrize("content", ["", "srv-c", "\0" * 5])
async def test_a_prize_that_does_not_name_its_creator_is_found(run: Run, content: str) -> None:
    _prize(run).write_text(content)
    assert (await run.verdicts()) == {"races": Verdict.INVALID}


def _told(writer: str, end: str, *told: str) -> History:
    """Make a history from pairs of what was asked and what was answered (``-``: nothing)."""
    happened = []
    for pair in told:
        op, answer = pair.split()
        race, number = op.split("-")
        happened.append(Event(at_s=0.0, kind=Kind.ASK, words=(race, op, number)))
        if answer != "-":
            happened.append(Event(at_s=1.0, kind=Kind.ACK, words=(op, answer)))
    return make_history("races", writer, happened, end)


def _check(first: History, second: History, *lines: str) -> Check:
    return Races().check((first, second), make_readings("races", *lines))[0]


def test_two_winners_are_found() -> None:
    won = [_told(writer, "", "create-1 won") for writer in ("srv-a", "srv-b")]
    check = _check(won[0], won[1], "ball-1 srv-a")
    assert (check.verdict, check.summary) == (
        Verdict.INVALID,
        "1 wrong, first: create-1 was won by srv-a and srv-b",
    )


def test_a_race_that_all_lost_is_found() -> None:
    lost = [_told(writer, "", "create-1 lost") for writer in ("srv-a", "srv-b")]
    assert "won by nobody" in _check(lost[0], lost[1], "ball-1 srv-a").summary


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        ("ball-1 srv-b", Verdict.VALID),
        ("ball-1 -", Verdict.VALID),
        ("", Verdict.VALID),
        ("ball-1 srv-a", Verdict.INVALID),
        ("taken-1-srv-b srv-b", Verdict.INVALID),
    ],
)
def test_one_that_died_in_a_race_may_have_won_it(there: str, verdict: Verdict) -> None:
    first = _told("srv-a", "", "create-1 lost")
    second = _told("srv-b", "cut", "create-1 -")
    assert _check(first, second, *filter(None, [there])).verdict is verdict


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        ("ball-1 srv-a", Verdict.VALID),
        ("taken-1-srv-b srv-a", Verdict.VALID),
        ("taken-1-srv-a srv-a", Verdict.INVALID),
        ("", Verdict.INVALID),
    ],
)
def test_one_that_died_may_have_taken_the_prize(there: str, verdict: Verdict) -> None:
    first = _told("srv-a", "", "create-1 won")
    second = _told("srv-b", "cut", "create-1 lost", "take-1 -")
    assert _check(first, second, *filter(None, [there])).verdict is verdict


def _answer(caller: Starter, writer: str, words: str) -> None:
    caller.hear(writer, Event(at_s=0.0, kind=Kind.ACK, words=tuple(words.split())))


def _called(caller: Starter) -> list[str]:
    return [f"{ask.writer} {ask.words[1]}" for ask in caller.call(("srv-a", "srv-b"))]


def test_a_prize_is_offered_only_after_all_answered_so_that_no_late_creation_can_win() -> None:
    caller = Starter(period_s=1.0)
    assert _called(caller) == ["srv-a create-1", "srv-b create-1"]
    assert _called(caller) == []
    _answer(caller, "srv-b", "create-1 won")
    assert _called(caller) == ["srv-b create-2"]
    _answer(caller, "srv-b", "create-2 won")
    assert _called(caller) == ["srv-b take-2"]
    _answer(caller, "srv-a", "create-1 lost")
    assert _called(caller) == ["srv-a take-1"]
    _answer(caller, "srv-a", "take-1 won")
    _answer(caller, "srv-b", "take-2 won")
    assert _called(caller) == ["srv-a create-3", "srv-b create-3"]
