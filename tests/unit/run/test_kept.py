"""Hosts are read by the numbers in force there, and a run stops when those change under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest
from layers.firing import claiming
from layers.goal import GOAL
from layers.recordings import facts_of
from layers.simulate import applying

from sanglier.core.errors import SanglierError
from sanglier.core.events import Event
from sanglier.core.facts import Facts
from sanglier.drill.faults.changes import swapped
from sanglier.layers.base import Goal
from sanglier.layers.numbers.facts import Kind, Rank
from sanglier.layers.stack import LAYERS
from sanglier.run import apply as run_apply
from sanglier.run import kept
from sanglier.run.apply import Direction, apply
from sanglier.run.kept import gather_kept
from sanglier.run.report import Report
from sanglier.run.stop import StopFlag
from sanglier.run.transport import Transport
from sanglier.spec.keep import Numbers, keep

NOBODY = cast(Transport, None)
SWAPPED = replace(GOAL, cluster=swapped(GOAL.cluster))


def quiet(_event: Event) -> None:
    """Tell nobody."""


def saying(*numbers: int) -> Facts:
    """Give a converged cluster whose o2cb has these numbers for srv-a and srv-b."""
    named = zip(("srv-a", "srv-b"), numbers, strict=True)
    return claiming(*(("srv-a", Kind.NODE, name, n, Rank.MOUNTED) for name, n in named))


def answering(monkeypatch: pytest.MonkeyPatch, *answers: Facts) -> list[Goal]:
    """Have hosts answer with these facts in turn, the last one for ever; gives what was asked."""
    asked: list[Goal] = []

    async def gather(goal: Goal, *_: object, **__: object) -> Facts:
        asked.append(goal)
        return answers[min(len(asked), len(answers)) - 1]

    monkeypatch.setattr(kept, "gather", gather)
    monkeypatch.setattr(run_apply, "gather", gather)
    return asked


async def test_in_the_ordinary_case_hosts_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, saying(0, 1))
    goal, _ = await gather_kept(GOAL, LAYERS, NOBODY, sink=quiet)
    assert goal.cluster == keep(GOAL.cluster, Numbers())
    assert len(asked) == 1


async def test_hosts_are_read_again_by_the_numbers_that_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = answering(monkeypatch, facts_of("converged"))
    goal, _ = await gather_kept(SWAPPED, LAYERS, NOBODY, sink=quiet)
    assert [server.name for server in goal.cluster.applications] == ["srv-a", "srv-b"]
    assert asked[-1] == goal
    assert len(asked) == 2


async def test_numbers_that_change_at_every_reading_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answering(monkeypatch, saying(1, 2), saying(2, 3), saying(3, 4))
    with pytest.raises(SanglierError, match="SG-RUN-010"):
        await gather_kept(GOAL, LAYERS, NOBODY, sink=quiet)


async def carried_out(monkeypatch: pytest.MonkeyPatch, meanwhile: Facts) -> Report:
    """Plan from a drift, and carry it out on hosts that answer otherwise by then."""
    facts = facts_of("multipath-conf-edited")
    goal = replace(GOAL, cluster=keep(GOAL.cluster, Numbers()))
    answering(monkeypatch, meanwhile)
    return await apply(
        goal, LAYERS, NOBODY, applying(goal, facts), Direction.APPLY,
        facts=facts, sink=quiet, stop=StopFlag(),
    )  # fmt: skip


def codes(errors: Sequence[SanglierError]) -> list[str]:
    return [str(error.code) for error in errors]


async def test_other_numbers_in_force_stop_a_run_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = await carried_out(monkeypatch, saying(0, 5))
    assert codes(report.errors) == ["SG-RUN-010"]
    assert "node numbers" in report.errors[0].what
    assert report.done == 0


async def test_a_disagreement_that_arises_meanwhile_stops_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = claiming(
        ("srv-a", Kind.NODE, "srv-b", 1, Rank.MOUNTED), ("srv-b", Kind.NODE, "srv-b", 0,
                                                         Rank.MOUNTED),
    )  # fmt: skip
    report = await carried_out(monkeypatch, both)
    assert codes(report.errors) == ["SG-NUM-002"]
    assert report.done == 0
