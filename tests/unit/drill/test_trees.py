"""Trees: changed for real, then damaged on disk; undone and half-done changes are told apart."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanglier.drill.history import History, Kind
from sanglier.drill.result import Verdict
from sanglier.drill.workloads.trees import FOLDER, Tree, Trees, changes, compare, states

from .load import Run, acked, events, make_history, new_load, run_until


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    return await run_until(new_load(tmp_path, Trees(rate_hz=500)), acked(40))


async def test_the_tree_is_as_the_writer_left_it(run: Run) -> None:
    checks = await run.checks()
    assert checks["tree"].verdict is Verdict.VALID, checks["tree"]
    assert [history.end for history in run.histories] == ["", ""]


async def _assert_found(run: Run) -> None:
    assert await run.verdicts() == {"tree": Verdict.INVALID}


def _kept(run: Run) -> Path:
    return sorted((run.folder / "srv-a").glob("kept-*"))[0]


async def test_a_lost_file_is_found(run: Run) -> None:
    _kept(run).unlink()
    await _assert_found(run)


async def test_a_file_in_pieces_is_found(run: Run) -> None:
    with _kept(run).open("r+b") as file:
        file.seek(4096)
        file.write(bytes(128))
    await _assert_found(run)


async def test_a_file_cut_short_is_found(run: Run) -> None:
    with _kept(run).open("r+b") as file:
        file.truncate(4096)
    await _assert_found(run)


async def test_a_file_that_came_back_is_found(run: Run) -> None:
    shutil.copy(_kept(run), run.folder / "srv-a" / "kept-1")
    await _assert_found(run)


async def test_a_renaming_that_was_undone_is_found(run: Run) -> None:
    kept = _kept(run)
    kept.rename(kept.with_name(kept.name.replace("kept", "dir")) / "fresh")
    await _assert_found(run)


async def test_a_lost_tree_is_found(run: Run) -> None:
    shutil.rmtree(run.folder / "srv-b")
    await _assert_found(run)


def _after(number: int) -> Tree:
    tree, _ = next(itertools.islice(states("srv-a"), number, None))
    return dict(tree)


def _history(acknowledged: int, end: str) -> History:
    acks = events(Kind.ACK, *map(str, range(1, acknowledged + 1)))
    return make_history("trees", "srv-a", acks, end)


@given(acknowledged=st.integers(1, 80), further=st.integers(0, 20))
def test_a_writer_that_was_cut_may_have_done_more(acknowledged: int, further: int) -> None:
    tree = _after(acknowledged + further)
    assert compare(_history(acknowledged, "cut"), tree) == ""


@given(acknowledged=st.integers(1, 80), undone=st.integers(1, 20))
def test_an_acknowledged_change_may_not_be_undone(acknowledged: int, undone: int) -> None:
    tree = _after(max(0, acknowledged - undone))
    assert compare(_history(acknowledged, "cut"), tree) != ""


def test_a_file_whose_creation_was_cut_may_hold_anything_but_only_that_one() -> None:
    tree = {**_after(5), "dir-2/fresh": "file 0"}
    assert compare(_history(4, "cut"), tree) == ""
    assert compare(_history(5, "cut"), tree) != ""
    assert compare(_history(4, ""), tree) != ""
    assert compare(_history(4, "cut"), {**_after(5), "kept-1": "file 0"}) != ""


def test_the_sequence_removes_as_many_trees_as_it_makes() -> None:
    tree = _after(len(list(itertools.islice(changes("srv-a"), 8 * 3 + 5 * 5))))
    assert sum(what == FOLDER for what in tree.values()) == 8
