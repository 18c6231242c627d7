"""What a pretended host says: its samplers, its writers, and how scripts are known."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.drill.history import History
from sanglier.drill.result import Check
from sanglier.drill.workloads.base import Reading, gather, program
from sanglier.drill.workloads.blocks import BLOCKS
from sanglier.spec.cluster import Host

if TYPE_CHECKING:
    from .world import World

_RUN = program("", "").text


@dataclass
class Server:
    name: str
    on: bool = True
    frozen: bool = False
    boot: int = 1
    since: float = 900.0
    """When it booted, on the loop's clock."""
    cut: set[str] = field(default_factory=set)

    @property
    def lives(self) -> bool:
        return self.on and not self.frozen


@dataclass(frozen=True)
class Toy:
    """A workload that is content with whatever could be read back."""

    name: str = "toy"

    def writer(self, directory: str, writer: str) -> Script:
        return Script(text="toy writer", args=(directory, writer))

    def reader(self, directory: str) -> Script:
        return Script(text="toy reader", args=(directory,))

    def caller(self) -> None:
        return None

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        found = gather("toy", histories, readings)
        return (found.judge("toy", (), "", {"acknowledged": found.acknowledged}),)


def key(text: str) -> str:
    return text.strip("\n")


def program_of(perl: str) -> str:
    """Give the Perl program that a script of a workload, or a fault, runs."""
    return str(program(BLOCKS + perl, "").args[0])


def parts(script: str) -> tuple[str, tuple[str, ...]]:
    """Take a script apart: its text, and its words.  Of a workload's it is the Perl that counts."""
    body, _, call = script.rpartition("\n}\n_f")
    text, words = body.removeprefix("_f() {\n"), tuple(shlex.split(call))
    return (words[0], words[1:]) if text == _RUN else (text, words)


def lost(host: Host) -> SanglierError:
    return SanglierError(code="SG-SSH-001", subject=host.name, what="ssh does not get through")


@dataclass
class Voice:
    """A sampler, or a writer that is acknowledged while a side is open."""

    world: World
    host: Host
    samples: bool
    path: str = ""
    """What it writes below, or the state that it samples."""
    count: int = 0
    heard: int = 0
    stopped: bool = False
    boot: int = field(init=False)

    def __post_init__(self) -> None:
        self.boot = self.world.servers[self.host.name].boot

    async def line(self) -> str | None:
        while True:
            await asyncio.sleep(0.25)
            server = self.world.servers[self.host.name]
            if not server.on or server.boot != self.boot:
                raise lost(self.host)
            if server.frozen:
                continue
            if self.samples and server.name not in self.world.unseen:
                return self.sample(server)
            if not self.samples and (word := self.word()):
                return word if word != "gone" else None

    def sample(self, server: Server) -> str:
        self.count += 1
        if self.count == 1:
            return f"b boot-{server.boot}"
        state = "absent" if self.world.blind else self.state(server.name)
        since = self.world.loop.now - server.since + self.world.skew_s.get(server.name, 0)
        return f"s {since * 1e9:.0f} {state} {self.heard}"

    def state(self, host: str) -> str:
        if any(f"/{name}/" in self.path for name in self.world.opened_more):
            return "0" if self.world.open_on(self.path) in {host, "both"} else "2"
        return self.world.state_of(host)

    def word(self) -> str:
        """What a writer says: it is acknowledged while a side is open, until it is stopped."""
        if self.count < 0:
            return "gone"
        if self.stopped:
            self.count = -1
            return "stopped"
        serves = self.world.serves_of(self.path)
        self.count += serves
        return f"a {self.count}" if serves else ""

    async def send(self, text: str) -> None:
        self.stopped = self.stopped or text == "stop\n"
        if self.samples and not self.world.servers[self.host.name].frozen:
            self.heard = int(text)

    async def close(self) -> None:
        return
