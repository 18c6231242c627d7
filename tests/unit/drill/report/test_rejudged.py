"""Kept campaigns are readable, and say UNKNOWN where today's rules need what they did not keep."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.drill.report import document
from sanglier.drill.report.rejudged import rejudged
from sanglier.drill.result import Campaign, DrillRun, MomentKind, OpenSpan, Verdict

from . import synthetic

KEPT = sorted((Path(__file__).parents[4] / "docs" / "evidence").glob("*.json"))
CUT, FENCED = MomentKind.FAULT, MomentKind.FENCED
SPANS = (
    OpenSpan(volume="data", host="disk-a", from_s=0, to_s=12),
    OpenSpan(volume="data", host="disk-b", from_s=20, to_s=60),
)


def run_of(schedule: str, *moments: tuple[float, MomentKind, str, str]) -> DrillRun:
    return replace(
        synthetic.kill_open_side(), schedule=(schedule,), open_spans=SPANS,
        moments=tuple(synthetic.moment(*one) for one in moments),
    )  # fmt: skip


def verdict(run: DrillRun, name: str) -> Verdict:
    (found,) = rejudged(synthetic.campaign(run)).runs
    return next(check.verdict for check in found.checks if check.name == name)


def test_a_side_that_opened_after_the_other_was_fenced_stays_valid() -> None:
    run = run_of(
        "replication-cut+25",
        (5, CUT, "disk-b", "replication-cut"), (15, FENCED, "disk-a", "disk-a was fenced"),
    )  # fmt: skip
    assert verdict(run, "both-open") is Verdict.VALID
    assert verdict(run, "fences") is Verdict.VALID


def test_one_that_opened_after_the_drill_took_the_other_s_power_stays_valid() -> None:
    run = run_of("open-killed+30", (12.1, CUT, "disk-a", "open-killed"))
    assert verdict(run, "both-open") is Verdict.VALID


@pytest.mark.parametrize(
    "moment",
    [
        (12.1, CUT, "disk-a", "disk-errors"),
        (12.1, CUT, "disk-b", "open-killed"),
        (21.0, FENCED, "disk-a", "disk-a was fenced"),
        (3.0, CUT, "disk-a", "open-killed"),
    ],
)
def test_one_of_which_nothing_was_kept_is_unknown(
    moment: tuple[float, MomentKind, str, str],
) -> None:
    assert verdict(run_of("planned-move+5", moment), "both-open") is Verdict.UNKNOWN


def test_who_was_fenced_for_an_earlier_fault_was_fenced_without_reason() -> None:
    run = replace(
        run_of(
            "standby-killed+5",
            (5, CUT, "disk-b", "standby-killed"), (40, CUT, "srv-a", "san-cut-one"),
            (50, FENCED, "disk-b", "disk-b was fenced"),
        ),
        schedule=("standby-killed+5", "san-cut-one+15"),
    )  # fmt: skip
    assert verdict(run, "fences") is Verdict.INVALID


def test_what_has_the_newer_number_and_what_was_not_valid_is_left_alone() -> None:
    old = run_of("planned-move+5")
    checks = [
        replace(c, numbers={"handovers": 1}) if c.name == "both-open" else c for c in old.checks
    ]
    new = replace(old, checks=tuple(checks))
    assert rejudged(synthetic.campaign(new)) == synthetic.campaign(new)
    assert verdict(synthetic.cut_replication(), "both-open") is Verdict.INVALID


TURNED = (Verdict.VALID, Verdict.INVALID)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_every_kept_campaign_is_readable_and_gets_no_better(path: Path) -> None:
    kept = document.from_text(path.read_text(encoding="utf-8"))
    order = (Verdict.VALID, Verdict.UNKNOWN, Verdict.INVALID)
    for before, after in zip(checks(kept), checks(rejudged(kept)), strict=True):
        assert order.index(before) <= order.index(after)


def checks(campaign: Campaign) -> list[Verdict]:
    return [check.verdict for run in campaign.runs for check in run.checks]


def test_one_fencing_that_once_passed_does_not_pass_any_more() -> None:
    """Seed 1016: nobody had a majority for 16 s, and half a minute later disk-a was fenced."""
    found = Counter(
        run.seed
        for path in KEPT
        for kept in [document.from_text(path.read_text(encoding="utf-8"))]
        for old, run in zip(kept.runs, rejudged(kept).runs, strict=True)
        for before, check in zip(old.checks, run.checks, strict=True)
        if check.name == "fences" and (before.verdict, check.verdict) == TURNED
    )
    assert found == {1016: 1}
