"""Every piece of shell parses, and ShellCheck has nothing against it that was not meant.

ShellCheck's codes: https://www.shellcheck.net/wiki/.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .scripts import OTHER_WORDS, SOURCE, assigned, constants, everything, inline, modules

HERE = Path(__file__).parent
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
HABITS = {
    "SC1007": "`name= other=x` empties a variable",
    "SC1010": "`do` and `then` are words of ping and names of variables too",
    "SC2015": "`a && b || c` is meant as: c also where b fails",
    "SC2016": "what is in single quotes is for another shell, or for perl",
    "SC2034": "a look sets variables for probes; `read` has names for what it skips",
    "SC2154": "and a probe has them from its look",
    "SC2329": "what frames answers is defined also where nothing is asked",
    "SC2284": "`echo == title`",
}
"""What is not reported at all, and why not."""
WORDS_MEANT = frozenset(
    """\
ping -n -q $3 -W 2 -M do -s "$size" -I "$1" "$2" >/dev/null 2>&1 &
case $line in *secret*) ;; *) words $line ;; esac
for option in $(IFS=,; echo $2); do
for unit in $(cat "$SANGLIER_SCRIPTS/masked-units"); do
for generator in $(cat "$SANGLIER_SCRIPTS/masked-generators"); do
for unit in $(grep -lsxF "What=$map" /etc/systemd/system/*.mount); do
number() { set -- $(stat -Lc '0x%t 0x%T' -- "$1" 2>/dev/null) && echo "$(($1)):$(($2))"; }
set -- $(od -A n -v -t x1 -w64 -j $((last - 4096)) -N 64 -- "$dev" 2>/dev/null)
set -- $failed
set -- $value
set -- $failed; pids= failed= ends=$*
set -- $line
for pid in $(cat "/run/sanglier-drill-$1"); do kill -CONT "$pid" 2>/dev/null || :; done
tried $ends
""".splitlines()
)
"""Lines in which a value without quotes is to become several words (SC2086, SC2046, SC2013)."""
SPLITTING = frozenset({2086, 2046, 2013})


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shell")
    for name, text in everything().items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_every_piece_of_shell_parses(folder: Path) -> None:
    told = {}
    for path in sorted(folder.iterdir()):
        done = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True, check=False)
        if done.returncode or done.stderr:
            told[path.name] = done.stderr
    assert not told


@pytest.mark.parametrize("part", range(2))
def test_shellcheck_has_nothing_against_it(folder: Path, part: int) -> None:
    mine = sorted(folder.iterdir())[part::2]
    done = subprocess.run(
        [SHELLCHECK, "--norc", "--shell=sh", f"--exclude={','.join(HABITS)}", "--format=json1",
         *mine],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    told = []
    for found in json.loads(done.stdout)["comments"]:
        path = Path(found["file"])
        line = path.read_text(encoding="utf-8").splitlines()[found["line"] - 1].strip()
        if not (found["code"] in SPLITTING and line in WORDS_MEANT):
            told.append(f"{path.name}: {line}: SC{found['code']} {found['message']}")
    assert not told


def test_what_was_meant_is_still_there(folder: Path) -> None:
    lines = {line.strip() for path in folder.iterdir() for line in path.read_text().splitlines()}
    assert lines >= WORDS_MEANT


def test_what_is_called_no_shell_is_there_and_makes_no_script() -> None:
    there = {f"{name}:{constant}" for name, _, tree in modules() for constant in assigned(tree)}
    assert {word for word in OTHER_WORDS if ":" in word} <= there
    for package in (word for word in OTHER_WORDS if word.endswith(".")):
        folder = SOURCE / package.replace(".", "/")
        for file in folder.rglob("*.py"):
            assert "Script(" not in file.read_text(encoding="utf-8"), file


GUARD = re.compile(r"\b(return|exit) [1-9]|\brefuse ")
ELSEWHERE = re.compile(
    r"layers\.\w+\.probe:|layers\.looks:"  # what only reads: on recordings, and in test_looks
    r"|layers\.backing\.desired:BLANK|layers\.ocfs2\.moves:REMOUNT|drill\.faults\.insides:(DM|KEEP)"
    r"|run\.lock:HOLD"  # parts of scripts that are tried; and run whole, by test_lock
)


def test_no_script_with_a_guard_is_without_a_test_that_names_it() -> None:
    """Whether that test has a case that refuses and one that passes, nobody but a reader sees."""
    tests = "\n".join(path.read_text(encoding="utf-8") for path in HERE.parent.rglob("*.py"))
    named = set(re.findall(r"\w+", tests))
    forgotten = [
        piece.name
        for piece in constants()
        if GUARD.search(piece.text)
        and not ELSEWHERE.match(piece.name)
        and piece.name.rpartition(":")[2] not in named
    ]
    assert not forgotten


def test_the_walk_finds_what_is_known_to_be_there() -> None:
    names = {piece.name for piece in (*constants(), *inline())}
    assert {"layers.ocfs2.moves:MAKE", "drill.inspect:FSCK", "layers.looks:MOUNTS"} <= names
    assert any(name.startswith("layers.services:units_probe-") for name in names)
    found = set(everything())
    for file in (
        "node-alert",
        "side",
        "target",
        "fence-peer",
        "o2cb-check",
        "ocfs2-heard",
        "initiator-boot",
    ):
        assert any(name.endswith(f"-{file}") for name in found), file
    part = (SOURCE / "layers/cluster/agents/alua").read_text(encoding="utf-8")
    assert part in everything()["program-usr-lib-ocf-resource.d-sanglier-side"]
