"""Reach hosts with the OpenSSH client, so that whatever the user's ssh_config knows works.

One connection per host: the first command becomes the master of the others
(ssh_config(5), ControlMaster), and :meth:`SshTransport.close` ends it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.run.channel import Ending
from sanglier.run.far_side import remote_command
from sanglier.run.ssh_errors import explain_ssh
from sanglier.run.transport import ProcessTransport
from sanglier.spec.cluster import Host

_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ControlMaster=auto",
    "ControlPersist=120",
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
_SOCKET_ROOM = 60
"""A socket's path has at most 107 bytes (unix(7)), and ssh adds a suffix of 17."""


def _socket_dir() -> Path:
    """Make a private directory (0700) with a short path."""
    place = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="sg-", dir=place if len(place) < _SOCKET_ROOM else "/tmp"))


@dataclass(slots=True, kw_only=True)
class SshTransport(ProcessTransport):
    """The OpenSSH client as a child process; ``config`` as for ``ssh -F``."""

    config: Path | None = None
    client: str = "ssh"
    silence: int = 3
    """Unanswered questions, one every 5 s, after which a connection is given up."""
    sockets: Path = field(default_factory=_socket_dir)
    _names: dict[str, str] = field(default_factory=dict)

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
        """End all clients, then the master connections, then the directory."""
        await ProcessTransport.close(self)
        await asyncio.gather(*(self._end_master(dest) for dest in self._names))
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _client(self, host: Host) -> tuple[str, ...]:
        own = (f"ServerAliveCountMax={self.silence}", f"ControlPath={self._socket(host.ssh)}")
        options = [f"-o{option}" for option in (*_OPTIONS, *own)]
        config = ("-F", str(self.config)) if self.config else ()
        return (self.client, *config, *options)

    def _socket(self, destination: str) -> Path:
        name = self._names.setdefault(destination, str(len(self._names)))
        return self.sockets / name

    async def _end_master(self, destination: str) -> None:
        socket = self._socket(destination)
        if not socket.exists():
            return
        config = ("-F", str(self.config)) if self.config else ()
        process = await asyncio.create_subprocess_exec(
            *(self.client, *config, f"-oControlPath={socket}", "-O", "exit", "--", destination),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
