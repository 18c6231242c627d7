"""The model of the guard is checked, in a small instance, and names code that is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TREE = Path(__file__).parents[3]
MODELS = TREE / "models"
LAYERS = TREE / "src" / "sanglier" / "layers"
GUARD = ("corosync.pml", "mirror.pml", "handler.pml", "pacemaker.pml")
"""What the guard does; trouble.pml is what is done to it."""
OURS = re.compile(r"\b((?:cluster|drbd|target|agents)/[\w.-]+): (\w+)(?:\(\))?")
KERNELS = re.compile(r"\bdrbd_\w+\.c: \w+\(\)")


def _file(named: str) -> Path:
    return LAYERS / ("cluster" if named.startswith("agents/") else "") / named


def _references() -> Iterator[tuple[str, str]]:
    for part in sorted(MODELS.glob("*.pml")):
        yield from OURS.findall(part.read_text())


def _transitions(part: Path) -> Iterator[tuple[str, str]]:
    """Give each transition with the comment before it."""
    comment = ""
    for block in re.findall(r"/\*.*?\*/|^    :: d_step.*?$", part.read_text(), re.S | re.M):
        if block.startswith("/*"):
            comment = block
        else:
            yield block, comment
            comment = ""


@pytest.mark.skipif(
    not all(map(shutil.which, ("spin", "tcc"))), reason="needs spin and tcc: scripts/setup"
)
def test_a_small_instance_of_the_guard_holds_and_one_that_is_broken_does_not() -> None:
    done = subprocess.run(
        [MODELS / "check", "--small"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"models/check --small:\n{done.stdout}{done.stderr}"
    assert "guard-2" in done.stdout
    assert "holds (as expected)" in done.stdout
    assert "VIOLATED: a side opens without every acknowledged write" in done.stdout


@pytest.mark.parametrize("name", GUARD)
def test_every_transition_of_the_guard_names_the_code_that_does_it(name: str) -> None:
    unnamed = [
        transition
        for transition, comment in _transitions(MODELS / name)
        if not OURS.search(comment) and not KERNELS.search(comment)
    ]
    assert unnamed == []


@pytest.mark.parametrize(("file", "function"), sorted(set(_references())))
def test_the_code_that_the_model_names_is_there(file: str, function: str) -> None:
    path = _file(file)
    assert path.is_file(), f"models/ names {file}, which is not there"
    found = re.search(rf"^(?:def )?{function}\b *[(=]", path.read_text(), re.MULTILINE)
    assert found, f"models/ names {function} of {file}, which is not there"


def test_without_spin_it_fails_with_words(tmp_path: Path) -> None:
    """Nothing checked is not the same as nothing found."""
    (tmp_path / "python3").symlink_to("/usr/bin/python3")
    (tmp_path / "env").symlink_to("/usr/bin/env")
    done = subprocess.run(
        [MODELS / "check", "--small"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "spin is not installed: nothing was checked" in done.stderr
    assert "scripts/setup" in done.stderr
