"""Registers: written with O_DIRECT for real, read across, then damaged on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.drill.history import Event, Kind
from sanglier.drill.result import Check, Verdict
from sanglier.drill.workloads.cross_reads import CrossReads, cross_reads
from sanglier.drill.workloads.registers import Registers

from .load import Run, events, make_history, make_readings, new_load, run_until, takes_o_direct

BLOCK = 4096
VALID = {"stale": Verdict.VALID, "torn": Verdict.VALID}


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    if not takes_o_direct(tmp_path):
        pytest.skip("the filesystem of the temporary directory has no O_DIRECT")
    load = new_load(tmp_path, Registers(rate_hz=100, read_hz=20, blocks=4))
    return await run_until(
        load,
        lambda load: all(
            len(writer.acks) >= 12 and sum(e.kind is Kind.ANSWER for e in writer.events) >= 3
            for writer in load.writers
        ),
    )


def _newest(run: Run, block: int) -> int:
    return max(int(ack.op) for ack in run.histories[0].acks if ack.words[1] == str(block))


def _record(text: str) -> bytes:
    return (text + " ").ljust(127, ".").encode() + b"\n"


def _poke(run: Run, block: int, data: bytes, at: int = 0) -> None:
    with (run.folder / "srv-a").open("r+b") as file:
        file.seek(block * BLOCK + at)
        file.write(data)


async def test_every_block_holds_its_last_version_and_cross_reads_saw_no_older(run: Run) -> None:
    checks = await run.checks()
    assert {name: check.verdict for name, check in checks.items()} == VALID
    assert checks["stale"].numbers["cross_reads"] >= 6
    assert [history.end for history in run.histories] == ["", ""]
    subjects = {read.subject.split()[0] for read in cross_reads(run.histories)}
    assert subjects == {"srv-a", "srv-b"}


@pytest.mark.parametrize("block", [2, 3], ids=["direct", "cached"])
async def test_a_late_write_that_undid_a_newer_one_is_found(run: Run, block: int) -> None:
    older = _newest(run, block) - 4
    _poke(run, block, _record(f"srv-a {block} {older}") * 32)
    checks = await run.checks()
    assert checks["stale"].verdict is Verdict.INVALID
    assert checks["torn"].verdict is Verdict.VALID
    assert len(checks["stale"].details) == 2
    assert f"block {block}, read on srv-a: {older}" in checks["stale"].details[0]


async def test_one_stale_sector_is_stale_and_torn(run: Run) -> None:
    _poke(run, 2, _record(f"srv-a 2 {_newest(run, 2) - 4}") * 4, at=512)
    assert set((await run.verdicts()).values()) == {Verdict.INVALID}


async def test_zeroes_and_a_stranger_s_block_are_torn(run: Run) -> None:
    _poke(run, 1, bytes(512))
    _poke(run, 2, _record("srv-b 2 9") * 32)
    checks = await run.checks()
    assert checks["torn"].verdict is Verdict.INVALID
    assert checks["torn"].numbers["torn"] == 4


async def test_a_lost_file_is_stale(run: Run) -> None:
    (run.folder / "srv-b").unlink()
    assert (await run.verdicts())["stale"] is Verdict.INVALID


async def test_a_file_cut_short_is_torn(run: Run) -> None:
    with (run.folder / "srv-a").open("r+b") as file:
        file.truncate(3 * BLOCK)
    assert (await run.verdicts())["torn"] is Verdict.INVALID


def _cross(answer: str) -> tuple[Check, ...]:
    writer = make_history("registers", "srv-a", events(Kind.ACK, "7 1"))
    talk = (*events(Kind.ASK, "read 1 srv-a 1 7"), *events(Kind.ANSWER, answer))
    reader = make_history("registers", "srv-b", talk)
    readings = make_readings("registers", "register srv-a 1 7")
    return Registers().check((writer, reader), readings)


@pytest.mark.parametrize(
    ("answer", "stale", "torn"),
    [
        ("1 7", Verdict.VALID, Verdict.VALID),
        ("1 9", Verdict.VALID, Verdict.VALID),
        ("1 7,9", Verdict.VALID, Verdict.VALID),
        ("1 3", Verdict.INVALID, Verdict.VALID),
        ("1 3,7", Verdict.INVALID, Verdict.VALID),
        ("1 7,?", Verdict.VALID, Verdict.INVALID),
        ("1 error 2 No such file or directory", Verdict.INVALID, Verdict.VALID),
        ("1 error 5 Input/output error", Verdict.VALID, Verdict.VALID),
    ],
)
def test_a_cross_read_is_judged_by_what_was_acknowledged_before_it_was_asked(
    answer: str, stale: Verdict, torn: Verdict
) -> None:
    assert tuple(check.verdict for check in _cross(answer)) == (stale, torn)


@pytest.mark.parametrize(
    ("found", "end", "stale", "torn"),
    [
        ("7,11", "cut", Verdict.VALID, Verdict.VALID),
        ("11", "cut", Verdict.VALID, Verdict.VALID),
        ("7,11", "", Verdict.VALID, Verdict.INVALID),
        ("3,7", "cut", Verdict.INVALID, Verdict.VALID),
    ],
)
def test_only_a_write_that_was_cut_may_leave_a_block_in_pieces(
    found: str, end: str, stale: Verdict, torn: Verdict
) -> None:
    history = make_history("registers", "srv-a", events(Kind.ACK, "3 3", "7 3"), end)
    checks = Registers().check((history,), make_readings("registers", f"register srv-a 3 {found}"))
    assert tuple(check.verdict for check in checks) == (stale, torn)


def test_a_reader_is_asked_for_the_newest_acknowledged_version_and_once_at_a_time() -> None:
    caller = CrossReads(period_s=1.0)
    assert caller.call(("srv-a", "srv-b")) == ()
    for version in ("1 1", "5 1"):
        caller.hear("srv-a", Event(at_s=0.0, kind=Kind.ACK, words=tuple(version.split())))
    asks = caller.call(("srv-a", "srv-b"))
    assert [(ask.writer, ask.words) for ask in asks] == [
        ("srv-b", ("read", "1", "srv-a", "1", "5"))
    ]
    assert caller.call(("srv-a", "srv-b")) == ()
    caller.hear("srv-b", Event(at_s=0.0, kind=Kind.ANSWER, words=("1", "5")))
    assert [ask.writer for ask in caller.call(("srv-a", "srv-b"))] == ["srv-b"]
