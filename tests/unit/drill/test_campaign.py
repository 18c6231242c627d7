"""A campaign always leaves a record: of what was played, what broke, and what was not played."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.drill import store
from sanglier.drill.campaign import play_all, without_result
from sanglier.drill.checkers.guard import unknown
from sanglier.drill.plan import Plan
from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import parse

from .report import synthetic

PLANS = tuple(
    Plan(name=name, explains="", groups=(parse(name),))
    for name in ("open-killed", "standby-killed", "witness-killed")
)
GOOD = synthetic.kill_open_side()


def campaign(play: Callable[[Plan], Awaitable[DrillRun]]) -> tuple[list[int], list[DrillRun]]:
    kept: list[int] = []

    async def one(plan: Plan, _number: int) -> DrillRun:
        return replace(await play(plan), name=plan.name)

    runs = asyncio.run(play_all(PLANS, one, lambda runs: kept.append(len(runs))))
    return kept, list(runs)


def test_it_is_kept_before_and_after_each_drill() -> None:
    async def play(_: Plan) -> DrillRun:
        return GOOD

    kept, runs = campaign(play)
    assert kept == [1, 1, 2, 2, 3, 3]
    assert {run.verdict for run in runs} == {Verdict.VALID}


@pytest.mark.parametrize(
    "error", [TimeoutError(), OSError(5, "no"), RuntimeError("not thought of")]
)
def test_a_drill_that_breaks_is_unknown_and_the_next_is_played(error: Exception) -> None:
    async def play(plan: Plan) -> DrillRun:
        if plan is PLANS[1]:
            raise error
        return GOOD

    _, runs = campaign(play)
    assert [run.verdict for run in runs] == [Verdict.VALID, Verdict.UNKNOWN, Verdict.VALID]
    assert type(error).__name__ in runs[1].checks[0].summary


def test_after_one_that_could_not_begin_the_rest_is_named_as_not_played() -> None:
    async def play(plan: Plan) -> DrillRun:
        if plan is PLANS[1]:
            return replace(GOOD, checks=(unknown("faults", "drill", "not whole"),))
        return GOOD

    _, runs = campaign(play)
    assert [run.verdict for run in runs] == [Verdict.VALID, Verdict.UNKNOWN]
    assert runs[1].checks[1].summary == "it ended here; not played: witness-killed"


DRILLING = """
import asyncio, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from drill import test_campaign

async def die(plan):
    os.kill(os.getpid(), signal.SIGKILL)

test_campaign.into(Path(sys.argv[1]), die)
"""


def into(root: Path, play: Callable[[Plan], Awaitable[DrillRun]]) -> None:
    """Play the first plan well, and then as is said, into a folder."""
    kept = store.begin(root, "one")

    async def one(plan: Plan, number: int) -> DrillRun:
        return GOOD if number == 1 else await play(plan)

    def keep(runs: tuple[DrillRun, ...]) -> None:
        store.keep(kept, synthetic.campaign(*runs))

    asyncio.run(play_all(PLANS, one, keep))


def test_a_conductor_that_is_killed_leaves_a_campaign_that_is_not_valid(tmp_path: Path) -> None:
    """The process that drills is killed in the middle of its second drill."""
    tests = str(Path(__file__).parents[2])

    done = subprocess.run(
        [sys.executable, "-c", DRILLING, str(tmp_path), f"{tests}/unit"],
        capture_output=True, text=True, check=False, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = store.read(store.find(tmp_path, "one"))
    assert [run.verdict for run in left.runs] == [Verdict.VALID, Verdict.UNKNOWN]
    assert "the process that drilled ended" in left.runs[1].checks[0].summary
    assert left.runs[1].name == "standby-killed"


def test_what_has_no_result_can_be_written_read_and_shown(tmp_path: Path) -> None:
    kept = store.begin(tmp_path, "one")
    campaign = synthetic.campaign(without_result(PLANS[0], "<why>"))
    store.keep(kept, campaign)
    assert store.read(kept) == campaign
    assert "&lt;why&gt;" in kept.page.read_text()
