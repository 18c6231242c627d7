"""Appends: run for real, then damaged on disk; each kind of damage makes its check fire."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.drill.history import Kind
from sanglier.drill.result import Verdict
from sanglier.drill.workloads.appends import AppendCheck, Appends, compare
from sanglier.drill.workloads.base import RECORD_BYTES

from .load import SERVERS, Run, acked, events, make_history, new_load, run_until

ALL_VALID = dict.fromkeys(("lost", "torn", "duplicated", "disordered"), Verdict.VALID)


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    return await run_until(new_load(tmp_path, Appends(rate_hz=200)), acked(20))


def _records(run: Run) -> list[bytes]:
    data = (run.folder / "srv-a").read_bytes()
    return [data[n : n + RECORD_BYTES] for n in range(0, len(data), RECORD_BYTES)]


def _rewrite(run: Run, records: list[bytes]) -> None:
    (run.folder / "srv-a").write_bytes(b"".join(records))


async def test_what_was_acknowledged_is_there_and_a_word_stops_the_writer(run: Run) -> None:
    assert await run.verdicts() == ALL_VALID
    assert [history.end for history in run.histories] == ["", ""]
    assert [history.writer for history in run.histories] == ["srv-a", "srv-b"]
    numbers = run.histories[0].numbers
    assert numbers == frozenset(range(1, len(numbers) + 1))
    assert len(_records(run)) == len(numbers)


async def test_a_lost_record_is_found(run: Run) -> None:
    records = _records(run)
    _rewrite(run, records[:6] + records[7:])
    checks = await run.checks()
    assert {name: check.verdict for name, check in checks.items()} == {
        **ALL_VALID,
        "lost": Verdict.INVALID,
    }
    assert checks["lost"].numbers["lost"] == 1
    assert checks["lost"].details == (
        "srv-a 7 is lost, read on srv-a",
        "srv-a 7 is lost, read on srv-b",
    )


async def test_a_lost_tail_is_found(run: Run) -> None:
    _rewrite(run, _records(run)[:-1])
    assert (await run.verdicts())["lost"] is Verdict.INVALID


async def test_a_lost_file_is_found(run: Run) -> None:
    (run.folder / "srv-b").unlink()
    checks = await run.checks()
    assert checks["lost"].verdict is Verdict.INVALID
    assert checks["lost"].numbers["lost"] == len(run.histories[1].acks)


async def test_a_torn_record_is_found(run: Run) -> None:
    records = _records(run)
    records[4] = records[4][:50] + bytes(RECORD_BYTES - 50)
    _rewrite(run, records)
    verdicts = await run.verdicts()
    assert (verdicts["torn"], verdicts["lost"]) == (Verdict.INVALID, Verdict.INVALID)


async def test_a_record_there_twice_is_found(run: Run) -> None:
    records = _records(run)
    _rewrite(run, [*records[:5], records[4], *records[5:]])
    assert await run.verdicts() == {**ALL_VALID, "duplicated": Verdict.INVALID}


async def test_disorder_is_found(run: Run) -> None:
    records = _records(run)
    _rewrite(run, [records[1], records[0], *records[2:]])
    assert await run.verdicts() == {**ALL_VALID, "disordered": Verdict.INVALID}


async def test_a_reading_that_was_cut_is_unknown(run: Run) -> None:
    whole, other, *_ = await run.readings()
    cut = replace(other, lines=other.lines[:-1])
    for readings in ((whole, cut), ()):
        checks = Appends().check(run.histories, readings)
        assert {check.verdict for check in checks} == {Verdict.UNKNOWN}


async def test_a_folder_that_cannot_be_read_is_unknown(run: Run) -> None:
    run.folder.rename(run.folder.with_name("away"))
    assert set((await run.verdicts()).values()) == {Verdict.UNKNOWN}


async def test_a_restarted_server_writes_under_a_new_name(tmp_path: Path) -> None:
    load = new_load(tmp_path, Appends(rate_hz=200))
    await load.prepare(SERVERS[0])
    await load.start(SERVERS[0])
    await load.writers[0].session.send("stop\n")
    while not load.writers[0].over:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    run = await run_until(load, lambda load: len(load.writers[-1].acks) > 5, SERVERS[:1])
    assert [history.writer for history in run.histories] == ["srv-a", "srv-a.2"]
    assert await run.verdicts() == ALL_VALID


async def test_a_writer_does_not_write_where_nothing_is_mounted(tmp_path: Path) -> None:
    load = new_load(tmp_path, Appends())
    await load.start(SERVERS[0])
    histories = await load.stop(30)
    assert histories[0].end == "failed: 0 2 No such file or directory"
    assert not Path(load.directory).exists()


async def test_a_writer_does_not_go_on_with_the_file_of_another_run(run: Run) -> None:
    again = new_load(run.folder.parents[1], Appends())
    await again.start(SERVERS[0])
    assert (await again.stop(30))[0].end == "failed: 0 17 File exists"


def _line(number: int, writer: str = "srv-a") -> str:
    return f"{writer} {number} ".ljust(RECORD_BYTES - 1, ".")


def _compare(lines: list[str], *acknowledged: int, end: str = "") -> AppendCheck:
    acks = events(Kind.ACK, *map(str, acknowledged))
    return compare(make_history("appends", "srv-a", acks, end), "srv-b", lines)


def test_a_record_that_was_never_acknowledged_may_be_there() -> None:
    assert _compare([_line(1), _line(2), _line(3)], 1, 2, end="cut").verdict is Verdict.VALID


def test_a_tail_that_was_never_acknowledged_may_be_torn_when_its_writer_was_cut() -> None:
    lines = [_line(1), _line(2)[:40]]
    assert _compare(lines, 1, end="cut").verdict is Verdict.VALID
    assert _compare(lines, 1).torn == (_line(2)[:40],)
    assert _compare(lines, 1, 2, end="cut").lost == (2,)
    assert _compare([lines[1], lines[0]], 1, end="cut").verdict is Verdict.INVALID


def test_a_record_of_another_writer_is_torn() -> None:
    assert _compare([_line(1), _line(2, writer="srv-b")], 1).torn != ()


def test_nothing_acknowledged_is_unknown_and_never_valid() -> None:
    assert _compare([]).verdict is Verdict.UNKNOWN
    checks = Appends().check([make_history("appends", "srv-a", [])], [])
    assert {check.verdict for check in checks} == {Verdict.UNKNOWN}
