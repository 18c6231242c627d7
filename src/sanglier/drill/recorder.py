"""Run workloads on application servers, and record every word as it arrives, outside the cluster.

One session for each workload and server, so that an operation that hangs hides no other.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.core.shell import render
from sanglier.drill import history
from sanglier.drill.checkers.guard import guard, told
from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Check
from sanglier.drill.scene import in_time
from sanglier.drill.workloads import all_workloads, retired
from sanglier.drill.workloads.base import UNREAD, Ask, Caller, Reading, Workload
from sanglier.run.transport import Result, Session, Transport
from sanglier.spec.cluster import ApplicationServer

READ_LIMIT_S = 180
STOPPED = "stopped"
# $1 directory of a drill, $2 workload.  What that one left of earlier drills goes: it is large, it
# was read, and what was read is kept here.
PREPARE = """
base=${1%/*/*}
case $base in */.sanglier-drill) rm -rf -- "${base:?}"/*/*/"${2:?}" ;; esac
mkdir -p -- "$1"
sync
"""
_DROP = "sync; echo 3 > /proc/sys/vm/drop_caches"


@dataclass(slots=True, kw_only=True)
class Writer:
    """One incarnation of one workload on one server, under way."""

    workload: str
    server: ApplicationServer
    name: str
    session: Session
    caller: Caller | None = None
    log: TextIO | None = None
    """Where its recording goes, one line at a time."""
    events: list[Event] = field(default_factory=list)
    end: str = ""
    over: bool = False
    lost: str = ""
    """Why its session broke off; empty while it lasts, and when the far side ended it."""
    broken: str = ""
    """Why our own recording of it broke; what it said since is in no history."""
    _listener: asyncio.Task[None] | None = None

    @property
    def acks(self) -> list[Event]:
        """What was acknowledged so far."""
        return [event for event in self.events if event.kind is Kind.ACK]

    def listen(self) -> None:
        """Begin to record."""
        self._write(history.encode_head(self.workload, self.server.name, self.name))
        self._listener = asyncio.create_task(self._listen())

    async def ask(self, ask: Ask) -> None:
        """Record what is asked, then ask."""
        self._take(Event(at_s=time.monotonic(), kind=Kind.ASK, words=ask.words))
        with suppress(OSError):
            await self.session.send(" ".join(ask.words) + "\n")

    async def stop(self, patience_s: float) -> History:
        """Ask it to stop, and wait at most ``patience_s`` for its last words."""
        with suppress(OSError):
            await self.session.send("stop\n")
        if self._listener:
            _, late = await asyncio.wait({self._listener}, timeout=patience_s)
            if late:
                self._listener.cancel()
                await asyncio.wait(late)
                self.end = self.end or "it never stopped"
        await self.session.close()
        self._write(history.encode_end(self.end))
        if self.log:
            self.log.close()
        return self.history()

    def history(self) -> History:
        """Give what was recorded so far."""
        return History(
            workload=self.workload,
            server=self.server.name,
            writer=self.name,
            events=tuple(self.events),
            end=self.end,
        )

    async def _listen(self) -> None:
        stray = "its session ended"
        try:
            while (line := await self.session.line()) is not None:
                event = history.parse(line, time.monotonic())
                if event:
                    self._take(event)
                elif line:
                    stray = line
        except SanglierError as error:
            stray = self.lost = error.what
        except (LookupError, ValueError) as error:
            stray = f"its words made no sense: {error!r}"
        except Exception as error:  # ours: a full disk here, or a defect
            stray = self.broken = told(error)
        finally:
            self.over = True
        if not self.end and stray != STOPPED:
            self.end = stray

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self._write(history.encode_event(event))
        if event.kind is Kind.FAIL:
            self.end = "failed: " + " ".join(event.words)
        if self.caller:
            self.caller.hear(self.name, event)

    def _write(self, line: str) -> None:
        if self.log:
            self.log.write(line + "\n")
            self.log.flush()


@dataclass(slots=True, kw_only=True)
class Load:
    """All workloads of a drill on one volume."""

    transport: Transport
    directory: str
    """On the volume; absolute, and new for each drill."""
    workloads: tuple[Workload, ...] = field(default_factory=all_workloads)
    keep: Path | None = None
    """Directory here where histories and readings are kept."""
    limit_s: int = 900
    """After this the far side ends a writer."""
    writers: list[Writer] = field(default_factory=list)
    _callers: dict[str, Caller] = field(default_factory=dict)
    _incarnations: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for workload in self.workloads:
            if caller := workload.caller():
                self._callers[workload.name] = caller

    async def prepare(self, server: ApplicationServer) -> None:
        """Make the directory; a writer refuses to run where it is not (nothing is mounted)."""
        await self._run(server, Script(text=PREPARE, args=(self.directory, retired.NAME)))

    async def start(self, server: ApplicationServer) -> None:
        """Start the workloads that do not run on ``server``: all, or those that ended."""
        running = {w.workload for w in self.writers if w.server == server and not w.over}
        missing = [workload for workload in self.workloads if workload.name not in running]
        if not missing:
            return
        self._incarnations[server.name] += 1
        count = self._incarnations[server.name]
        name = server.name if count == 1 else f"{server.name}.{count}"
        for workload in missing:
            self.writers.append(await self._begin(workload, server, name))

    async def conduct(self) -> None:
        """Ask what the workloads want asked, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, caller in self._callers.items():
                tasks.create_task(self._call(name, caller))

    async def stop(self, patience_s: float) -> tuple[History, ...]:
        """Stop every writer; end :meth:`conduct` before.

        One that cannot be stopped, or not within half a minute more, hides no other.
        """
        return tuple(await asyncio.gather(*(self._stop(w, patience_s) for w in self.writers)))

    async def _stop(self, writer: Writer, patience_s: float) -> History:
        try:
            async with asyncio.timeout(patience_s + 30):
                return await writer.stop(patience_s)
        except Exception as error:
            writer.broken = writer.broken or told(error)
            writer.end = writer.end or f"it could not be stopped: {told(error)}"
            return writer.history()

    def lost(self, server: ApplicationServer) -> tuple[str, ...]:
        """Tell which sessions to a server that lives broke off since this was asked last."""
        mine = [writer for writer in self.writers if writer.server == server and writer.lost]
        found = tuple(
            f"the session of {one.workload} on {one.name} ended although the server did not: "
            f"{one.lost}"
            for one in mine
        )
        for one in mine:
            one.lost = ""
        return found

    def broken(self) -> tuple[str, ...]:
        """Tell which recordings broke on our side, and why."""
        return tuple(
            f"the recording of {one.workload} on {one.name} broke: {one.broken}"
            for one in self.writers
            if one.broken
        )

    async def drop_caches(self, server: ApplicationServer) -> None:
        """Let the disks answer from now on, not the server's memory; raises SG-DRILL-010."""
        result = await self._result(server, Script(text=_DROP))
        if result.status != 0:
            raise SanglierError(
                code="SG-DRILL-010",
                subject=server.name,
                what="its caches could not be dropped, so that what it reads proves nothing",
                why=result.text.strip()[-600:],
                fix="look at the host; the drill is UNKNOWN",
            )

    async def read(self, server: ApplicationServer) -> tuple[Reading, ...]:
        """Read everything back as ``server`` sees it; a reading that failed has no end."""
        return tuple([await self._read(server, workload) for workload in self.workloads])

    async def read_back(self, server: ApplicationServer, limit_s: float) -> tuple[Reading, ...]:
        """Read everything from the disks; what was not read in time, or at all, says why.

        There is a reading of every workload, whatever happens.
        """
        read: list[Reading] = []
        try:
            async with asyncio.timeout(limit_s) as clock:
                await self.drop_caches(server)
                for workload in self.workloads:
                    read.append(await self._read(server, workload))
        except Exception as error:  # a server that cannot be read hides no other
            hung = isinstance(error, TimeoutError) and clock.expired()
            why = f"no answer within {limit_s:.0f} s" if hung else told(error)
            read += [self._unread(server, w.name, why) for w in self.workloads[len(read) :]]
        return tuple(read)

    async def _begin(self, workload: Workload, server: ApplicationServer, name: str) -> Writer:
        script = render(workload.writer(self.directory, name), reveal=False)
        writer = Writer(
            workload=workload.name,
            server=server,
            name=name,
            session=await self.transport.hold(server, script, limit=self.limit_s),
            caller=self._callers.get(workload.name),
            log=self._file(f"{workload.name}-{name}.jsonl"),
        )
        writer.listen()
        return writer

    async def _call(self, workload: str, caller: Caller) -> None:
        while True:
            alive = {w.name: w for w in self.writers if w.workload == workload and not w.over}
            for ask in caller.call(tuple(alive)):
                await alive[ask.writer].ask(ask)
            await asyncio.sleep(caller.period_s)

    async def _run(self, server: ApplicationServer, script: Script) -> str:
        return (await self._result(server, script)).text

    async def _result(self, server: ApplicationServer, script: Script) -> Result:
        text = render(script, reveal=False)
        answer = self.transport.run(server, text, limit=READ_LIMIT_S)
        return await in_time(answer, server.name, READ_LIMIT_S)

    async def _read(self, server: ApplicationServer, workload: Workload) -> Reading:
        try:
            text = await self._run(server, workload.reader(self.directory))
        except Exception as error:  # one that cannot be read hides no other
            return self._unread(server, workload.name, told(error))
        return self._kept(server, workload.name, text)

    def _unread(self, server: ApplicationServer, workload: str, why: str) -> Reading:
        return self._kept(server, workload, UNREAD + why.replace("\n", " "))

    def _kept(self, server: ApplicationServer, workload: str, text: str) -> Reading:
        if log := self._file(reading_name(workload, server.name)):
            with log:
                log.write(text)
        return reading(workload, server.name, text)

    def _file(self, name: str) -> TextIO | None:
        if self.keep is None:
            return None
        self.keep.mkdir(parents=True, exist_ok=True)
        return (self.keep / name).open("w", encoding="utf-8", newline="\n")


