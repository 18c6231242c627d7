"""Make the faults of a group, see whether they took, and heal each after its time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field

from sanglier.drill.checkers.guard import told
from sanglier.drill.checkers.openness import Planted
from sanglier.drill.deaths import Deaths
from sanglier.drill.faults.base import Fault, Took
from sanglier.drill.result import MomentKind
from sanglier.drill.scene import Role, Scene
from sanglier.drill.schedule import Group, Item
from sanglier.spec.cluster import Host

MAKE_S, SEE_S, HEAL_S = 900, 60, 300
"""Until a fault that is not made, seen to take, or healed is given up: longer than any takes."""


@dataclass(slots=True, kw_only=True)
class Strikes:
    """The faults of one drill."""

    scene: Scene
    deaths: Deaths
    doubts: list[str]
    """The drill's own, added to when a fault did not take."""
    planted: list[Planted] = field(default_factory=list)
    """Sides that a fault opened itself, each for a stated time."""
    injections: int = 0

    async def strike(self, group: Group) -> None:
        """Make the faults of a group together; returns when each is healed."""
        self.deaths.hit = set()
        self.deaths.permits.strike()
        await asyncio.gather(*self._strikes(group))

    def _strikes(self, group: Group) -> Iterator[Coroutine[None, None, None]]:
        """Give the faults of a group; what is made inside a host comes before what stops it."""
        made = [(item, asyncio.Event()) for item in group]
        inside = [event for item, event in made if not item.fault.needs_power]
        for item, event in made:
            host = self.scene.cast(item.fault.role, item.choice)
            yield self._fault(item, host, inside if item.fault.needs_power else (), event)

    async def _fault(
        self, item: Item, host: Host, before: Sequence[asyncio.Event], made: asyncio.Event
    ) -> None:
        scene, fault = self.scene, item.fault
        for other in before:
            await other.wait()
        self.deaths.permits.allow(fault, host)
        if fault.kills:
            everyone = fault.role is Role.ALL
            self.deaths.hit |= {h.name for h in scene.goal.cluster.hosts if everyone or h == host}
        began = time.monotonic()
        self._plant(item, host)
        scene.note(MomentKind.FAULT, host.name, fault.name)
        try:
            async with asyncio.timeout(MAKE_S):
                await fault.inject(scene, host)
        except Exception as error:  # a fault that cannot be made is a doubt, not a crash
            self.doubts.append(f"{fault.name} on {host.name} could not be made: {told(error)}")
        else:
            await self._see(fault, host)
        made.set()
        try:
            await asyncio.sleep(max(0.0, item.hold_s - (time.monotonic() - began)))
        finally:  # also when the drill is interrupted
            await self._heal(item, host)

    async def _see(self, fault: Fault, host: Host) -> None:
        """Count a fault that was seen to take; anything else is a doubt."""
        took, why = Took.UNKNOWN, "nothing that could tell gave an answer"
        try:
            async with asyncio.timeout(SEE_S):
                took = await fault.took(self.scene, host)
        except Exception as error:  # of ours, or of the way to the host: evidence of nothing
            why = told(error)
        what = f"{fault.name} on {host.name}"
        match took:
            case Took.YES:
                self.injections += 1
            case Took.NO:
                self.doubts.append(f"{what} did not take")
            case Took.UNKNOWN:
                self.doubts.append(f"whether {what} took is not known: {why}")

    async def _heal(self, item: Item, host: Host) -> None:
        """Heal; a host that was switched off meanwhile may have nothing left to heal."""
        for _ in range(5):
            try:
                async with asyncio.timeout(HEAL_S):
                    await item.fault.heal(self.scene, host)
            except Exception as error:  # it may be booting: try again
                self.scene.note(MomentKind.NOTE, host.name, f"healing: {told(error)[:120]}")
                await asyncio.sleep(8)
            else:
                self.scene.note(MomentKind.HEAL, host.name, f"{item.fault.name} healed")
                return

    def _plant(self, item: Item, host: Host) -> None:
        if item.fault.opens_s:
            now = self.scene.clock.now()
            until_s = now + item.fault.opens_s
            self.planted.append(Planted(host=host.name, from_s=now, until_s=until_s))
