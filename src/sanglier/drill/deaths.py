"""Who lost its power or reset itself in a drill, told by boots and by the power switches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sanglier.drill.checkers.fences import PowerEvent
from sanglier.drill.checkers.guard import told
from sanglier.drill.checkers.samples import Kill
from sanglier.drill.checkers.stalls import Away, Window
from sanglier.drill.permits import Permits
from sanglier.drill.recorder import Load
from sanglier.drill.result import MomentKind
from sanglier.drill.scene import Scene
from sanglier.drill.watch import boots
from sanglier.spec.cluster import ApplicationServer

BACK_S = 3.0
"""How long a server that booted anew is excused after that was seen."""
STEP_S = 1.0
"""By how much our own wall clock may drift from the monotonic one in a drill: slewing, no more."""
LOG_S = 0.05
"""How exactly the power switches log."""
POWER_S = 60
"""Until the power switches have told their log."""


@dataclass(slots=True, kw_only=True)
class Deaths:
    """What is known of them in one drill."""

    scene: Scene
    loads: Sequence[Load]
    permits: Permits
    doubts: list[str]
    """The drill's own, added to when something could not be told."""
    hit: set[str] = field(default_factory=set)
    """Hosts whose power the faults of this group take."""
    away: list[Away] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    """Of storage servers, by the drill or by their power switches; whole after :meth:`fenced`."""
    _selves: list[PowerEvent] = field(default_factory=list)
    _boots: dict[str, str] = field(default_factory=dict)

    async def begin(self) -> None:
        """Ask in which boot the application servers are."""
        self._boots = await boots(self.scene, self.scene.applications)

    async def excuse(self) -> None:
        """Excuse those that booted since, from the last word of each to this moment."""
        for app in await self._booted_anew():
            self._rebooted(app)

    async def reset_since(self) -> None:
        """Note who reset itself since the last group: while it was read back, or looked at."""
        for app in await self._booted_anew():
            self._reset_itself(app, self.scene.clock.now())

    async def fenced(self, window: Window) -> tuple[PowerEvent, ...] | None:
        """Ask the power switches what they did; nothing when that cannot be told."""
        clock = self.scene.clock
        self.kills = self.scene.kills
        if self.scene.power is None:
            return None
        try:
            async with asyncio.timeout(POWER_S):
                found = await self.scene.power.fenced()
        except Exception as error:  # then nobody knows who was fenced
            self.doubts.append(f"the power switches could not be asked: {told(error)}")
            return None
        if abs(step_s := clock.stepped()) > STEP_S:
            self.doubts.append(f"the clock of this machine was stepped by {step_s:.0f} s meanwhile")
            return None
        events = [
            replace(event, at_s=clock.of_epoch(event.at_s))
            for event in found
            if event.at_s >= clock.epoch
        ]
        for event in (one for one in events if one.at_s <= clock.of_monotonic(window.to_s)):
            text = f"{event.host} was fenced"
            self.scene.note(MomentKind.FENCED, event.host, text, at_s=event.at_s)
        slack_s = abs(step_s) + LOG_S
        self.kills = [
            *self.scene.kills,
            *(Kill(host=e.host, from_s=e.at_s - slack_s, to_s=e.at_s + slack_s) for e in events),
        ]
        return (*events, *self._selves)

    async def _booted_anew(self) -> list[ApplicationServer]:
        """Give the application servers that booted since this was asked last.

        One that does not tell, and a session of ours that ended on one that did not boot, are
        doubts.
        """
        now, anew = await boots(self.scene, self.scene.applications), []
        for app in self.scene.applications:
            before, after = self._boots.get(app.name), now.get(app.name)
            lost = [words for load in self.loads for words in load.lost(app)]
            if after is None or before is None:
                self.doubts.append(f"whether {app.name} reset itself is not known: it was not told")
            elif after != before:
                anew.append(app)
            else:
                self.doubts += lost
            if after is not None:
                self._boots[app.name] = after
        return anew

    def _rebooted(self, app: ApplicationServer) -> None:
        clock = self.scene.clock
        last = max(
            (
                e.at_s
                for load in self.loads
                for w in load.writers
                if w.server == app
                for e in w.events
            ),
            default=clock.zero,
        )
        self.away.append(Away(server=app.name, from_s=last, to_s=time.monotonic() + BACK_S))
        if app.name not in self.hit:
            self._reset_itself(app, max(clock.of_monotonic(last), self.permits.struck_s))

    def _reset_itself(self, app: ApplicationServer, at_s: float) -> None:
        self._selves.append(PowerEvent(host=app.name, at_s=at_s, action="self"))
