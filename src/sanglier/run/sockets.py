"""Where the sockets of ssh's master connections are: for one run only, or kept for the next one.

A new connection costs some ten round trips and a key exchange, more than all that a plan reads.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_ROOM = 60
"""A socket's path has at most 107 bytes (unix(7)), and ssh adds a suffix of 17."""
_OWN_RUN_S = 120
"""Seconds after which the master of a run that was killed ends by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """A directory of sockets, for the owner alone (0700)."""

    directory: Path
    persist_s: int
    """How long a master stays after its last use, seconds, ssh_config(5) ControlPersist."""
    kept: bool
    """Whether its masters outlive the run, for the next one."""
    _numbers: dict[str, str] = field(default_factory=dict)

    def path(self, destination: str, config: Path | None) -> Path:
        """Return the socket of a destination; of each content of ``config`` another one."""
        if self.kept:
            return self.directory / _digest(destination, config)
        name = self._numbers.setdefault(destination, str(len(self._numbers)))
        return self.directory / name

    def remove(self) -> None:
        """Remove the directory of a run."""
        if not self.kept:
            shutil.rmtree(self.directory, ignore_errors=True)


def _digest(destination: str, config: Path | None) -> str:
    content = b"" if config is None else config.read_bytes()
    return hashlib.sha256(b"\0".join((destination.encode(), content))).hexdigest()[:16]


def of_this_run() -> Sockets:
    """Make a private directory, with a short path."""
    place = tempfile.gettempdir()
    made = tempfile.mkdtemp(prefix="sg-", dir=place if len(place) < _ROOM else "/tmp")
    return Sockets(directory=Path(made), persist_s=_OWN_RUN_S, kept=False)


def kept(persist_s: int) -> Sockets:
    """Find or make the user's directory; one of this run where none is to be had, or for 0 s."""
    if persist_s > 0:
        for directory in _places():
            if _is_private(directory):
                return Sockets(directory=directory, persist_s=persist_s, kept=True)
    return of_this_run()


def _places() -> Iterator[Path]:
    """List where users, and root, have files that end with their sessions."""
    if (runtime := os.environ.get("XDG_RUNTIME_DIR", "")).startswith("/"):
        yield Path(runtime) / "sanglier-ssh"
    if os.geteuid() == 0:
        yield Path("/run/sanglier-ssh")
    yield Path(tempfile.gettempdir()) / f"sanglier-ssh-{os.geteuid()}"


def _is_private(directory: Path) -> bool:
    """Make a directory; False if it cannot be, or is anybody else's, or open to others."""
    if len(str(directory)) > _ROOM:
        return False
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError:
        return False
    mine = found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
    return mine and stat.S_ISDIR(found.st_mode)
