"""A process of the lab is recorded before it runs, however its starter ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sanglier.lab import daemon, process

FOREVER = ("setsid", "sleep", "60")
KILLED_STARTER = """\
import os, signal, sys
from pathlib import Path
from sanglier.lab import daemon

def note(leader):
    print(leader.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

daemon.begin(
    ("setsid", "touch", sys.argv[1]), source=daemon.NOTHING, sink=daemon.NOTHING, env={}, note=note
)
"""


def begin(argv: tuple[str, ...], sink: Path = daemon.NOTHING) -> tuple[bool, process.Process]:
    noted: list[process.Process] = []
    leads = daemon.begin(
        argv, source=daemon.NOTHING, sink=sink, env={"WORD": "x"}, note=noted.append
    )
    return leads, noted[0]


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while (there := process.find(pid)) is not None and there.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_what_is_recorded_leads_a_session_and_is_found_by_it() -> None:
    leads, leader = begin(FOREVER)
    try:
        assert leads and process.same(leader)
        assert [member.pid for member in process.in_session(leader.pid)] == [leader.pid]
    finally:
        process.send(leader.pid, signal.SIGKILL)


def test_it_gets_its_environment_and_its_output_is_kept(tmp_path: Path) -> None:
    sink = tmp_path / "log"
    _, leader = begin(("setsid", "sh", "-c", 'echo "$WORD" "$1"; echo y >&2', "sh", "a b"), sink)
    assert gone(leader.pid) and sink.read_text() == "x a b\ny\n"


def test_a_command_that_ends_before_it_leads_a_session_is_told() -> None:
    assert begin(("false",))[0] is False


def test_it_never_runs_when_its_starter_is_interrupted(tmp_path: Path) -> None:
    noted: list[process.Process] = []

    def note(leader: process.Process) -> None:
        noted.append(leader)
        raise KeyboardInterrupt

    ran = tmp_path / "ran"
    with pytest.raises(KeyboardInterrupt):
        daemon.begin(
            ("setsid", "touch", str(ran)), source=daemon.NOTHING, sink=daemon.NOTHING, env={},
            note=note,
        )  # fmt: skip
    assert gone(noted[0].pid) and not ran.exists()


def test_it_never_runs_when_its_starter_is_killed(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    done = subprocess.run(
        (sys.executable, "-c", KILLED_STARTER, str(ran)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert gone(int(done.stdout)) and not ran.exists()
