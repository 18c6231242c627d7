"""Quoting: what goes in comes out, whatever it is, and nothing else runs."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanglier.core.action import Carried, RemoveFile, Run, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.secret import MASK, Secret
from sanglier.core.shell import quote, render

NASTY = (
    "", " ", "-n", "--", "-e", "%s", "\\n", "\\", "'", "''", '"', "`touch CANARY`",
    "$(touch CANARY)", "; touch CANARY", "'; touch CANARY; '", "x\ntouch CANARY\n", "\r\n", "$1",
    "${HOME}", "*", "~", "!", "#", "a b", "\t", "é\u2019", "\U0001f417", "\x01\x7f", "\n\n\n",
    "EOF", "}", "_f", "\u2028",
)  # fmt: skip

nasty = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
texts = st.lists(nasty, min_size=1, max_size=12).map(tuple)


def sh(script: str, directory: Path) -> bytes:
    """Run a script with a real sh; nothing may be left behind in ``directory``."""
    done = subprocess.run(
        ["sh"], input=script.encode(), capture_output=True, cwd=directory, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def as_bytes(values: tuple[str, ...]) -> bytes:
    return b"".join(value.encode() + b"\0" for value in values)


@settings(max_examples=80)
@given(values=texts)
def test_run_passes_arguments_unchanged(
    tmp_path_factory: pytest.TempPathFactory, values: tuple[str, ...]
) -> None:
    directory = tmp_path_factory.mktemp("canary")
    script = render(Run(argv=("printf", r"%s\0", *values)), reveal=True)
    assert sh(script, directory) == as_bytes(values)
    assert list(directory.iterdir()) == []


@settings(max_examples=80)
@given(values=texts)
def test_script_passes_arguments_unchanged(
    tmp_path_factory: pytest.TempPathFactory, values: tuple[str, ...]
) -> None:
    directory = tmp_path_factory.mktemp("canary")
    arguments = tuple(Secret(v) if i % 2 else v for i, v in enumerate(values))
    script = render(Script(text=r"""printf '%s\0' "$@" """, args=arguments), reveal=True)
    assert sh(script, directory) == as_bytes(values)
    assert list(directory.iterdir()) == []


@settings(max_examples=80)
@given(content=nasty, name=nasty)
def test_write_file_writes_the_content_unchanged(
    tmp_path_factory: pytest.TempPathFactory, content: str, name: str
) -> None:
    directory = tmp_path_factory.mktemp("canary")
    file = directory / ("x" + name.replace("/", "_")[:60])
    script = render(WriteFile(path=str(file), content=content), reveal=True)
    assert sh(script, directory) == b""
    assert file.read_bytes() == content.encode()
    assert list(directory.iterdir()) == [file]
    sh(render(RemoveFile(path=str(file)), reveal=True), directory)
    assert list(directory.iterdir()) == []


def test_write_file_makes_its_directory_and_replaces(tmp_path: Path) -> None:
    file = tmp_path / "a b" / "c"
    for content in ("one", "two"):
        sh(render(WriteFile(path=str(file), content=content), reveal=True), tmp_path)
        assert file.read_text() == content
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_write_file_has_its_mode_from_the_beginning(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    sh(render(WriteFile(path=str(file), content="", mode=mode), reveal=True), tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_remove_file_does_not_mind_when_it_is_gone(tmp_path: Path) -> None:
    sh(render(RemoveFile(path=str(tmp_path / "none")), reveal=True), tmp_path)


@pytest.mark.parametrize("status", [0, 1, 7])
def test_status_is_that_of_the_action(tmp_path: Path, status: int) -> None:
    for action in (
        Script(text='return "$1"', args=(str(status),)),
        Script(text='exit "$1"', args=(str(status),)),
        Run(argv=("sh", "-c", f"exit {status}")),
    ):
        done = subprocess.run(
            ["sh"], input=render(action, reveal=True).encode(), cwd=tmp_path, check=False
        )
        assert done.returncode == status


def test_write_file_fails_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    script = render(WriteFile(path=str(tmp_path / "file" / "x"), content=""), reveal=True)
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=False)
    assert done.returncode != 0


@given(nasty)
def test_a_secret_is_masked(text: str) -> None:
    secret = Secret("s3cr3t-" + text)
    for action in (
        Script(text="true", args=(secret,)),
        WriteFile(path="/x", content=secret),
    ):
        assert "s3cr3t" not in render(action, reveal=False)
        assert MASK in render(action, reveal=False)
        assert "s3cr3t" in render(action, reveal=True)


def test_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote("a\0b", reveal=True)
    for action in (
        Run(argv=("a\0b",)),
        Script(text="true", args=("a\0b",)),
        WriteFile(path="/x", content="a\0b"),
        WriteFile(path="/x\0", content=""),
        RemoveFile(path="a\0b"),
    ):
        with pytest.raises(ValueError, match="NUL"):
            render(action, reveal=True)


@pytest.mark.parametrize("reveal", [True, False])
def test_a_word_that_is_not_known_yet_is_named_by_the_step_that_tells_it(reveal: bool) -> None:
    word = Carried(source=Address(host="disk-a", layer="cluster", subject="request"))
    shown = render(Script(text='echo "$1"', args=(word,)), reveal=reveal)
    assert shown.endswith("_f '<disk-a/cluster/request>'")