def reading(workload: str, reader: str, text: str) -> Reading:
    """Make a reading of what a server printed; only newlines end its lines."""
    lines = text.removesuffix("\n").split("\n")
    return Reading(workload=workload, reader=reader, lines=tuple(lines))


def reading_name(workload: str, reader: str) -> str:
    """Name of the file that keeps a reading."""
    return f"{workload}-read-on-{reader}.txt"


def load_kept(directory: Path) -> tuple[tuple[History, ...], tuple[Reading, ...]]:
    """Read what a drill kept, so that it can be judged again."""
    recordings = sorted(directory.glob("*.jsonl"))
    histories = tuple(
        history.decode(path.read_text(encoding="utf-8").splitlines()) for path in recordings
    )
    readings = []
    for path in sorted(directory.glob("*-read-on-*.txt")):
        workload, _, reader = path.stem.partition("-read-on-")
        readings.append(reading(workload, reader, path.read_bytes().decode("utf-8")))
    return histories, tuple(readings)


def check(
    workloads: Sequence[Workload], histories: Sequence[History], readings: Sequence[Reading]
) -> tuple[Check, ...]:
    """Check every workload; one that crashes is UNKNOWN."""
    return tuple(
        found
        for workload in workloads
        for found in guard(
            workload.name,
            workload.name,
            partial(workload.check, histories, readings),
        )
    )
