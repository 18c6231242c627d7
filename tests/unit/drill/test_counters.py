"""The counter: two processes add for real; a lost update shows however it came about."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Check, Verdict
from sanglier.drill.workloads.counters import Counters, values

from .load import Run, acked, events, make_history, make_readings, new_load, run_until


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    return await run_until(new_load(tmp_path, Counters(rate_hz=200)), acked(15))


async def test_every_addition_counts_once(run: Run) -> None:
    assert await run.verdicts() == {"counter": Verdict.VALID}
    given = sorted(value for history in run.histories for value in values(history))
    assert given == list(range(1, len(given) + 1))
    assert [history.end for history in run.histories] == ["", ""]


@pytest.mark.parametrize("content", ["00000000000000000003\n", "99999999999999999999\n", "\0" * 21])
async def test_a_counter_that_is_not_the_sum_is_found(run: Run, content: str) -> None:
    (run.folder / "counter").write_text(content)
    assert await run.verdicts() == {"counter": Verdict.INVALID}


async def test_a_counter_that_was_set_back_in_the_run_is_found(tmp_path: Path) -> None:
    load = new_load(tmp_path, Counters(rate_hz=200))
    counter = Path(load.directory) / "counters" / "counter"
    damaged: list[bool] = []

    def enough(_: object) -> bool:
        if not damaged and all(len(writer.acks) > 5 for writer in load.writers):
            counter.write_text(f"{2:020d}\n")
            damaged.append(True)
        return bool(damaged) and all(len(writer.acks) > 20 for writer in load.writers)

    run = await run_until(load, enough)
    assert await run.verdicts() == {"counter": Verdict.INVALID}


async def test_garbage_ends_the_writer_and_is_found(tmp_path: Path) -> None:
    load = new_load(tmp_path, Counters(rate_hz=200))
    folder = Path(load.directory) / "counters"
    folder.mkdir(parents=True)
    (folder / "counter").write_text("\0" * 21)
    run = await run_until(load, lambda load: all(writer.over for writer in load.writers))
    assert all(history.end.endswith("garbage") for history in run.histories)
    assert await run.verdicts() == {"counter": Verdict.INVALID}


def _history(writer: str, *given: int, unanswered: int = 0) -> History:
    asks = events(Kind.ASK, *(f"add {n}" for n in range(len(given) + unanswered)))
    acks = events(Kind.ACK, *(f"{n} {value}" for n, value in enumerate(given)))
    return make_history("counters", writer, (*asks, *acks), "cut" if unanswered else "")


def _check(first: History, second: History, *lines: str) -> Check:
    return Counters().check((first, second), make_readings("counters", *lines))[0]


def test_one_value_given_twice_is_found() -> None:
    check = _check(_history("srv-a", 1, 2), _history("srv-b", 2, 3), "value 4")
    assert check.verdict is Verdict.INVALID
    assert check.details == ("2 was given to srv-a and srv-b",)


def test_a_value_after_a_greater_one_is_found() -> None:
    check = _check(_history("srv-a", 1, 4, 2), _history("srv-b", 3), "value 4")
    assert check.details == ("srv-a was given 2 after 4",)


@pytest.mark.parametrize(
    ("final", "verdict"),
    [(2, Verdict.INVALID), (3, Verdict.VALID), (4, Verdict.VALID), (5, Verdict.INVALID)],
)
def test_one_addition_of_a_server_that_died_is_uncertain(final: int, verdict: Verdict) -> None:
    died = _history("srv-b", 3, unanswered=1)
    assert _check(_history("srv-a", 1, 2), died, f"value {final}").verdict is verdict


def test_one_server_that_reads_an_old_value_is_found() -> None:
    one, other = make_readings("counters", "value 3")[0], make_readings("counters", "value 2")[1]
    check = Counters().check((_history("srv-a", 1, 2), _history("srv-b", 3)), (one, other))[0]
    assert check.details == ("srv-b reads 2, not 3 to 3",)


def test_nothing_added_is_unknown() -> None:
    empty = make_history("counters", "srv-a", [Event(at_s=0, kind=Kind.ASK, words=("add", "1"))])
    assert Counters().check((empty,), make_readings("counters", "value 1"))[0].verdict is (
        Verdict.UNKNOWN
    )
