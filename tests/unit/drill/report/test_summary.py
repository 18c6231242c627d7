"""What the terminal shows at three in the morning."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from sanglier.drill.report.summary import WIDTH, summary_lines
from sanglier.drill.result import Campaign

from . import synthetic
from .synthetic import check

FOLDER = Path("/state/drills/2030-01-02T030405Z-7")
GOLDEN = Path(__file__).parent / "summary.txt"


def _shown(campaign: Campaign) -> list[str]:
    return [text.plain for text in summary_lines(campaign, FOLDER)]


def test_the_summary_is_the_golden_one() -> None:
    assert "\n".join(_shown(synthetic.campaign())) + "\n" == GOLDEN.read_text(encoding="utf-8")


def test_only_what_is_to_be_copied_is_wider_than_the_terminal() -> None:
    wide = [text for text in _shown(synthetic.hundred()) if len(text) > WIDTH]
    assert [text for text in wide if "drill replay" not in text and "/" not in text] == []


def test_a_campaign_that_is_well_is_a_line_per_drill_and_the_totals() -> None:
    shown = _shown(synthetic.campaign(synthetic.kill_open_side(), synthetic.random_round(1)))
    assert len([text for text in shown if text.startswith("  ✓ VALID")]) == 2
    assert (
        "✓ VALID  All drills passed their checks: of 99,938 acknowledged writes, none was lost."
        in (shown)
    )
    assert not any("do:" in text for text in shown)


def test_long_evidence_is_cut_with_a_count() -> None:
    failed = synthetic.cut_replication()
    first = replace(failed.checks[0], details=tuple(f"record {n}" for n in range(40)))
    shown = _shown(synthetic.campaign(replace(failed, checks=(first,))))
    assert "      record 11" in shown
    assert "      … 28 more lines on the page" in shown


def test_a_drill_without_checks_says_why_it_is_unknown() -> None:
    shown = _shown(synthetic.campaign(replace(synthetic.kill_open_side(), checks=())))
    assert "  It could not be judged: no check was made." in shown


def test_hostile_text_does_not_command_the_terminal() -> None:
    words = "\x1b]0;x\x07\x9b2J\r\n\u202e"
    run = replace(synthetic.cut_replication(), name=words, explains=words, schedule=(words,))
    run = replace(run, checks=(check("a", run.checks[0].verdict, words, words, (words,)),))
    written = io.StringIO()
    console = Console(file=written, soft_wrap=True, width=WIDTH)
    for text in summary_lines(replace(synthetic.campaign(run), cluster=words), FOLDER):
        console.print(text)
    assert not set(written.getvalue()) & set("\x1b\x07\x9b\r\u202e")


def test_a_quoted_schedule_is_one_argument_each() -> None:
    run = replace(synthetic.cut_replication(), schedule=("cut $(reboot)", "a;b"))
    shown = "\n".join(_shown(synthetic.campaign(run)))
    assert "sanglier drill replay FILE --seed 7 'cut $(reboot)' 'a;b'" in shown
