"""The recorder: kept drills can be judged again; writers that end badly are no failure of it."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanglier.drill.history import History, Kind
from sanglier.drill.recorder import check, load_kept
from sanglier.drill.result import Check, Verdict, worst
from sanglier.drill.workloads import all_workloads
from sanglier.drill.workloads.appends import Appends
from sanglier.drill.workloads.base import Reading
from sanglier.drill.workloads.counters import Counters
from sanglier.drill.workloads.registers import Registers
from sanglier.drill.workloads.trees import Trees

from .load import SERVERS, Run, acked, new_load, run_until, takes_o_direct, wait_for


async def test_a_drill_that_was_kept_is_judged_again_to_the_same_checks(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    load = new_load(tmp_path, Appends(rate_hz=100), Trees(rate_hz=100), keep=kept)
    run = await run_until(load, acked(5))
    (Path(load.directory) / "appends" / "srv-a").write_bytes(b"\xff\r\x0b")
    first = check(load.workloads, run.histories, await run.readings())
    histories, readings = load_kept(kept)
    assert sorted(histories, key=_name) == sorted(run.histories, key=_name)
    assert check(load.workloads, histories, readings) == first
    assert worst(one.verdict for one in first) is Verdict.INVALID


def _name(history: History) -> tuple[str, str]:
    return history.workload, history.writer


async def test_every_word_is_on_our_disk_before_the_writer_has_ended(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    load = new_load(tmp_path, Appends(rate_hz=100), keep=kept)
    seen: list[tuple[int, int]] = []

    def enough(_: object) -> bool:
        acks = len(load.writers[0].acks)
        lines = (kept / "appends-srv-a.jsonl").read_text().splitlines()
        seen.append((acks, len(lines) - 1))
        return acks > 5

    await run_until(load, enough)
    assert all(acks == lines for acks, lines in seen)


async def test_all_workloads_run_side_by_side_and_are_all_valid(tmp_path: Path) -> None:
    if not takes_o_direct(tmp_path):
        pytest.skip("the filesystem of the temporary directory has no O_DIRECT")
    load = new_load(tmp_path, *all_workloads())
    run = await run_until(load, acked(3))
    checks = check(load.workloads, run.histories, await run.readings())
    assert {one.verdict for one in checks} == {Verdict.VALID}, checks
    assert {one.subject for one in checks} == {workload.name for workload in load.workloads}


async def test_a_writer_that_is_killed_ends_with_words_and_nothing_is_lost(tmp_path: Path) -> None:
    load = new_load(tmp_path, Appends(rate_hz=200))
    load.limit_s = 1
    run = await run_until(load, lambda _: False)
    assert all("limit of 1 s" in history.end for history in run.histories)
    assert worst((await run.verdicts()).values()) is Verdict.VALID


async def test_a_writer_that_hangs_is_left_and_its_operation_is_uncertain(tmp_path: Path) -> None:
    load = new_load(tmp_path, Counters(rate_hz=100))
    await load.prepare(SERVERS[0])
    for server in SERVERS:
        await load.start(server)
    conducting = asyncio.create_task(load.conduct())
    await wait_for(lambda: all(writer.acks for writer in load.writers))
    counter = Path(load.directory) / "counters" / "counter"
    with counter.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        await asyncio.sleep(0.2)
        conducting.cancel()
        with suppress(asyncio.CancelledError):
            await conducting
        histories = await load.stop(0.1)
    assert {history.end for history in histories} == {"it never stopped"}
    asks = [sum(e.kind is Kind.ASK for e in history.events) for history in histories]
    assert asks == [len(history.acks) + 1 for history in histories]
    assert await Run(load=load, histories=histories).verdicts() == {"counter": Verdict.VALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken(Registers):
    """A workload whose check crashes."""

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Crash."""
        raise KeyError("block")


def test_a_check_that_crashes_is_unknown_and_hides_no_other() -> None:
    checks = check((_Broken(), Appends()), (), ())
    assert [one.name for one in checks][:2] == ["registers", "lost"]
    assert {one.verdict for one in checks} == {Verdict.UNKNOWN}
    assert "KeyError" in checks[0].summary
