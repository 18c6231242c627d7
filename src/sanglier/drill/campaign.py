"""One drill after the other: what each came to is kept before the next one begins.

Before a drill begins, it is kept as one without a result.  So whatever becomes of the process that
drills, also when it is killed, its campaign says UNKNOWN and not nothing, or VALID.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sanglier.drill.checkers.guard import told, unknown
from sanglier.drill.plan import Plan
from sanglier.drill.result import DrillRun
from sanglier.drill.schedule import word

CUT = "it was begun and has no result: the process that drilled ended before it"

Play = Callable[[Plan, int], Awaitable[DrillRun]]
"""Plays a plan; the number counts from 1."""
Keep = Callable[[tuple[DrillRun, ...]], None]
"""Keeps what there is so far."""


async def play_all(plans: Sequence[Plan], play: Play, keep: Keep) -> tuple[DrillRun, ...]:
    """Play every plan; ends after one that could not begin, and says what was not played."""
    runs: tuple[DrillRun, ...] = ()
    for number, plan in enumerate(plans, start=1):
        keep((*runs, without_result(plan, CUT)))
        run = await _result(plan, play, number)
        left = plans[number:]
        ends = not run.begun and bool(left)
        runs = (*runs, _last(run, left) if ends else run)
        keep(runs)
        if ends:
            break
    return runs


async def _result(plan: Plan, play: Play, number: int) -> DrillRun:
    try:
        return await play(plan, number)
    except Exception as error:  # one that breaks keeps its place, and the next is played
        return without_result(plan, told(error))


def _last(run: DrillRun, left: Sequence[Plan]) -> DrillRun:
    """Give the drill after which the campaign ended."""
    names = ", ".join(plan.name for plan in left)
    check = unknown("campaign", "drills", f"it ended here; not played: {names}")
    return replace(run, checks=(*run.checks, check))


def without_result(plan: Plan, why: str) -> DrillRun:
    """Give what is kept of a drill of which nothing is known."""
    return DrillRun(
        name=plan.name, explains=plan.explains, seed=plan.seed,
        schedule=tuple(word(group) for group in plan.groups),
        started=datetime.now(UTC).isoformat(timespec="seconds"), length_s=0.0, moments=(),
        open_spans=(), series=(), checks=(unknown("result", "drill", why),), injections=0,
    )  # fmt: skip
