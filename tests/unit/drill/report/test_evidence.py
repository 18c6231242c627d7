"""The table of evidence, and the command that writes it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.drill.report.document import to_text
from sanglier.drill.report.evidence import evidence_page, main
from sanglier.drill.report.rejudged import rejudged
from sanglier.drill.result import Campaign

from . import synthetic


def _cells(page: str, first: str) -> list[str]:
    line = next(line for line in page.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_drills_of_one_name_are_one_row_over_several_campaigns() -> None:
    slow = replace(
        synthetic.kill_open_side(), series=(synthetic.series("srv-a", 62, (12.0, 36.0)),)
    )
    page = evidence_page([synthetic.campaign(), synthetic.campaign(slow)])
    assert _cells(page, "kill-open-side") == [
        "kill-open-side", "✓ VALID", "2", "2", "77,874", "0", "0", "0", "0",
        "17.4 s", "**24.0 s** (1 run over)", "22.0 s",
    ]  # fmt: skip


def test_each_set_of_timings_has_its_own_rows() -> None:
    slow = synthetic.campaign(synthetic.kill_open_side())
    page = evidence_page([slow, replace(slow, timings="fast")])
    assert page.count("### All runs with timings: ") == 2
    assert page.count("| kill-open-side | ✓ VALID | 1 |") == 2
    assert "* drills: 2 (2 VALID" in page


def test_emulated_hosts_have_their_own_rows_and_stand_for_themselves() -> None:
    first = synthetic.campaign(synthetic.kill_open_side())
    other = replace(first, machine="lab of QEMU (tcg), Linux 6.12.118, Debian 13, 2 processors")
    page = evidence_page([first, other])
    assert f"### All runs with timings: {first.timings}\n" in page
    assert f"### All runs with timings: {first.timings}, QEMU (tcg)\n" in page
    assert "As it stands" not in page


def test_a_failure_that_a_later_run_of_the_drill_mended_is_told_apart_from_how_it_stands() -> None:
    mended = replace(synthetic.cut_replication(), checks=synthetic.kill_open_side().checks)
    failed = replace(synthetic.cut_replication(), started="2026-11-24T10:00:00+00:00")
    later = replace(mended, started="2026-11-25T10:00:00+00:00")
    for runs in ((failed, later), (later, failed)):
        page = evidence_page([synthetic.campaign(*runs)])
        stands = page.index("### As it stands")
        assert "**INVALID** 1 of 2 drills" in page[:stands]
        assert "**VALID** The drill passed" in page[stands : page.index("### All runs")]
    assert "As it stands" not in evidence_page([synthetic.campaign(failed)])


def test_a_seed_that_was_replayed_stands_as_its_replay_came_out() -> None:
    bad = replace(
        synthetic.random_round(1),
        checks=synthetic.cut_replication().checks,
        started="2026-11-24T10",
    )
    again = replace(synthetic.random_round(1), name="random 1, again", started="2026-11-24T11")
    page = evidence_page([synthetic.campaign(bad, again)])
    assert "**VALID** The drill passed" in page
    assert _cells(page, "random")[2] == "2"


def test_rounds_of_random_are_one_row() -> None:
    rounds = [synthetic.random_round(n) for n in (1, 2, 3)]
    page = evidence_page([synthetic.campaign(*rounds)])
    assert _cells(page, "random")[2] == "3"
    assert page.count("`sanglier drill replay FILE --seed 100") == 3


def test_what_failed_and_what_could_not_be_judged_is_told() -> None:
    page = evidence_page([synthetic.campaign()])
    assert "**INVALID** 1 of 4 drills found something wrong: 2 acknowledged writes lost" in page
    assert "    * INVALID: lost, appends: 2 acknowledged records of srv-b are not there" in page
    assert "    * UNKNOWN: lost, appends: the file could not be read" in page
    assert "* acknowledged writes lost (must be 0): **2**, in 3 of 4" in page
    assert "* wrong fences (must be 0): 0\n" in page


def test_the_machine_and_the_seed_are_told() -> None:
    page = evidence_page([synthetic.campaign()])
    assert "invented for a test: 2 processors, no kernel" in page
    command = "sanglier drill replay FILE --seed 7 cut:disk-a/replication"
    assert f"| cut-replication | 7 | `{command}" in page


def test_no_campaign_is_no_evidence() -> None:
    assert "**UNKNOWN** Nothing is known: no drill was run." in evidence_page([])


def test_hostile_text_stays_in_its_cell() -> None:
    words = "a|b`c`<b>[x](y)\n| forged | row |"
    run = replace(synthetic.cut_replication(), name=words, schedule=(words,))
    page = evidence_page([replace(synthetic.campaign(run), machine=words)])
    assert r"a\|b\`c\`\<b\>\[x\](y) \| forged \| row \|" in page
    assert not [line for line in page.splitlines() if line.startswith("| forged")]


def _written(folder: Path, name: str, campaign: Campaign) -> str:
    (folder / name).write_text(to_text(campaign), encoding="utf-8")
    return str(folder / name)


def test_the_command_writes_the_page(tmp_path: Path) -> None:
    document = _written(tmp_path, "campaign.json", synthetic.campaign())
    page = tmp_path / "evidence.md"
    words = ["-m", "sanglier.drill.report.evidence", document, "--write", str(page)]
    subprocess.run([sys.executable, *words], check=True, timeout=60)
    assert page.read_text(encoding="utf-8") == evidence_page([rejudged(synthetic.campaign())])


def test_the_command_refuses_what_is_no_campaign_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = _written(tmp_path, "good.json", synthetic.campaign())
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    page = tmp_path / "evidence.md"
    assert main([good, str(tmp_path / "bad.json"), "--write", str(page)]) == 1
    assert not page.exists()
    assert "SG-DRILL-040" in capsys.readouterr().err


def test_what_the_figures_cannot_show_comes_before_them(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(to_text(synthetic.campaign(synthetic.kill_open_side())))
    (tmp_path / "preface.md").write_text("## What these drills did not see\n\nA clock.\n")
    page = tmp_path / "evidence.md"
    words = (str(tmp_path / "one.json"), "--preface", str(tmp_path / "preface.md"))
    assert main((*words, "--write", str(page))) == 0
    text = page.read_text()
    assert text.index("# Evidence") < text.index("A clock.") < text.index("## Access: guarded")
