"""Processes that outlive the command that starts them, and how they are found again.

Nothing of ours supervises them: a record of session, start time and namespace is
enough to know a process as the one that was started, and no other.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sanglier.lab import process
from sanglier.lab.errors import refuse
from sanglier.lab.identity import write_atomically
from sanglier.lab.place import Place

NOTHING = Path("/dev/null")
LAUNCH = """\
exec 3<&0
input=$1 output=$2; shift 2
sh -c 'read -r go <&3 && exec 3<&- "$@"' sh "$@" <>"$input" >>"$output" 2>&1 &
echo $!
"""
"""Starts a detached process and prints its number; paths are arguments, never text.  It waits for
a line before it is what it is to be, and ends when there is none: then nobody knows of it."""

SESSION_SECONDS = 30.0
"""How long it may take to lead a session of its own, once it has the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What identifies a process of the lab."""

    pid: int
    started: int
    """Clock ticks after the machine's boot."""
    namespace: int
    """Inode of its network namespace."""


def launch(
    place: Place, name: str, argv: tuple[str, ...], *, source: Path, sink: Path,
    env: Mapping[str, str],
) -> None:  # fmt: skip
    """Start ``argv`` in the lab's namespace as leader of a session; SG-LAB-030 if it dies."""

    def note(leader: process.Process) -> None:
        record = Record(
            pid=leader.pid, started=leader.started, namespace=place.namespace_file.stat().st_ino
        )
        write_atomically(place.process(name), json.dumps(asdict(record)))

    inside = ("nsenter", f"--net={place.namespace_file}", "setsid", *argv)
    if not begin(inside, source=source, sink=sink, env=env, note=note):
        raise refuse(30, name, "its process ended at once", why=last_words(sink), fix=f"see {sink}")


def begin(
    argv: tuple[str, ...], *, source: Path, sink: Path, env: Mapping[str, str],
    note: Callable[[process.Process], None],
) -> bool:  # fmt: skip
    """Start ``argv`` once ``note`` has recorded its process, and return whether it leads a session.

    Whoever starts it may be interrupted or killed at any point: then it is recorded, or it never
    ran.
    """
    words = ("sh", "-c", LAUNCH, "sh", str(source), str(sink), *argv)
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | env
    ) as shell:
        assert shell.stdin is not None and shell.stdout is not None
        leader = process.find(int(shell.stdout.readline()))
        if leader is None:
            return False
        note(leader)
        shell.stdin.write("go\n")
        shell.stdin.flush()
    return _leads_soon(leader)


def _leads_soon(begun: process.Process) -> bool:
    """Before it has a session it would not be found by one, and so not be ended."""
    deadline = time.monotonic() + SESSION_SECONDS
    while (now := process.find(begun.pid)) is not None and now.alive:
        if now.session == now.pid:
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return False


def last_words(log: Path, characters: int = 600) -> str:
    """Return the end of a log."""
    try:
        return log.read_text(errors="replace")[-characters:]
    except OSError:
        return ""


def leader(place: Place, name: str) -> process.Process | None:
    """Find the recorded process, if it is that very one and alive."""
    record = _record(place, name)
    return process.find_started(record.pid, record.started) if record else None


def session(place: Place, name: str) -> tuple[process.Process, ...]:
    """List every live process of the recorded session, its leader dead or alive."""
    record = _record(place, name)
    if record is None:
        return ()
    now = process.find(record.pid)
    if now is not None and now.started != record.started:
        return ()
    return tuple(
        member
        for member in process.in_session(record.pid)
        if process.namespace_of(member.pid) == record.namespace
    )


def end(place: Place, name: str) -> None:
    """SIGKILL the session and forget it; SG-LAB-032 if something survives."""
    left = process.end(lambda: session(place, name))
    if left:
        raise refuse(
            32, name, f"processes {', '.join(str(p.pid) for p in left)} do not end",
            fix="they ignore SIGKILL: look at them with ps(1), then try again",
        )  # fmt: skip
    place.process(name).unlink(missing_ok=True)


def _record(place: Place, name: str) -> Record | None:
    try:
        return Record(**json.loads(place.process(name).read_text()))
    except FileNotFoundError:
        return None
