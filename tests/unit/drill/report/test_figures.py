"""Figures claim nothing that was not measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.drill.report.figures import (
    Figure,
    exceeds,
    figure,
    headline,
    measured_stall_s,
    totals,
)
from sanglier.drill.result import Check, DrillRun, Series, Verdict

from . import synthetic
from .synthetic import check


def _run(*checks: Check) -> DrillRun:
    return replace(synthetic.kill_open_side(), checks=checks)


def test_figures_are_summed_over_the_checks_that_give_them() -> None:
    run = _run(check("lost", acknowledged=5, lost=0), check("tree", acknowledged=7), check("fsck"))
    assert figure(run, Figure.ACKNOWLEDGED) == 12
    assert figure(run, Figure.LOST) == 0
    assert figure(run, Figure.STALE) is None


def test_zero_of_a_check_that_could_not_be_made_is_absent() -> None:
    unread = check("lost", Verdict.UNKNOWN, acknowledged=5, lost=0)
    assert figure(_run(unread), Figure.LOST) is None
    assert figure(_run(unread, check("lost", lost=0)), Figure.LOST) is None
    assert figure(_run(unread, check("lost", Verdict.INVALID, lost=2)), Figure.LOST) == 2
    assert figure(_run(unread), Figure.ACKNOWLEDGED) == 5


@pytest.mark.parametrize(
    ("verdict", "value"), [(Verdict.VALID, 0), (Verdict.INVALID, 1), (Verdict.UNKNOWN, None)]
)
@pytest.mark.parametrize(
    ("name", "key"), [("both-open", Figure.BOTH_OPEN), ("fences", Figure.WRONG_FENCES)]
)
def test_a_check_that_does_not_count_answers_by_its_verdict(
    name: str, key: Figure, verdict: Verdict, value: float | None
) -> None:
    assert figure(_run(check(name, verdict)), key) == value


def test_totals_say_how_many_drills_gave_a_figure() -> None:
    found = totals([_run(check("lost", lost=0)), _run(check("fsck"))])
    assert (found.of(Figure.LOST).value, found.of(Figure.LOST).given_by) == (0, 1)
    assert (found.of(Figure.STALE).value, found.of(Figure.STALE).given_by) == (None, 0)


def test_none_lost_is_said_only_when_every_drill_looked() -> None:
    looked = _run(check("lost", acknowledged=5, lost=0))
    blind = _run(check("tree", acknowledged=5))
    assert headline([looked]).endswith("of 5 acknowledged writes, none was lost.")
    assert headline([looked, blind]) == "All drills passed their checks."


def test_a_failure_that_no_figure_counts_is_named() -> None:
    failed = _run(check("tree", Verdict.INVALID), check("both-open", Verdict.INVALID))
    assert headline([failed]) == (
        "1 of 1 drill found something wrong: 1 time both sides open, failed: tree."
    )


def test_the_stall_of_one_workload_counts_when_it_is_longer() -> None:
    assert measured_stall_s(_run(check("stall", longest_stall_s=12.5))) == 12.5
    assert measured_stall_s(_run(check("stall", longest_stall_s=1))) == pytest.approx(10.8)


def test_a_stall_is_absent_when_nothing_was_acknowledged() -> None:
    silent = Series(server="srv-a", per_second=(0, 0), stalls=())
    run = _run(check("stall", Verdict.UNKNOWN, longest_stall_s=0))
    assert measured_stall_s(replace(run, series=(silent,))) is None
    assert measured_stall_s(replace(run, series=())) is None
    assert totals([replace(run, series=())]).worst_stall_s is None


def test_a_stall_is_over_when_its_check_says_so_else_by_the_prediction() -> None:
    long = replace(_run(), predicted_stall_s=10.0)
    assert exceeds(long)
    assert not exceeds(replace(long, predicted_stall_s=11.0))
    assert not exceeds(replace(long, predicted_stall_s=None))
    assert not exceeds(replace(long, checks=(check("stall", longest_stall_s=10.8),)))
    assert exceeds(replace(long, checks=(check("stall", Verdict.INVALID),)))
