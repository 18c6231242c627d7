"""One run at a time on a cluster: a lock that its storage servers hold while we live.

On each storage server a small sh holds flock(1) on a file under /run and reads
our heartbeat.  When this machine, this process or the network dies, the far
side notices (end of input, or no heartbeat for 60 s) and the lock is free; a
reboot frees it too.  What stays in the file tells who did not finish.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.core.shell import render
from sanglier.run.codes import HOSTS_OUT_OF_REACH, Code
from sanglier.run.transport import Session, Transport
from sanglier.spec.cluster import Cluster, Host

HEARTBEAT_S = 15
SILENCE_S = 60
"""The far side lets go after this long without a heartbeat."""
LONGEST_RUN_S = 86400
_OPEN_BAR = "@open"

# $1 directory, $2 file, $3 what to write, $4 seconds of silence allowed.  dd reads once and
# takes what is there: sh(1) of POSIX has no `read` with a time limit.
HOLD = """
mkdir -p "$1" && exec 9<>"$2" || exit 73
if ! flock -n 9; then
    echo busy; cat "$2"
    return 0
fi
echo free; cat "$2"
printf '%s\\n' "$3" > "$2"
echo @open
while line=$(timeout "$4" dd bs=256 count=1 2>/dev/null) && [ -n "$line" ]; do
    case $line in *release*) : > "$2"; return 0;; esac
done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds a lock, and since when (UTC, ISO 8601)."""

    who: str
    since: str

    @classmethod
    def me(cls, verb: str) -> Holder:
        """Describe this process."""
        who = f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()}, {verb})"
        return cls(who=who, since=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))

    @classmethod
    def parse(cls, text: str) -> Holder | None:
        """Read a lock file's line; None for an empty one."""
        since, _, who = text.strip().partition(" ")
        return cls(who=who or "unknown", since=since) if since else None

    def line(self) -> str:
        """Give the lock file's line."""
        return f"{self.since} {self.who}"

    def age(self) -> str:
        """Say how long ago it was, by our clock."""
        try:
            then = datetime.strptime(self.since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return "unknown time"
        minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
        return f"{minutes} min" if minutes else "less than a minute"


@dataclass(slots=True)
class ClusterLock:
    """The lock of a cluster, held on every storage server that answers."""

    cluster: Cluster
    transport: Transport
    me: Holder
    left_by: Holder | None = None
    """Who held it before and never let go."""
    sessions: dict[str, Session] = field(default_factory=dict)
    beats: list[asyncio.Task[None]] = field(default_factory=list)

    async def acquire(self) -> None:
        """Take it everywhere, in the order of names; raises SG-RUN-020 with who holds it.

        A storage server that cannot be reached is left out: reading the hosts
        will say so.  Raises SG-RUN-022 when the others could not keep it.
        """
        try:
            for host in sorted(self.cluster.storage, key=lambda server: server.name):
                await self._acquire_on(host)
        except BaseException:
            await self.release()
            raise

    async def release(self) -> None:
        """Let go everywhere, and leave the file empty."""
        for task in self.beats:
            task.cancel()
        for session in self.sessions.values():
            await session.send("release\n")
        await asyncio.gather(*(session.close() for session in self.sessions.values()))
        self.sessions.clear()

    def lost(self) -> SanglierError | None:
        """Tell whether no storage server holds it for us any more."""
        if not self.beats or self.sessions:
            return None
        return SanglierError(
            code=Code.LOCK_LOST,
            subject=self.cluster.name,
            what="the lock on the cluster is lost: no storage server holds it for us any more",
            why="the connections to them broke",
            fix="see to the network, then run the same command again",
        )

    async def _acquire_on(self, host: Host) -> None:
        script = hold_script(self.transport.state_dir, self.cluster.name, self.me)
        try:
            session = await self.transport.hold(host, script, limit=LONGEST_RUN_S)
        except SanglierError as error:
            if error.code in HOSTS_OUT_OF_REACH:
                return
            raise
        lines = await _until_open(session)
        previous = Holder.parse("\n".join(lines[1:]))
        if lines[:1] == ["free"]:
            self.left_by = previous or self.left_by
            self.sessions[host.name] = session
            self.beats.append(asyncio.create_task(self._beat(host, session)))
            self.beats.append(asyncio.create_task(self._watch(host, session)))
            return
        await session.close()
        raise held(self.cluster, host, previous) if lines else failed(host)

    async def _beat(self, host: Host, session: Session) -> None:
        while host.name in self.sessions:
            await asyncio.sleep(HEARTBEAT_S)
            await session.send("alive\n")

    async def _watch(self, host: Host, session: Session) -> None:
        """Wait for the far side to end, which it does not while it holds the lock."""
        with suppress(SanglierError):
            while await session.line() is not None:
                pass
        self.sessions.pop(host.name, None)
        await session.close()


async def _until_open(session: Session) -> Sequence[str]:
    """Collect the far side's words until it holds the lock, or ends."""
    lines: list[str] = []
    while (line := await session.line()) is not None and line != _OPEN_BAR:
        if line:
            lines.append(line)
    return lines


def hold_script(state_dir: str, cluster: str, me: Holder) -> str:
    """Render the far side's part."""
    path = f"{state_dir}/{cluster}.lock"
    script = Script(text=HOLD, args=(state_dir, path, me.line(), str(SILENCE_S)))
    return render(script, reveal=False)


def held(cluster: Cluster, host: Host, holder: Holder | None) -> SanglierError:
    """Make the error for a lock that another run holds."""
    who = holder or Holder(who="a run that just began", since="a moment ago")
    return SanglierError(
        code=Code.LOCKED,
        subject=cluster.name,
        what=f"held by {who.who} since {who.since} ({who.age()})",
        why=f"two runs at once would undo each other's work; the lock is on {host.name}",
        fix="wait for it to end; when that machine is dead, the lock frees itself within "
        f"{SILENCE_S} s",
    )


def failed(host: Host) -> SanglierError:
    """Make the error for a server that cannot keep a lock."""
    return SanglierError(
        code=Code.LOCK_FAILED,
        subject=host.name,
        what="the lock on the cluster cannot be taken there",
        why="/run/sanglier could not be written, or flock(1) of util-linux is missing",
        fix="see to that, then run the same command again",
    )
