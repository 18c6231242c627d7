"""Processes of a lab, found by session and namespace; nothing else is ever signalled.

A host is one session (setsid(2)): its kernel, and one process per address space
inside the guest, which the kernel traces.  The session is recorded together with
the leader's start time, so that a recycled number is never taken for ours.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A line of /proc/PID/stat, proc(5)."""

    pid: int
    state: str
    session: int
    started: int
    """Clock ticks after boot."""
    resident_pages: int

    @property
    def alive(self) -> bool:
        """Whether it is more than a zombie."""
        return self.state not in "ZX"


def parse_stat(text: str) -> Process:
    """Read /proc/PID/stat; the command name may hold spaces and brackets."""
    pid, _, rest = text.partition(" ")
    fields = rest.rpartition(")")[2].split()
    return Process(
        pid=int(pid), state=fields[0], session=int(fields[3]), started=int(fields[19]),
        resident_pages=int(fields[21]),
    )  # fmt: skip


def find(pid: int) -> Process | None:
    """Read one process, or None if there is none."""
    try:
        return parse_stat((PROC / str(pid) / "stat").read_text())
    except (OSError, ValueError, IndexError):
        return None


def find_started(pid: int, started: int) -> Process | None:
    """Read the live process of that number that began then; a recycled number is another's."""
    found = find(pid)
    return found if found is not None and found.alive and found.started == started else None


def everyone() -> Iterator[Process]:
    """List every live process of the machine."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            process = find(int(entry.name))
            if process is not None and process.alive:
                yield process


def in_session(session: int) -> tuple[Process, ...]:
    """List the live processes of a session."""
    return tuple(process for process in everyone() if process.session == session)


def in_namespace(namespace: Path) -> tuple[Process, ...]:
    """List the live processes whose network namespace is the one mounted at ``namespace``."""
    try:
        wanted = namespace.stat()
    except OSError:
        return ()
    return tuple(process for process in everyone() if namespace_of(process.pid) == wanted.st_ino)


def namespace_of(pid: int) -> int:
    """Inode of a process's network namespace, 0 if it cannot be read."""
    try:
        return (PROC / str(pid) / "ns" / "net").stat().st_ino
    except OSError:
        return 0


def in_initial_user_namespace() -> bool:
    """Whether all users are themselves here, user_namespaces(7)."""
    return (PROC / "self" / "uid_map").read_text().split()[2:] == [str((1 << 32) - 1)]


def is_stopped(pid: int) -> bool:
    """Whether none of its threads runs any more; one that is gone counts as stopped.

    SIGSTOP stops a thread when that is next scheduled, which takes seconds on a busy machine.
    """
    try:
        threads = [parse_stat(one.read_text()) for one in (PROC / str(pid) / "task").glob("*/stat")]
    except (OSError, ValueError, IndexError):
        return find(pid) is None
    return all(thread.state in "TtZX" for thread in threads)


def is_traced(pid: int) -> bool:
    """Whether another process traces it: then a SIGSTOP would go to the tracer."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return True
    return "\nTracerPid:\t0\n" not in status


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone by now."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def end(
    living: Callable[[], tuple[Process, ...]], *, patience: float = 10.0
) -> tuple[Process, ...]:
    """SIGKILL until ``living`` lists nothing, at most ``patience`` seconds; return what is left.

    What one of them forked between being listed and being killed is in the next list: a kernel
    under load starts processes all the time, and one that escapes keeps its disks locked.
    """
    deadline = time.monotonic() + patience
    while (left := living()) and time.monotonic() < deadline:
        for process in left:
            send(process.pid, signal.SIGKILL)
        while any(map(same, left)) and time.monotonic() < deadline:
            time.sleep(0.02)
    return left


def same(process: Process) -> bool:
    """Whether that very process still lives."""
    return find_started(process.pid, process.started) is not None
