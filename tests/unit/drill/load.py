"""The workloads run for real, on this machine's own filesystem: two servers, two processes each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sanglier.drill.history import Event, History, Kind
from sanglier.drill.recorder import Load
from sanglier.drill.result import Check, Verdict
from sanglier.drill.workloads.base import Reading, Workload
from sanglier.run.local import LocalTransport
from sanglier.spec.cluster import ApplicationServer

SERVERS = tuple(
    ApplicationServer(name=name, ssh=name, hostname=name, san=(), interconnect="", node=node)
    for node, name in enumerate(("srv-a", "srv-b"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run of one workload left."""

    load: Load
    histories: tuple[History, ...]

    @property
    def folder(self) -> Path:
        """Where the workload wrote."""
        return Path(self.load.directory) / self.load.workloads[0].name

    async def readings(self) -> tuple[Reading, ...]:
        """Read it back on both servers."""
        return tuple([one for server in SERVERS for one in await self.load.read(server)])

    async def checks(self) -> dict[str, Check]:
        """Judge it as it is on disk now."""
        checks = self.load.workloads[0].check(self.histories, await self.readings())
        return {check.name: check for check in checks}

    async def verdicts(self) -> dict[str, Verdict]:
        """Only the verdicts."""
        return {name: check.verdict for name, check in (await self.checks()).items()}


async def wait_for(condition: Callable[[], bool]) -> None:
    """Look again and again; the test's own limit ends it."""
    while True:
        await asyncio.sleep(0.02)
        if condition():
            return


async def run_until(
    load: Load,
    enough: Callable[[Load], bool],
    servers: Sequence[ApplicationServer] = SERVERS,
) -> Run:
    """Run the load until it has done enough."""
    await load.prepare(servers[0])
    for server in servers:
        await load.start(server)
    conducting = asyncio.create_task(load.conduct())
    await wait_for(lambda: enough(load) or all(writer.over for writer in load.writers))
    conducting.cancel()
    with suppress(asyncio.CancelledError):
        await conducting
    return Run(load=load, histories=await load.stop(30))


def acked(count: int) -> Callable[[Load], bool]:
    """Enough is ``count`` acknowledgements of every writer."""
    return lambda load: all(len(writer.acks) >= count for writer in load.writers)


def new_load(base: Path, *workloads: Workload, keep: Path | None = None) -> Load:
    """Make a load that writes below ``base``."""
    return Load(
        transport=LocalTransport(base=base / "hosts"),
        directory=str(base / "volume"),
        workloads=workloads,
        keep=keep,
        limit_s=120,
    )


def takes_o_direct(folder: Path) -> bool:
    """Whether the filesystem of a folder can do it (tmpfs cannot before Linux 6.6)."""
    try:
        os.close(os.open(folder / "probe", os.O_CREAT | os.O_RDWR | os.O_DIRECT))
    except OSError:
        return False
    return True


def events(kind: Kind, *lines: str) -> list[Event]:
    """Make events of one kind, a second apart."""
    return [
        Event(at_s=float(at), kind=kind, words=tuple(line.split())) for at, line in enumerate(lines)
    ]


def make_history(workload: str, writer: str, all_events: Iterable[Event], end: str = "") -> History:
    """Make a history as the recorder would."""
    server = writer.partition(".")[0]
    return History(
        workload=workload, server=server, writer=writer, events=tuple(all_events), end=end
    )


def make_readings(workload: str, *lines: str) -> tuple[Reading, ...]:
    """Make what both servers read, whole and the same."""
    return tuple(
        Reading(workload=workload, reader=server.name, lines=(*lines, "end")) for server in SERVERS
    )
