"""What a drill plays on: the hosts, the volume, who is what just now, and the clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from sanglier.core.action import Script
from sanglier.core.errors import SanglierError
from sanglier.core.shell import render
from sanglier.drill.checkers.samples import Kill
from sanglier.drill.power import Power
from sanglier.drill.result import Moment, MomentKind
from sanglier.layers.base import Goal
from sanglier.run.transport import Result, Transport
from sanglier.spec.cluster import ApplicationServer, Host, StorageServer, Volume

LIMIT_S = 30
SEEN_S = 10
GRACE_S = 60
"""Beyond a command's own limit, until we stop waiting for the host's answer: connecting may take
45 s, and the host ends the command itself."""


class Role(StrEnum):
    """Whom a fault hits."""

    OPEN = "open"
    """The storage server whose side is open when the fault begins."""
    STANDBY = "standby"
    APPLICATION = "application"
    """One application server."""
    WITNESS = "witness"
    ANY = "any"
    """Any host of the file, whatever its part."""
    ALL = "all"
    """Every host, or a whole network."""


@dataclass(slots=True, kw_only=True)
class Clock:
    """Seconds since the drill's start, and how other clocks translate."""

    zero: float = field(default_factory=time.monotonic)
    epoch: float = field(default_factory=time.time)

    def now(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.zero

    def stepped(self) -> float:
        """By how much the wall clock was stepped since the start, in seconds."""
        return time.time() - self.epoch - self.now()

    def of_epoch(self, at: float) -> float:
        """Translate seconds since the epoch."""
        return at - self.epoch

    def of_monotonic(self, at: float) -> float:
        """Translate the monotonic clock."""
        return at - self.zero


@dataclass(slots=True, kw_only=True)
class Scene:
    """One drill's stage."""

    goal: Goal
    transport: Transport
    power: Power | None
    volume: Volume
    """The one at which the faults are aimed: who is open is told by it."""
    more: tuple[Volume, ...] = ()
    """Others that are loaded, watched and judged as well."""
    say: Callable[[Moment], None]
    programs: float = 1.0
    """How many times longer than on real hardware a program takes on these hosts."""
    folder: str = ""
    """Where the workloads write, on the volume; absolute."""
    clock: Clock = field(default_factory=Clock)
    moments: list[Moment] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    """Of hosts that the drill switched off, and saw off."""
    opened: dict[str, str] = field(default_factory=dict)
    """Volume -> name of the storage server last seen open, kept by the watch."""

    @property
    def volumes(self) -> tuple[Volume, ...]:
        """All that are loaded, watched and judged, the main one first."""
        return (self.volume, *self.more)

    @property
    def storage(self) -> tuple[StorageServer, ...]:
        """Storage servers of the volume."""
        return tuple(s for s in self.goal.cluster.storage if s.name in self.volume.devices)

    @property
    def applications(self) -> tuple[ApplicationServer, ...]:
        """Application servers."""
        return self.goal.cluster.applications

    def host(self, name: str) -> Host:
        """Find a host of the file by its name."""
        return next(host for host in self.goal.cluster.hosts if host.name == name)

    def server(self, host: Host) -> StorageServer:
        """Give a storage server's own values."""
        return next(s for s in self.storage if s.name == host.name)

    def cast(self, role: Role, choice: int = 0) -> Host:
        """Find who has a role just now; ``choice`` picks among application servers or hosts."""
        opened = self.opened.get(self.volume.name, self.volume.prefer)
        match role:
            case Role.OPEN:
                return self.host(opened)
            case Role.STANDBY:
                return next(s for s in self.storage if s.name != opened)
            case Role.APPLICATION:
                return self.applications[choice % len(self.applications)]
            case Role.WITNESS:
                assert self.goal.cluster.witness is not None
                return self.host(self.goal.cluster.witness.name)
            case Role.ANY:
                hosts = self.goal.cluster.hosts
                return hosts[choice % len(hosts)]
            case Role.ALL:
                return self.host(opened)

    def note(self, kind: MomentKind, host: str, text: str, *, at_s: float | None = None) -> None:
        """Put something on the timeline: now, or at the moment that somebody else noted."""
        moment_s = self.clock.now() if at_s is None else at_s
        moment = Moment(at_s=moment_s, kind=kind, host=host, text=text)
        self.moments.append(moment)
        self.say(moment)

    async def ask(self, host: Host, text: str, *args: str, limit: int = LIMIT_S) -> Result:
        """Run a script as root; raises ``SanglierError`` when the host does not tell its end."""
        script = render(Script(text=text, args=args), reveal=False)
        return await in_time(self.transport.run(host, script, limit=limit), host.name, limit)

    async def run(self, host: Host, text: str, *args: str, limit: int = LIMIT_S) -> str:
        """Run a script as root; raises ``SanglierError`` when it ends badly, or not in time."""
        result = await self.ask(host, text, *args, limit=limit)
        if result.status != 0:
            raise SanglierError(
                code="SG-DRILL-010",
                subject=host.name,
                what=f"a command of the drill failed (status {result.status})",
                why=result.text.strip()[-600:],
                fix="look at the host; the drill is UNKNOWN",
            )
        return result.text.strip()

    async def kill(self, name: str) -> None:
        """Cut the power of a host; noted when it is seen to be off, and not when it was ordered."""
        power, began_s = self.must_power(), self.clock.now()
        await power.kill(name)
        with suppress(Exception):  # not seen
            async with asyncio.timeout(SEEN_S):
                if await power.dead(name):
                    self.kills.append(Kill(host=name, from_s=began_s, to_s=self.clock.now()))
                    if (lost := await power.unflushed(name)) is not None:
                        text = f"lost its power, and {lost} blocks that were not flushed"
                        self.note(MomentKind.NOTE, name, text)

    def must_power(self) -> Power:
        """Give the power over the hosts; SG-DRILL-011 when there is none."""
        if self.power is None:
            raise without_power(self.goal.cluster.name)
        return self.power


async def in_time(answer: Awaitable[Result], subject: str, limit: int) -> Result:
    """Wait for a command's end, but not for ever: a host that hangs ends none of its commands."""
    try:
        async with asyncio.timeout(limit + GRACE_S) as clock:
            return await answer
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise SanglierError(
            code="SG-DRILL-015",
            subject=subject,
            what=f"a command of the drill gave no answer within {limit + GRACE_S} s",
            fix="look at the host: does it hang?",
        ) from error


def without_time(subject: str, needed_s: int, given_s: int) -> SanglierError:
    """Make the error of power switches that are slower than the file says."""
    return SanglierError(
        code="SG-DRILL-016",
        subject=subject,
        what=f"its power switches need {needed_s} s to switch off and on, the file gives {given_s}",
        why="no kill would be confirmed while they are so slow",
        fix="play it with `timings: safe`, or with a `fence` of as many seconds",
    )


def without_pause(subject: str) -> SanglierError:
    """Make the error of a fault that stops clocks, where no clock can be stopped."""
    return SanglierError(
        code="SG-DRILL-017",
        subject=subject,
        what="this fault stops a host together with its clock, which only a virtual machine allows",
        fix="play it on a lab made with `lab up --driver qemu`",
    )


def without_power(subject: str) -> SanglierError:
    """Make the error of a fault that cannot be made here."""
    return SanglierError(
        code="SG-DRILL-011",
        subject=subject,
        what="this fault needs power over the hosts, which only a lab has",
        fix="add `--lab NAME`; `sanglier drill list` shows the faults that need none",
    )
