"""What can run a script as root on a host: one small protocol, and its base for processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sanglier.core.errors import SanglierError
from sanglier.run.channel import Channel, Client, Ending, explain_plain
from sanglier.run.codes import Code
from sanglier.run.frames import Marker
from sanglier.spec.cluster import Host


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a script printed (stdout and stderr together), its status, its time in seconds."""

    status: int
    text: str
    seconds: float


OnLine = Callable[[str], None]


class Session(Protocol):
    """A script under way, that one can talk with."""

    async def line(self) -> str | None:
        """Next line of its output; None when it is over."""
        ...

    async def send(self, text: str) -> None:
        """Write to its standard input."""
        ...

    async def close(self) -> None:
        """Close its standard input and let it go."""
        ...


class Transport(Protocol):
    """Runs scripts on hosts as root."""

    @property
    def state_dir(self) -> str:
        """Directory on the host for locks; emptied by a reboot.  Plain shell word."""
        ...

    async def run(
        self, host: Host, script: str, *, limit: int, on_line: OnLine | None = None
    ) -> Result:
        """Run ``script`` with at most ``limit`` seconds on the far side.

        Raises ``SanglierError`` (SG-SSH-…) when the host gives no proper answer.
        """
        ...

    async def hold(self, host: Host, script: str, *, limit: int) -> Session:
        """Start ``script`` and keep it; raises as :meth:`run`."""
        ...

    async def close(self) -> None:
        """Let go of every host."""
        ...


@dataclass(slots=True)
class ProcessTransport:
    """Runs scripts through a client process per script; the base of ssh and local."""

    state_dir: str = "/run/sanglier"
    _under_way: set[Channel] = field(default_factory=set)

    def command(self, host: Host, limit: int) -> Sequence[str]:
        """Give the client's argv."""
        raise NotImplementedError

    def directory(self, host: Host) -> Path | None:
        """Where the client runs."""
        return None

    def explain(self, ending: Ending) -> SanglierError:
        """Tell why a script gave no proper answer."""
        return explain_plain(ending)

    def environment(self) -> dict[str, str] | None:
        """Give the environment of the client; None for ours."""
        return None

    async def run(
        self, host: Host, script: str, *, limit: int, on_line: OnLine | None = None
    ) -> Result:
        """Run ``script``; see :class:`Transport`."""
        started = time.monotonic()
        channel = await self._open(host, script, limit)
        try:
            channel.end_input()
            while (line := await channel.line()) is not None:
                if on_line is not None:
                    on_line(line)
        finally:
            await self._let_go(channel)
        assert channel.status is not None
        seconds = time.monotonic() - started
        return Result(status=channel.status, text=channel.text, seconds=seconds)

    async def hold(self, host: Host, script: str, *, limit: int) -> Session:
        """Start ``script`` and keep it; see :class:`Transport`."""
        return await self._open(host, script, limit)

    async def close(self) -> None:
        """End every client that is still under way."""
        await asyncio.gather(*(channel.kill() for channel in tuple(self._under_way)))
        self._under_way.clear()

    async def _open(self, host: Host, script: str, limit: int) -> Channel:
        client = await self._spawn(host, limit)
        channel = Channel(host, client, Marker(), limit, self.explain)
        self._under_way.add(channel)
        try:
            await channel.start(script)
        except BaseException:
            await self._let_go(channel)
            raise
        return channel

    async def _let_go(self, channel: Channel) -> None:
        self._under_way.discard(channel)
        await channel.close()

    async def _spawn(self, host: Host, limit: int) -> Client:
        command = self.command(host, limit)
        try:
            return await Client.spawn(command, self.directory(host), self.environment())
        except OSError as error:
            raise SanglierError(
                code=Code.CLIENT,
                subject=host.name,
                what=f"cannot run {command[0]}: {error.strerror}",
                fix=f"install the package that brings {command[0]} (openssh-client)",
            ) from error
