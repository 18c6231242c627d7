"""Carry out a planned change of which side is open, or of which server is empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.core.events import unheard
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem
from sanglier.core.shell import render
from sanglier.layers import cluster, drbd, target
from sanglier.layers.base import Goal
from sanglier.layers.cluster import change
from sanglier.layers.multipath.change import hasten
from sanglier.run.codes import Code
from sanglier.run.gather import gather
from sanglier.run.transport import Session, Transport
from sanglier.spec.cluster import Host, StorageServer, Volume

LAYERS = (drbd.LAYER, target.LAYER, cluster.LAYER)
MARGIN_S = 30
"""Beyond the script's own patience, before ssh gives it up."""
HASTE_S = 5
"""How long a change waits for application servers to be watched; it goes on without them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changer:
    """Changes of one cluster, over one transport; the caller holds the cluster's lock."""

    goal: Goal
    transport: Transport

    async def read(self) -> Facts:
        """Read what a change needs to know."""
        if not self.goal.cluster.guarded:
            raise _unguarded(self.goal)
        return await gather(self.goal, LAYERS, self.transport, sink=unheard)

    async def move(self, facts: Facts, volume: Volume, server: StorageServer) -> bool:
        """Open the side of ``server``; False when it is open already.

        Raises ``SanglierError`` when it cannot be opened now, or the move failed.
        """
        if self._opened(facts, volume) == server:
            return False
        must(change.unready(self.goal, facts, volume, server))
        async with self._hastened((volume,), change.MOVE_S):
            await self._run(server, change.move(volume, server), change.MOVE_S)
        return True

    async def empty(self, facts: Facts, server: StorageServer) -> None:
        """Take everything off ``server``; the other one must be able to carry all of it.

        What is open there is moved first: while its target goes nobody may have I/O on its paths,
        which would be held until the initiator gives its session up, ``replacement_timeout``.
        """
        other = next(s for s in self.goal.cluster.storage if s != server)
        for volume in self.goal.cluster.volumes:
            must(change.unready(self.goal, facts, volume, other))
        for volume in self.goal.cluster.volumes:
            if self._opened(facts, volume) == server:
                await self.move(facts, volume, other)
        await self._run(other, change.empty(server), change.EMPTY_S)

    def _opened(self, facts: Facts, volume: Volume) -> StorageServer | None:
        found = change.state_of(self.goal, facts)
        return change.open_on(self.goal, found[1], volume) if found else None

    async def fill(self, server: StorageServer) -> None:
        """Take ``server`` back and wait until its data is up to date."""
        await self._run(server, change.fill(self.goal, server), change.FILL_S)

    async def home(self, server: StorageServer) -> tuple[str, ...]:
        """Move back the volumes that prefer ``server``; gives their names."""
        facts, moved = await self.read(), []
        for volume in self.goal.cluster.volumes:
            if volume.prefer == server.name and await self.move(facts, volume, server):
                moved.append(volume.name)
        return tuple(moved)

    @asynccontextmanager
    async def _hastened(self, volumes: Sequence[Volume], seconds: int) -> AsyncIterator[None]:
        """Have the application servers take up their paths at once meanwhile, as far as they can.

        One that does not answer takes them up at its next check, as after a failure.
        """
        script = render(hasten(volumes), reveal=False)
        watching: list[Session] = []

        async def watch(server: Host) -> None:
            session = await self.transport.hold(server, script, limit=seconds + MARGIN_S)
            watching.append(session)
            await session.line()

        async def watch_all() -> None:
            servers = self.goal.cluster.applications
            await asyncio.gather(*(watch(s) for s in servers), return_exceptions=True)

        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(watch_all(), HASTE_S)
            yield
        finally:
            closing = (session.close() for session in watching)
            await asyncio.gather(*closing, return_exceptions=True)

    async def _run(self, host: Host, script: Script, seconds: int) -> None:
        text = render(script, reveal=False)
        result = await self.transport.run(host, text, limit=seconds + MARGIN_S)
        if result.status != 0:
            raise _failed(host, result.text)


def must(problem: Problem | None) -> None:
    """Raise a problem as an error."""
    if problem is not None:
        raise SanglierError(
            code=problem.code,
            subject=str(problem.address),
            what=problem.what,
            why=problem.why,
            fix=problem.fix,
        )


def pick(names: Sequence[str], asked: str, kind: str) -> str:
    """Check a name from the command line against the file's."""
    if asked in names:
        return asked
    raise SanglierError(
        code=Code.NO_SUCH_THING,
        subject=asked,
        what=f"the file has no {kind} called {asked!r}",
        fix=f"one of: {', '.join(names)}",
    )


def _unguarded(goal: Goal) -> SanglierError:
    return SanglierError(
        code=Code.NOT_GUARDED,
        subject=goal.cluster.name,
        what="nobody decides which side is open: access is `article`",
        fix="write `access: guarded` in the file and apply",
    )


def _failed(host: Host, text: str) -> SanglierError:
    return SanglierError(
        code=Code.CHANGE_FAILED,
        subject=host.name,
        what="the change did not come to its end",
        why=text.strip()[-1500:],
        fix="`sanglier status` shows where it stands; it is safe to give the command again",
    )
