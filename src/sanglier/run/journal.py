"""What ran where, as JSON lines: one file per run, readable by its owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.core.events import Event, RunEnded, RunStarted
from sanglier.core.secret import Secret, mask
from sanglier.run.codes import Code

_ROOM = 64 * 1024
"""Bytes that must be free when a run begins, so that it can be journalled at all."""


def journal_root(environment: Mapping[str, str]) -> Path:
    """Give the folder of all journals: $SANGLIER_STATE, else the XDG state folder."""
    if environment.get("SANGLIER_STATE"):
        return Path(environment["SANGLIER_STATE"])
    base = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "sanglier"


def as_json(event: Event, at: datetime) -> str:
    """Give an event as one line; ``event`` names its type, ``at`` is UTC."""
    fields = {"event": type(event).__name__, "at": at.isoformat(timespec="milliseconds")}
    return json.dumps({**fields, **asdict(event)}, ensure_ascii=False)


@dataclass(slots=True)
class Journal:
    """The journal of one run, a sink of events; every line is on its way at once."""

    path: Path
    descriptor: int
    hide: tuple[Secret, ...]
    trouble: SanglierError | None = field(default=None)

    @classmethod
    def create(cls, root: Path, cluster: str, verb: str, hide: tuple[Secret, ...]) -> Journal:
        """Begin a journal; raises SG-RUN-040 when it cannot be written."""
        folder = root / cluster
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")
        path = folder / f"{stamp}-{verb}.jsonl"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            _check_room(descriptor, path)
            return cls(path, descriptor, hide)
        except OSError as error:
            raise _unwritable(path, error) from error

    def __call__(self, event: Event) -> None:
        """Write an event; a failure is kept in ``trouble``, for the run to stop."""
        if self.trouble is not None:
            return
        line = mask(as_json(event, datetime.now(UTC)), self.hide) + "\n"
        try:
            _write_all(self.descriptor, line.encode(errors="replace"))
        except OSError as error:
            self.trouble = _unwritable(self.path, error)

    def check(self) -> SanglierError | None:
        """Tell why the run must not go on."""
        return self.trouble

    def close(self) -> None:
        """Put everything on the disk."""
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            self.trouble = _unwritable(self.path, error)
        finally:
            os.close(self.descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _check_room(descriptor: int, path: Path) -> None:
    """Reserve room and give it back, so that a full disk shows before anything runs."""
    try:
        os.posix_fallocate(descriptor, 0, _ROOM)
        os.ftruncate(descriptor, 0)
    except OSError:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        raise


def _unwritable(path: Path, error: OSError) -> SanglierError:
    return SanglierError(
        code=Code.JOURNAL_UNWRITABLE,
        subject=str(path),
        what=f"the journal cannot be written: {error.strerror}",
        why="nothing runs on a host without being written down",
        fix="make room or mend the permissions, or name another folder in $SANGLIER_STATE",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A run as its journal tells it."""

    path: Path
    events: tuple[Mapping[str, object], ...]

    @property
    def name(self) -> str:
        """Name of the run: when and what."""
        return self.path.stem

    @property
    def cluster(self) -> str:
        """Name of the cluster."""
        return self.path.parent.name

    @property
    def started(self) -> Mapping[str, object]:
        """The event that began it; empty when not even that was written."""
        return self._first(RunStarted)

    @property
    def ended(self) -> Mapping[str, object]:
        """The event that ended it; empty when it did not finish (killed, power cut)."""
        return self._first(RunEnded)

    def _first(self, kind: type) -> Mapping[str, object]:
        return next((e for e in self.events if e.get("event") == kind.__name__), {})


def past_runs(root: Path, cluster: str | None = None) -> tuple[Past, ...]:
    """Read the journals, oldest first."""
    paths = root.glob(f"{cluster or '*'}/*.jsonl") if root.is_dir() else iter(())
    return tuple(read_run(path) for path in sorted(paths, key=lambda path: path.name))


def read_run(path: Path) -> Past:
    """Read one journal; a line that was cut off by a kill is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise SanglierError(
            code=Code.JOURNAL_ABSENT,
            subject=str(path),
            what=f"this journal cannot be read: {error.strerror}",
            fix="`sanglier log` lists the runs",
        ) from error
    return Past(path=path, events=tuple(_events(text)))


def _events(text: str) -> Iterator[Mapping[str, object]]:
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
