"""``scripts/mutate`` can be played: its list fits today's code, and it calls a survivor one."""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

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
    assert len(mutate.MUTATIONS) == 28
    for mutation in mutate.MUTATIONS:
        for edit in mutation.edits:
            text = (TREE / edit.path).read_text(encoding="utf-8")
            assert mutate.spoiled(edit, text) != text
        for test in mutation.tests.split():
            assert (TREE / test.partition("::")[0]).exists(), test


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
