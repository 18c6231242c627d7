"""Processes are told apart by more than their number."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

from sanglier.lab import process
from sanglier.lab.process import parse_stat

STAT = (
    "14227 (linux) (x y) T 1 14227 14227 0 -1 4194304 9 0 0 0 81 27 0 0 20 0 1 0 241773 "
    "1394606080 25911 18446744073709551615 1610612736 1 2 3 4 5 0 0 0 0 0 0 0 17 1 0 0 0 0 0"
)


def test_a_name_with_brackets_and_blanks_is_no_trouble() -> None:
    found = parse_stat(STAT)
    assert (found.pid, found.state, found.session) == (14227, "T", 14227)
    assert (found.started, found.resident_pages) == (241773, 25911)
    assert found.alive


def test_a_zombie_is_not_alive() -> None:
    assert not parse_stat(STAT.replace(") T ", ") Z ")).alive


def test_this_process_is_found_and_nobody_is_not() -> None:
    own = process.find(os.getpid())
    assert own is not None and process.same(own)
    assert process.find(2**22 + 1) is None


def test_end_ends_the_session_and_nothing_else() -> None:
    with subprocess.Popen(("sleep", "60"), start_new_session=True) as sleeper:
        members = process.in_session(sleeper.pid)
        assert [member.pid for member in members] == [sleeper.pid]
        assert process.end(lambda: process.in_session(sleeper.pid)) == ()


def test_what_is_forked_while_the_session_is_ended_is_ended_too() -> None:
    forking = ("sh", "-c", "n=0; while [ $n -lt 5000 ]; do sleep 60 & n=$((n + 1)); done; wait")
    with subprocess.Popen(forking, start_new_session=True) as leader:
        try:
            deadline = time.monotonic() + 20
            while len(process.in_session(leader.pid)) < 20:
                assert time.monotonic() < deadline, "its session is not seen in /proc"
            assert process.end(lambda: process.in_session(leader.pid)) == ()
        finally:  # it must not fork on, whatever the tested code does
            with suppress(ProcessLookupError):
                os.killpg(leader.pid, signal.SIGKILL)
    assert process.in_session(leader.pid) == ()


def test_a_process_is_stopped_when_all_its_threads_are() -> None:
    thread = "Thread(target=exec, args=('while 1: 0',)).start()"
    spin = f"from threading import Thread; {thread}; {thread}"
    with subprocess.Popen((sys.executable, "-c", spin)) as spinner:
        try:
            assert not process.is_stopped(spinner.pid)
            spinner.send_signal(signal.SIGSTOP)
            deadline = time.monotonic() + 20
            while not process.is_stopped(spinner.pid):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            spinner.send_signal(signal.SIGCONT)
            while process.is_stopped(spinner.pid):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            spinner.kill()
    assert process.is_stopped(spinner.pid)
