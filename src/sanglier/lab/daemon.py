"""Processes that outlive the command that starts them, and how they are found again.

Nothing of ours supervises them: a record of session, start time and namespace is
enough to know a process as the one that was started, and no other.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sanglier.lab import process
from sanglier.lab.command import run
from sanglier.lab.errors import refuse
from sanglier.lab.identity import write_atomically
from sanglier.lab.place import Place

NOTHING = Path("/dev/null")
LAUNCH = 'input=$1 output=$2; shift 2; "$@" <>"$input" >>"$output" 2>&1 & echo $!'
"""Starts a detached process and prints its number; paths are arguments, never text."""


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
    inside = ("nsenter", f"--net={place.namespace_file}", "setsid", *argv)
    done = run(("sh", "-c", LAUNCH, "sh", str(source), str(sink), *inside), env=os.environ | env)
    leader = process.find(int(done.stdout))
    if leader is None:
        raise refuse(30, name, "its process ended at once", why=last_words(sink), fix=f"see {sink}")
    record = Record(
        pid=leader.pid, started=leader.started, namespace=place.namespace_file.stat().st_ino
    )
    write_atomically(place.process(name), json.dumps(asdict(record)))


def last_words(log: Path, characters: int = 600) -> str:
    """Return the end of a log."""
    try:
        return log.read_text(errors="replace")[-characters:]
    except OSError:
        return ""


def leader(place: Place, name: str) -> process.Process | None:
    """Find the recorded process, if it is that very one and alive."""
    record = _record(place, name)
    found = process.find(record.pid) if record else None
    if record is None or found is None or not found.alive:
        return None
    return found if found.started == record.started else None


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
