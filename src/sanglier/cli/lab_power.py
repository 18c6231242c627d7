"""Power over a lab's hosts, for drills."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from sanglier.drill.checkers.fences import PowerEvent
from sanglier.drill.power import SWITCH, Manner
from sanglier.lab import control
from sanglier.lab import manner as manner_of_lab
from sanglier.lab.control import Lab
from sanglier.lab.power import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPower:
    """See ``drill.power.Power``."""

    lab: Lab

    async def kill(self, host: str) -> None:
        """Cut the power."""
        await asyncio.to_thread(self.lab.kill, host)

    async def unflushed(self, host: str) -> int | None:
        """Count the blocks that its disks lost with the power; None where they have no cache."""
        return await asyncio.to_thread(self.lab.unflushed, host)

    async def start(self, host: str) -> None:
        """Boot; what fencing boots at the same moment is left to it."""
        await asyncio.to_thread(self.lab.power_on, host)

    async def freeze(self, host: str) -> None:
        """Stop every instruction."""
        await asyncio.to_thread(self.lab.freeze, host)

    async def thaw(self, host: str) -> None:
        """Let it go on."""
        await asyncio.to_thread(self.lab.thaw, host)

    async def pause(self, host: str) -> None:
        """Stop every instruction and its clock."""
        await asyncio.to_thread(self.lab.pause, host)

    async def resume(self, host: str) -> None:
        """Let it go on: it has noticed nothing."""
        await asyncio.to_thread(self.lab.resume, host)

    async def cut(self, host: str, network: str) -> None:
        """Unplug a network, or the power switch."""
        if network == SWITCH:
            await asyncio.to_thread(self.lab.cut_bmc, host)
        else:
            await asyncio.to_thread(self.lab.cut, host, network)

    async def heal(self, host: str, network: str) -> None:
        """Plug in again."""
        if network == SWITCH:
            await asyncio.to_thread(self.lab.heal_bmc, host)
        else:
            await asyncio.to_thread(self.lab.heal, host, network)

    async def behave(self, host: str, manner: Manner) -> None:
        """Have the power switch of a host behave so."""
        await asyncio.to_thread(self.lab.behave, host, manner_of_lab.Manner(manner.value))

    async def manner(self, host: str) -> Manner:
        """Tell how it behaves."""
        return Manner((await asyncio.to_thread(self.lab.manner, host)).value)

    async def dead(self, host: str) -> bool:
        """Whether its kernel does not run."""
        return not self.lab.driver.alive(self.lab.topology.host(host))

    async def unplugged(self, host: str) -> frozenset[str]:
        """Read the lab's links: whose card is in no bridge."""
        seen = await asyncio.to_thread(self.lab.status)
        return frozenset(name for one in seen if one.host.name == host for name in one.cut)

    async def fenced(self) -> Sequence[PowerEvent]:
        """Give what took a host's power away; switching one on is no fencing."""
        return tuple(
            PowerEvent(host=event.host, at_s=event.at, action=str(event.action))
            for event in control.power_events(self.lab)
            if event.done and event.action is not Action.ON
        )
