"""Labs of ordinary users: who goes inside, how, and what is said where that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import preflight, process, rootless


def tools(directory: Path, **scripts: str) -> str:
    """Make commands; a PATH with nothing else."""
    for name, script in scripts.items():
        tool = directory / name
        tool.write_text(f"#!/bin/sh\n{script}\n")
        tool.chmod(0o755)
    return str(directory)


@pytest.mark.parametrize(
    ("unshare", "told"),
    [
        ("exit 0", ""),
        ("echo 'Operation not permitted' >&2; exit 1", "user namespaces are not"),
        (
            'case "$*" in *tuntap*) echo "open: denied" >&2; exit 1;; esac',
            "/dev/net/tun",
        ),
    ],
)
def test_what_is_missing_is_found_out_by_doing_it(
    unshare: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tools(tmp_path, unshare=unshare, nsenter="", newuidmap="")
    monkeypatch.setenv("PATH", path)
    assert told in rootless.lack() and bool(rootless.lack()) is bool(told)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", tools(tmp_path, unshare="exit 0", nsenter=""))
    assert rootless.lack() == "uidmap is not installed"


def test_the_message_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for lack, code in (("/dev/net/tun is not open", "SG-LAB-007"), ("", "SG-LAB-011")):
        monkeypatch.setattr(rootless, "lack", lambda lack=lack: lack)
        with pytest.raises(SanglierError) as caught:
            preflight.check("lab down")
        assert caught.value.code == code and lack in f"{caught.value}"


@pytest.mark.parametrize(
    ("words", "concerns", "begins"),
    [
        ("lab up --name x", True, True),
        ("demo file", True, True),
        ("lab status", True, False),
        ("drill run FILE open-killed --lab x", True, False),
        ("drill run FILE open-killed --lab=x", True, False),
        ("drill list", False, False),
        ("lab up --help", False, True),
        ("apply FILE", False, False),
        ("", False, False),
    ],
)
def test_only_what_touches_labs_goes_inside(words: str, concerns: bool, begins: bool) -> None:
    assert rootless.concerns(words.split()) is concerns
    assert rootless.begins(words.split()) is begins


def test_a_keeper_is_known_by_its_start_too(tmp_path: Path) -> None:
    assert rootless.find(tmp_path) is None
    me = process.find(os.getpid())
    assert me is not None
    (tmp_path / rootless.KNOWN).write_text(f"{me.pid} {me.started}\n")
    assert rootless.find(tmp_path) == me.pid
    (tmp_path / rootless.KNOWN).write_text(f"{me.pid} {me.started + 1}\n")
    assert rootless.find(tmp_path) is None
    (tmp_path / rootless.KNOWN).write_text("half")
    assert rootless.find(tmp_path) is None


def test_the_state_is_where_the_user_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANGLIER_CACHE", str(tmp_path / "cache"))
    assert rootless.run_dir({}) == tmp_path / "cache" / "run"
    assert rootless.run_dir({"XDG_RUNTIME_DIR": str(tmp_path)}) == tmp_path / "sanglier" / "lab"
    assert rootless.run_dir({"XDG_RUNTIME_DIR": "/no/such"}) == tmp_path / "cache" / "run"
    assert rootless.run_dir({"SANGLIER_LAB_DIR": "/x", "XDG_RUNTIME_DIR": "/y"}) == Path("/x")


SAYS = 'echo "$@"'


def entered(place: Path, monkeypatch: pytest.MonkeyPatch, keeper: int) -> str:
    """Run the script by which ssh enters, with an nsenter that says its words."""
    path = f"{tools(place, nsenter=SAYS)}:{os.environ['PATH']}"
    monkeypatch.setenv(rootless.KEEPER, str(keeper))
    script = rootless.entrance(Path("/run/netns/x"))
    argv = ["sh", "-c", script, "enter", "nc", "host", "22"]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(argv, capture_output=True, text=True, check=True, env=environment).stdout


def test_ssh_enters_through_the_keeper_but_from_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entered(tmp_path, monkeypatch, os.getpid()) == "--net=/run/netns/x nc host 22\n"
    outside = entered(tmp_path, monkeypatch, 4_000_000)  # no such process: not in our namespaces
    through = "--target=4000000 --user --mount --preserve-credentials"
    assert outside == f"{through} nsenter --net=/run/netns/x nc host 22\n"
    monkeypatch.delenv(rootless.KEEPER)
    assert rootless.entrance(Path("/run/netns/x")) == ""


def test_inside_means_in_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    argv = rootless.inside(7, (sys.executable, "-c", "import os; print(os.getcwd())"))
    assert argv[:2] == ("nsenter", "--target=7")
    done = subprocess.run(
        argv[argv.index("sh") :], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout.strip() == str(tmp_path)


def test_a_process_of_a_lab_stands_in_for_a_keeper_that_was_killed(tmp_path: Path) -> None:
    me = process.find(os.getpid())
    assert me is not None
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "gone.process").write_text('{"pid": 4000000, "started": 1}')
    (lab / "half.process").write_text("{")
    assert rootless.survivor(tmp_path) is None
    (lab / "other.process").write_text(f'{{"pid": {me.pid}, "started": {me.started + 1}}}')
    assert rootless.survivor(tmp_path) is None
    (lab / "witness.process").write_text(f'{{"pid": {me.pid}, "started": {me.started}}}')
    assert rootless.survivor(tmp_path) == me.pid
