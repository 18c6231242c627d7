"""Read the hosts for the numbers that are in force there, not for those of the file's order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.core.events import Sink, unheard
from sanglier.core.facts import Facts
from sanglier.layers.base import Goal, StackLayer
from sanglier.layers.numbers import LAYER as numbers_layer
from sanglier.layers.numbers.desired import numbers
from sanglier.run.codes import Code
from sanglier.run.gather import gather
from sanglier.run.transport import Transport
from sanglier.spec.keep import Numbers, keep

TRIES = 3


def kept(goal: Goal, facts: Facts) -> Goal:
    """Give the goal with every number that is in force kept."""
    return replace(goal, cluster=keep(goal.cluster, numbers(goal.cluster, facts)))


async def gather_kept(
    goal: Goal,
    layers: Sequence[StackLayer],
    transport: Transport,
    *,
    sink: Sink,
    record: Path | None = None,
    wait: bool = False,
) -> tuple[Goal, Facts]:
    """Read ``layers`` on all hosts as :func:`gather` does; gives the goal that was asked for too.

    Where something else is in force than the file's order says, the hosts are read once more,
    because probes ask by number.
    """
    asked = replace(goal, cluster=keep(goal.cluster, Numbers()))
    for _ in range(TRIES):
        facts = await gather(asked, layers, transport, sink=sink, record=record, wait=wait)
        found = kept(goal, facts)
        if found == asked:
            return found, facts
        asked = found
    raise _restless(goal)


async def in_force(goal: Goal, transport: Transport) -> Goal:
    """Read nothing but the numbers, and give the goal with those that are in force."""
    found, _ = await gather_kept(goal, (numbers_layer,), transport, sink=unheard)
    return found


def _restless(goal: Goal) -> SanglierError:
    return SanglierError(
        code=Code.DRIFT,
        subject=goal.cluster.name,
        what=f"read {TRIES} times, the hosts gave other numbers each time",
        why="somebody is changing node numbers, DRBD minors or ports there",
        fix="run the same command again when that is over",
    )
