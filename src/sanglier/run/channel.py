"""One client process with a script under way, and what its ending means."""

from __future__ import annotations

import asyncio
import codecs
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.run.codes import Code
from sanglier.run.far_side import LIMIT_STATUSES, envelope
from sanglier.run.frames import Began, Ended, Framer, Inside, Marker
from sanglier.spec.cluster import Host

OPENING_LIMIT_S = 45
"""From starting the client to the first marker: connect, log in, become root."""
CLOSING_GRACE_S = 2
"""A daemon that kept our standard output open must not keep us waiting."""
_CHUNK = 1 << 16
_NOISE_KEPT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a client process ended, for telling why."""

    host: Host
    began: bool
    status: int | None
    """None: it did not begin in time and was killed."""
    errors: str
    noise: str
    limit: int


Explain = Callable[[Ending], SanglierError]


@dataclass(frozen=True, slots=True)
class Client:
    """A client process and its pipes, which a daemon on the far side may keep open."""

    process: asyncio.subprocess.Process
    pipes: asyncio.SubprocessTransport

    @classmethod
    async def spawn(
        cls, command: Sequence[str], cwd: Path | None, env: dict[str, str] | None
    ) -> Client:
        """Start it in a session of its own, so that ^C reaches only us."""
        loop = asyncio.get_running_loop()
        pipes, protocol = await loop.subprocess_exec(
            lambda: SubprocessStreamProtocol(limit=_CHUNK, loop=loop),
            *command,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        return cls(asyncio.subprocess.Process(pipes, protocol, loop), pipes)


@dataclass(slots=True, eq=False)
class Channel:
    """One client process with a script under way; a :class:`Session`."""

    host: Host
    client: Client
    marker: Marker
    limit: int
    explain: Explain
    status: int | None = None
    began: bool = False
    noise: str = ""
    errors: str = ""
    text: str = ""
    _lines: AsyncIterator[str] | None = None
    _errors_task: asyncio.Task[None] | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The client."""
        return self.client.process

    async def start(self, script: str) -> None:
        """Send the script and wait for its first sign of life."""
        self._errors_task = asyncio.create_task(self._read_errors())
        await self.send(envelope(self.marker, script))
        self._lines = self._read()
        try:
            async with asyncio.timeout(OPENING_LIMIT_S):
                await anext(self._lines)
        except StopAsyncIteration:
            raise await self._failure() from None
        except TimeoutError:
            await self.kill()
            raise self.explain(self._ending(None)) from None

    async def line(self) -> str | None:
        """Give the next line; None after the last one; raises when it breaks off."""
        assert self._lines is not None
        line = await anext(self._lines, None)
        if line is None and self.status is None:
            raise await self._failure()
        return line

    async def send(self, text: str) -> None:
        """Write to the script; a broken pipe shows as an end of the lines."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            self.process.stdin.write(text.encode())
            await self.process.stdin.drain()

    def end_input(self) -> None:
        """Tell the far side that nothing more will come."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    async def close(self) -> None:
        """Let the process end by itself for a moment, then end it."""
        self.end_input()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_GRACE_S):
                await self._drain()
                await self.process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End the local client at once, whoever else holds its pipes."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        for number in range(3):
            pipe = self.client.pipes.get_pipe_transport(number)
            if pipe is not None:
                pipe.close()
        await self.process.wait()
        if self._errors_task is not None:
            self._errors_task.cancel()
        self.client.pipes.close()

    async def _drain(self) -> None:
        assert self.process.stdout is not None
        while await self.process.stdout.read(_CHUNK):
            pass

    async def _read(self) -> AsyncIterator[str]:
        """Yield one empty line at the opening marker, then the lines until the closing one."""
        framer = Framer(self.marker)
        async for line in self._raw_lines():
            match framer.feed(line):
                case Began():
                    self.began = True
                    yield ""
                case Inside(line=inside):
                    yield inside
                case Ended(status=status, text=text):
                    self.status, self.text = status, text
                    return
                case None:
                    self.noise = (self.noise + line + "\n")[-_NOISE_KEPT:]

    async def _raw_lines(self) -> AsyncIterator[str]:
        assert self.process.stdout is not None
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        rest = ""
        while chunk := await self.process.stdout.read(_CHUNK):
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in lines:
                yield line
        if rest:
            yield rest

    async def _read_errors(self) -> None:
        assert self.process.stderr is not None
        while chunk := await self.process.stderr.read(_CHUNK):
            self.errors = (self.errors + chunk.decode(errors="replace"))[-_NOISE_KEPT:]

    async def _failure(self) -> SanglierError:
        """Give the client a moment to end by itself and say why."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_GRACE_S):
                await self.process.wait()
                if self._errors_task is not None:
                    await asyncio.wait({self._errors_task})
        status = self.process.returncode
        await self.kill()
        return self.explain(self._ending(status))

    def _ending(self, status: int | None) -> Ending:
        return Ending(
            host=self.host,
            began=self.began,
            status=status,
            errors=self.errors,
            noise=self.noise,
            limit=self.limit,
        )


def explain_plain(ending: Ending) -> SanglierError:
    """Tell why a script broke off, whatever carried it."""
    if ending.began and ending.status in LIMIT_STATUSES:
        return SanglierError(
            code=Code.TIME_LIMIT,
            subject=ending.host.name,
            what=f"the host ended the command at its limit of {ending.limit} s",
            why="a command hangs, or the host is much slower than expected",
            fix="look at what runs there (ps), mend it, and run the same command again",
        )
    return SanglierError(
        code=Code.GARBLED,
        subject=ending.host.name,
        what="the answer of the host is not what was sent for",
        why=said(ending),
        fix="make a plain shell come up without ado: `ssh HOST true` must print nothing and exit 0",
    )


def said(ending: Ending) -> str:
    """Give the last words of a failed command in one line."""
    words = " / ".join(line.strip() for line in (ending.noise + ending.errors).splitlines() if line)
    return f"exit status {ending.status}; it said: {words[-400:] or 'nothing'}"
