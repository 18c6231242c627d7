"""fsck.ocfs2 -fn, as the real one answered: its exit status is 0 for a damaged filesystem."""

from __future__ import annotations

import pytest

from sanglier.drill.checkers.filesystem import check_filesystem
from sanglier.drill.result import Check, Verdict

from .recorded import FIXTURES


def _recorded(case: str) -> tuple[int, str]:
    status, _, text = (FIXTURES / "drill" / "fsck" / f"{case}.txt").read_text().partition("\n")
    return int(status), text


def _check(case: str) -> Check:
    return check_filesystem("data", *_recorded(case))


def test_a_clean_filesystem_is_valid() -> None:
    assert _check("clean").verdict is Verdict.VALID


@pytest.mark.parametrize(("case", "code"), [("links", "INODE_COUNT"), ("group-wiped", "CHAIN_")])
def test_findings_count_though_fsck_says_that_all_passes_succeeded(case: str, code: str) -> None:
    status, text = _recorded(case)
    assert (status, "All passes succeeded." in text) == (0, True)
    check = _check(case)
    assert check.verdict is Verdict.INVALID
    assert check.details[0].startswith(f"[{code}")
    assert check.numbers["findings"] == len(check.details)


@pytest.mark.parametrize("case", ["root-wiped", "superblock-wiped"])
def test_damage_that_fsck_gives_up_on_is_found(case: str) -> None:
    assert _recorded(case)[0] == 8
    assert _check(case).verdict is Verdict.INVALID


def test_a_dirty_journal_is_unknown() -> None:
    assert _check("journal-dirty").verdict is Verdict.UNKNOWN


def test_a_run_that_did_not_happen_or_did_not_finish_is_unknown() -> None:
    status, text = _recorded("clean")
    assert _check("absent").verdict is Verdict.UNKNOWN
    assert check_filesystem("data", None, "").verdict is Verdict.UNKNOWN
    cut = text[: text.index("Pass 2")]
    assert check_filesystem("data", status, cut).verdict is Verdict.UNKNOWN
    assert check_filesystem("data", 124, text).verdict is Verdict.UNKNOWN
