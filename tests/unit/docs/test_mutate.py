"""``scripts/mutate`` can be played: its list fits today's code and the table, a survivor is one."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

from sanglier.drill.report.defects import DEFECTS, SPOILED

TREE = Path(__file__).parents[3]


@pytest.fixture(name="mutate", scope="module")
def fixture_mutate() -> ModuleType:
    loader = SourceFileLoader("mutate", str(TREE / "scripts/mutate"))
    spec = spec_from_loader("mutate", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules["mutate"] = module
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def test_every_text_is_there_once_and_so_are_its_tests(mutate: ModuleType) -> None:
    assert len(mutate.REVIEW) == 28
    told = f"in {len(mutate.MUTATIONS)} ways"
    assert told in (TREE / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for mutation in mutate.MUTATIONS:
        for edit in mutation.edits:
            text = (TREE / edit.path).read_text(encoding="utf-8")
            assert mutate.spoiled(edit, text) != text
        assert list(mutation.suites)
        for test in " ".join(mutation.suites).split():
            assert (TREE / test.partition("::")[0]).exists(), test


def test_what_spoils_the_prover_is_noticed_by_what_the_table_of_evidence_says(
    mutate: ModuleType,
) -> None:
    spoiled = {one.what: one.planted for one in mutate.MUTATIONS if one.planted}
    assert spoiled == {one.what: one.by for one in SPOILED}
    planted = {defect.name for defect in DEFECTS if not defect.test}
    assert {name for one in SPOILED for name in one.by} <= planted
    assert all(one.planted for one in mutate.PROVER)


@pytest.mark.parametrize(("status", "good"), [(0, False), (1, True), (2, False), (5, False)])
def test_only_a_test_that_fails_has_noticed(
    mutate: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, status: int, *, good: bool
) -> None:
    file = tmp_path / "src/sanglier/x"
    file.parent.mkdir(parents=True)
    file.write_text("a b")
    monkeypatch.setattr(mutate, "noticed", lambda *_: (status, ""))
    assert mutate.play(tmp_path, 1, mutate.one("", "t", "x", "b", "c")) is good
    assert file.read_text() == "a b"


@pytest.mark.parametrize("text", ["", "bb"])
def test_a_text_that_is_not_there_once_is_an_error(
    mutate: ModuleType, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "src/sanglier/x"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert not mutate.play(tmp_path, 1, mutate.one("", "t", "x", "b", "c"))
    assert "error: src/sanglier/x has" in capsys.readouterr().out
