"""Play one drill: load on every application server, faults, healing, verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sanglier.core.errors import SanglierError
from sanglier.drill.checkers.guard import told
from sanglier.drill.checkers.openness import open_spans
from sanglier.drill.checkers.stalls import Window, series
from sanglier.drill.deaths import BACK_S, Deaths
from sanglier.drill.judge import LOOK_S, Histories, Judge, predicted_s
from sanglier.drill.permits import Permits
from sanglier.drill.plan import Plan
from sanglier.drill.recorder import Load, Writer
from sanglier.drill.result import Check, DrillRun, MomentKind
from sanglier.drill.scene import Clock, Scene
from sanglier.drill.schedule import Group, word
from sanglier.drill.settle import PATIENCE_S, WHOLE, Lacking, bring_back, settle
from sanglier.drill.strikes import Strikes
from sanglier.drill.watch import Watch
from sanglier.layers.base import StackLayer

WARM_S, CALM_S = 5.0, 2 * BACK_S
"""How long the load runs before the first fault, and after the last healing."""
WHOLE_S = 60.0
"""How long the cluster may take to be whole before a drill, if all its hosts answer."""
READY_S = 90.0
"""How long the workloads may take to begin."""
STOP_S = 30.0
SEEN_S = 60.0
"""How long to wait at the end until every side was seen again: a connection may take 45 s."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """One drill under way."""

    scene: Scene
    loads: Sequence[Load]
    """One for each volume of the scene, in that order."""
    layers: Sequence[StackLayer]
    plan: Plan
    watch: Watch = field(init=False)
    doubts: list[str] = field(default_factory=list)
    """Why nothing can be VALID: a fault that did not take."""
    permits: Permits = field(init=False)
    """Who may be fenced, and when."""
    deaths: Deaths = field(init=False)
    strikes: Strikes = field(init=False)
    healed_s: float | None = None
    """When the last healing was over, on the monotonic clock."""
    lacking: Lacking = WHOLE
    conductors: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(scene=self.scene)
        self.permits = Permits(scene=self.scene)
        self.deaths = Deaths(
            scene=self.scene, loads=self.loads, permits=self.permits, doubts=self.doubts
        )
        self.strikes = Strikes(scene=self.scene, deaths=self.deaths, doubts=self.doubts)

    @property
    def writers(self) -> Iterator[Writer]:
        """Those of every volume."""
        return (writer for load in self.loads for writer in load.writers)

    async def run(self) -> DrillRun:
        """Play it; whatever happens, a result comes out."""
        started = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            await self._play()
        except Exception as error:  # ours or the cluster's: it is told, and the rest is judged
            self.doubts.append(told(error))
        finally:  # also when it is interrupted
            ended = time.monotonic()
            histories = await self._stop()
        window = Window(from_s=self.scene.clock.zero, to_s=ended, away=tuple(self.deaths.away))
        checks = await self._judge().checks(histories, window)
        return self._result(started, histories, window, checks)

    def _judge(self) -> Judge:
        return Judge(
            scene=self.scene, loads=self.loads, layers=self.layers, plan=self.plan,
            watch=self.watch, deaths=self.deaths, planted=self.strikes.planted,
            doubts=self.doubts, injections=self.strikes.injections, healed_s=self.healed_s,
            lacking=self.lacking,
        )  # fmt: skip

    async def _play(self) -> None:
        await self._begin()
        for group in self.plan.groups:
            await self._group(group)
        self.healed_s = time.monotonic()
        await asyncio.sleep(CALM_S)
        await self.watch.see_all(self.scene.clock.of_monotonic(self.healed_s), SEEN_S)

    async def _stop(self) -> Histories:
        """End what runs beside us: the asking, the writers, the watch."""
        for conductor in self.conductors:
            conductor.cancel()
        for end in await asyncio.gather(*self.conductors, return_exceptions=True):
            if isinstance(end, Exception):
                self.doubts.append(f"the asking of the workloads ended: {told(end)}")
        histories = tuple(await asyncio.gather(*(load.stop(STOP_S) for load in self.loads)))
        for load in self.loads:
            self.doubts += load.broken()
        self.doubts += await self.watch.stop()
        if (folder := self.loads[0].keep) is not None:
            try:
                self.watch.keep(folder)
            except OSError as error:
                self.doubts.append(f"the samples of the sides could not be kept: {told(error)}")
        return histories

    async def _begin(self) -> None:
        if lacking := await self._whole_at_first():
            raise SanglierError(
                code="SG-DRILL-012",
                subject=self.scene.goal.cluster.name,
                what=f"the cluster is not whole, so no drill can begin: {lacking}",
                fix="`sanglier status` shows what is wrong; apply, then drill again",
            )
        for load in self.loads:
            await load.prepare(self.scene.applications[0])
            for server in self.scene.applications:
                await load.start(server)
        self.conductors = [asyncio.create_task(load.conduct()) for load in self.loads]
        await self.deaths.begin()
        await self._all_write()
        self.scene.clock = Clock()
        self.watch.start()
        await asyncio.sleep(WARM_S)

    async def _whole_at_first(self) -> Lacking:
        """Give what is lacking, after hosts that hang were switched off and on where one can."""
        lacking = await settle(self.scene, WHOLE_S)
        if not lacking or self.scene.power is None:
            return lacking
        async with asyncio.timeout(LOOK_S):
            names = await bring_back(self.scene)
        for name in names:
            text = "answered nothing before the drill: switched off and on"
            self.scene.note(MomentKind.NOTE, name, text, at_s=0.0)
        return await settle(self.scene, PATIENCE_S) if names else lacking

    async def _all_write(self) -> None:
        """Wait until every workload was acknowledged on every server: the drill's zero."""
        if waiting := await self._unheard():
            raise SanglierError(
                code="SG-DRILL-014",
                subject=waiting[0].server.name,
                what=f"the workload {waiting[0].workload} does not begin",
                why=waiting[0].end,
                fix="look at the mount and at the histories",
            )

    async def _unheard(self) -> list[Writer]:
        """Wait for a first acknowledgement of all that go on; give those that have none."""
        deadline = time.monotonic() + READY_S
        while any(not (writer.acks or writer.over) for writer in self.writers):
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
        return [writer for writer in self.writers if not writer.acks]

    async def _group(self, group: Group) -> None:
        """Strike together, heal each after its time, wait until the cluster is whole."""
        await self.strikes.strike(group)
        self.lacking = await settle(self.scene, self.plan.patience_s)
        await self._back()
        if self.lacking:
            raise SanglierError(
                code="SG-DRILL-013",
                subject=word(group),
                what=f"not whole {self.plan.patience_s:.0f} s after the healing: {self.lacking}",
                fix="look at the hosts as they are now; `sanglier status`",
            )
        self.permits.forbid()

    async def _back(self) -> None:
        """Start again what ended on application servers: they rebooted, or their disk was full."""
        await self.deaths.excuse()
        for load in self.loads:
            for app in self.scene.applications:
                await load.start(app)
        await self._unheard()  # the judge tells of those

    def _result(
        self, started: str, histories: Histories, window: Window, checks: tuple[Check, ...]
    ) -> DrillRun:
        plan, timings = self.plan, self.scene.goal.cluster.timings
        return DrillRun(
            name=plan.name, explains=plan.explains, seed=plan.seed,
            schedule=tuple(word(group) for group in plan.groups), started=started,
            length_s=window.to_s - window.from_s, moments=tuple(self.scene.moments),
            open_spans=open_spans(self.watch.samples, self.deaths.kills),
            series=series([one for mine in histories for one in mine], window), checks=checks,
            injections=self.strikes.injections,
            predicted_stall_s=predicted_s(
                timings, plan.groups, programs=self.scene.programs
            ),
        )  # fmt: skip
