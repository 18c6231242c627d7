"""Reach hosts with the OpenSSH client, so that whatever the user's ssh_config knows works.

One connection per host: the first command becomes the master of the others
(ssh_config(5), ControlMaster).  :meth:`SshTransport.close` ends it, unless it is kept for the next
run (``sockets``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.run.channel import Channel, Ending
from sanglier.run.far_side import remote_command
from sanglier.run.sockets import Sockets, of_this_run
from sanglier.run.ssh_errors import explain_ssh
from sanglier.run.transport import ProcessTransport
from sanglier.spec.cluster import Host

_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ControlMaster=auto",
    "LogLevel=ERROR",
    "RequestTTY=no",
    "RemoteCommand=none",
    "ClearAllForwardings=yes",
    "ForwardX11=no",
    "EscapeChar=none",
    "StdinNull=no",
    "ForkAfterAuthentication=no",
    "SessionType=default",
)
_GREETING_S = 3
"""How long a master of an earlier run may take to answer: its host may have gone in between."""


@dataclass(slots=True, kw_only=True)
class SshTransport(ProcessTransport):
    """The OpenSSH client as a child process; ``config`` as for ``ssh -F``."""

    config: Path | None = None
    client: str = "ssh"
    silence: int = 3
    """Unanswered questions, one every 5 s, after which a connection is given up."""
    sockets: Sockets = field(default_factory=of_this_run)
    _greetings: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def command(self, host: Host, limit: int) -> Sequence[str]:
        """Give ssh's argv: nothing in it comes from the file except the destination."""
        return (*self._client(host), "-T", "--", host.ssh, remote_command(limit))

    def explain(self, ending: Ending) -> SanglierError:
        """Tell why, from ssh's exit status and words."""
        return explain_ssh(ending, self.config)

    def environment(self) -> dict[str, str]:
        """Never let ssh or a jump host's ssh ask in a window; English messages."""
        return {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}

    async def close(self) -> None:
        """End all clients; then the master connections and their directory, if not kept."""
        await ProcessTransport.close(self)
        if not self.sockets.kept:
            await asyncio.gather(*(self._end_master(dest) for dest in self._greetings))
        self.sockets.remove()

    async def _open(self, host: Host, script: str, limit: int) -> Channel:
        greeting = self._greetings.get(host.ssh)
        if greeting is None:
            greeting = asyncio.create_task(self._greet(host.ssh))
            self._greetings[host.ssh] = greeting
        await greeting
        return await ProcessTransport._open(self, host, script, limit)

    async def _greet(self, destination: str) -> None:
        """End a master of an earlier run whose host does not answer through it any more."""
        if self._socket(destination).exists() and not await self._answers(destination):
            await self._end_master(destination)
            self._socket(destination).unlink(missing_ok=True)

    async def _answers(self, destination: str) -> bool:
        own = ("-oControlMaster=no", "-oBatchMode=yes", "-oConnectTimeout=1", "-T")
        return await self._call(
            destination, *own, "--", destination, "exec true", limit=_GREETING_S
        )

    def _client(self, host: Host) -> tuple[str, ...]:
        own = (
            f"ServerAliveCountMax={self.silence}",
            f"ControlPersist={self.sockets.persist_s}",
            f"ControlPath={self._socket(host.ssh)}",
        )
        return (*self._begin(), *(f"-o{option}" for option in (*_OPTIONS, *own)))

    def _begin(self) -> tuple[str, ...]:
        return (self.client, *(("-F", str(self.config)) if self.config else ()))

    def _socket(self, destination: str) -> Path:
        return self.sockets.path(destination, self.config)

    async def _end_master(self, destination: str) -> None:
        if self._socket(destination).exists():
            await self._call(destination, "-O", "exit", "--", destination, limit=5)

    async def _call(self, destination: str, *words: str, limit: float) -> bool:
        """Have the client do something through a master; whether it succeeded in time."""
        process = await asyncio.create_subprocess_exec(
            *(*self._begin(), f"-oControlPath={self._socket(destination)}", *words),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(limit):
                return await process.wait() == 0
        except TimeoutError:
            process.kill()
            await process.wait()
            return False
