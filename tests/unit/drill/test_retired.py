"""Retired blocks: written for real, then a late write is put onto the disk, at any time."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.core.shell import render
from sanglier.drill.faults import planted
from sanglier.drill.history import Event, Kind
from sanglier.drill.result import Check, Verdict
from sanglier.drill.workloads.base import program
from sanglier.drill.workloads.blocks import BLOCKS
from sanglier.drill.workloads.retired import LAST, Retired, RetiredReads, in_flight

from .load import (
    SERVERS,
    Run,
    events,
    make_history,
    make_readings,
    new_load,
    run_until,
    takes_o_direct,
)

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN
WELL = {"late": VALID, "stale": VALID, "torn": VALID}
BLOCK = 4096


def record(text: str) -> bytes:
    return (text + " ").ljust(127, ".").encode() + b"\n"


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    if not takes_o_direct(tmp_path):
        pytest.skip("the filesystem of the temporary directory has no O_DIRECT")
    load = new_load(tmp_path, Retired(lanes=4, pause_s=0.05, read_hz=20))
    return await run_until(
        load,
        lambda load: all(
            len(writer.acks) >= 160
            and sum(e.kind is Kind.ASK for e in writer.events) >= 3
            and {a.op for a in writer.acks} >= {f"{lane}:17:2" for lane in range(4)}
            for writer in load.writers
        ),
    )


def put(run: Run, lane: int, block: int, data: bytes, at: int = 0) -> None:
    with (run.folder / "srv-a" / str(lane)).open("r+b") as file:
        file.seek(block * BLOCK + at)
        file.write(data)


async def test_what_is_left_alone_stays_as_it_is(run: Run) -> None:
    checks = await run.checks()
    assert {name: check.verdict for name, check in checks.items()} == WELL, checks
    assert [history.end for history in run.histories] == ["", ""]
    assert checks["late"].numbers["cross_reads"] >= 4


@pytest.mark.parametrize("block", [0, 3, 17])
@pytest.mark.parametrize("version", [0, 1])
async def test_an_old_block_that_is_put_back_is_named_a_late_write(
    run: Run, block: int, version: int
) -> None:
    put(run, 2, block, record(f"srv-a 2 {block} {version}") * 32)
    checks = await run.checks()
    assert checks["late"].verdict is INVALID
    assert checks["late"].numbers["late"] == 2
    told = f"a late write: srv-a lane 2 block {block} is version {version} again, read on srv-a"
    assert told in checks["late"].summary
    assert (checks["stale"].verdict, checks["torn"].verdict) == (VALID, VALID)


async def test_one_sector_of_it_is_late_and_torn(run: Run) -> None:
    put(run, 0, 1, record("srv-a 0 1 1") * 4, at=512)
    checks = await run.checks()
    assert checks["late"].verdict is INVALID
    assert checks["torn"].verdict is INVALID


async def test_what_nobody_wrote_is_torn(run: Run) -> None:
    put(run, 0, 1, bytes(BLOCK))
    assert (await run.verdicts())["torn"] is INVALID


async def test_a_lane_that_is_gone_or_short_is_noticed(run: Run) -> None:
    (run.folder / "srv-b" / "1").unlink()
    with (run.folder / "srv-a" / "2").open("r+b") as file:
        file.truncate(2 * BLOCK)
    checks = await run.checks()
    assert checks["late"].verdict is INVALID
    told = "\n".join(checks["late"].details)
    assert "srv-b lane 1 block 0 is gone" in told
    assert "srv-a lane 2 block 2 is gone" in told


async def test_every_lane_writes_at_the_same_time(tmp_path: Path) -> None:
    if not takes_o_direct(tmp_path):
        pytest.skip("the filesystem of the temporary directory has no O_DIRECT")
    load = new_load(tmp_path, Retired(pause_s=0.2))
    run = await run_until(
        load,
        lambda load: all(
            {a.op.partition(":")[0] for a in w.acks} == {str(lane) for lane in range(32)}
            for w in load.writers
        ),
    )
    assert [history.end for history in run.histories] == ["", ""]


async def test_a_lane_that_fails_ends_its_writer_with_its_reason(tmp_path: Path) -> None:
    if not takes_o_direct(tmp_path):
        pytest.skip("the filesystem of the temporary directory has no O_DIRECT")
    load = new_load(tmp_path, Retired(lanes=3, pause_s=0.05))
    (tmp_path / "volume" / "retired").mkdir(parents=True)
    (tmp_path / "volume" / "retired" / "srv-b").mkdir()
    run = await run_until(load, lambda load: all(w.over for w in load.writers if w.name == "srv-b"))
    ends = {history.writer: history.end for history in run.histories}
    assert ends["srv-b"].startswith("failed: 0 17 File exists")


async def test_where_a_block_lies_on_the_device_is_found(run: Run) -> None:
    """FIEMAP, on whatever filesystem this is."""
    script = render(program(BLOCKS + planted.FIND, run.load.directory), reveal=False)
    result = await run.load.transport.run(SERVERS[0], script, limit=30)
    if result.status:
        pytest.skip(f"no FIEMAP here: {result.text}")
    place, *record = result.text.split()
    assert int(place) > 0
    assert record == ["srv-a", "0", "0"]


def story(*own: str, acks: tuple[str, ...] = ("5:1:1", "5:1:2")) -> list[Event]:
    return [*events(Kind.ACK, *acks), *events(Kind.ANSWER, *own)]


def judged(own: str, found: str, end: str = "") -> dict[str, Check]:
    history = make_history("retired", "srv-a", story(own), end)
    checks = Retired().check((history,), make_readings("retired", f"lane srv-a 5 0 {found}"))
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("own", "found", "late", "stale"),
    [
        ("own:5:1 2", "2", VALID, VALID),
        ("own:5:1 2", "1", INVALID, VALID),
        ("own:5:1 error 5", "1", VALID, INVALID),
        ("own:5:1 1", "2", VALID, INVALID),
        ("own:5:1 1,2", "2", VALID, INVALID),
        ("own:5:1 error 5", "2", VALID, VALID),
    ],
)
def test_a_late_write_is_told_apart_from_one_that_was_never_there(
    own: str, found: str, late: Verdict, stale: Verdict
) -> None:
    checks = judged(own, found)
    assert (checks["late"].verdict, checks["stale"].verdict) == (late, stale), checks


def test_only_a_write_that_was_cut_may_leave_a_block_in_pieces() -> None:
    acks = ("5:0:1",)
    for end, verdict in (("cut", VALID), ("", INVALID)):
        history = make_history("retired", "srv-a", story(acks=acks), end)
        checks = Retired().check((history,), make_readings("retired", "lane srv-a 5 1,2"))
        assert checks[-1].verdict is verdict


def test_what_another_server_reads_meanwhile_counts() -> None:
    """It is overwritten by nobody later, but it may be mended by chance: then only this tells."""
    writer = make_history("retired", "srv-a", story("own:5:1 2"))
    talk = (*events(Kind.ASK, "read 1 srv-a 5 1"), *events(Kind.ANSWER, "1 1"))
    reader = make_history("retired", "srv-b", talk)
    checks = Retired().check((writer, reader), make_readings("retired", "lane srv-a 5 0 2"))
    assert checks[0].verdict is INVALID
    assert "read on srv-b" in checks[0].summary


def test_a_reading_that_lacks_is_unknown() -> None:
    history = make_history("retired", "srv-a", story("own:5:1 2"))
    assert {c.verdict for c in Retired().check((history,), ())} == {UNKNOWN}


def test_only_blocks_that_were_seen_whole_are_asked_for() -> None:
    caller = RetiredReads(period_s=1.0)
    caller.hear("srv-a", Event(at_s=0.0, kind=Kind.ANSWER, words=("own:3:0", "1")))
    assert caller.call(("srv-a", "srv-b")) == ()
    caller.hear("srv-a", Event(at_s=0.0, kind=Kind.ANSWER, words=("own:3:7", str(LAST))))
    (ask,) = caller.call(("srv-a", "srv-b"))
    assert (ask.writer, ask.words) == ("srv-b", ("read", "1", "srv-a", "3", "7"))
    assert caller.call(("srv-a", "srv-b")) == ()
    caller.hear("srv-b", Event(at_s=0.0, kind=Kind.ANSWER, words=("1", "2")))
    assert [one.writer for one in caller.call(("srv-a", "srv-b"))] == ["srv-b"]


def test_the_most_writes_under_way_are_counted() -> None:
    begun = events(Kind.INVOKE, *(f"{lane}:0:1" for lane in range(32)))
    ended = events(Kind.ACK, "3:0:1")
    assert in_flight([make_history("retired", "srv-a", (*begun, *ended, *begun[:1]))]) == 32
