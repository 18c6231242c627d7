"""One verb at a time on one lab, or many that only touch single hosts."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sanglier.lab.errors import refuse

POLL = 0.05
"""Seconds between two tries."""


@contextmanager
def whole(path: Path, verb: str, *, patience: float = 0.0) -> Iterator[None]:
    """Hold the lab alone; SG-LAB-005 says who has it.  flock(2) ends with its process."""
    descriptor = _acquire(path, fcntl.LOCK_EX, patience)
    try:
        since = datetime.now(UTC).strftime("%H:%M:%S UTC")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"`{verb}` of process {os.getpid()}, since {since}".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def shared(path: Path, *, patience: float = 2.0) -> Iterator[None]:
    """Hold the lab with others; refused while someone holds it alone."""
    descriptor = _acquire(path, fcntl.LOCK_SH, patience)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(path: Path, how: int, patience: float) -> int:
    deadline = time.monotonic() + patience
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace")
            os.close(descriptor)
            if time.monotonic() >= deadline:
                raise _held(path, holder) from None
        else:
            if _is_current(descriptor, path):
                return descriptor
            os.close(descriptor)
        time.sleep(POLL)


def _is_current(descriptor: int, path: Path) -> bool:
    """`down` removes the lock file: a lock on the removed one is worth nothing."""
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False


def _held(path: Path, holder: str) -> Exception:
    return refuse(
        5,
        path.stem,
        f"is in use by {holder or 'a verb on one of its hosts'}",
        fix="wait for it to end, or end that process; its lock goes with it",
    )
