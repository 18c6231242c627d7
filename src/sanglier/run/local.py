"""Run scripts on this machine, without ssh: one directory plays each host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sanglier.run.transport import ProcessTransport
from sanglier.spec.cluster import Host


@dataclass(slots=True, kw_only=True)
class LocalTransport(ProcessTransport):
    """A real sh in ``base/HOST``, as the user who runs us; locks lie beside it."""

    base: Path
    state_dir: str = "run-sanglier"

    def command(self, host: Host, limit: int) -> Sequence[str]:
        """Limit the time as the far side does."""
        return ("timeout", "-k", "5", str(limit), "sh", "-s")

    def directory(self, host: Host) -> Path:
        """Give each host a directory of its own."""
        place = self.base / host.name
        place.mkdir(parents=True, exist_ok=True)
        return place
