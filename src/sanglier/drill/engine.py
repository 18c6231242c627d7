"""Play one drill: load on every application server, faults, healing, verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from sanglier.core.errors import SanglierError
from sanglier.drill.checkers.fences import PowerEvent, check_fences
from sanglier.drill.checkers.guard import attempt, guard, told
from sanglier.drill.checkers.openness import Planted, check_openness, open_spans
from sanglier.drill.checkers.stalls import Window, check_stall, check_went_on, series
from sanglier.drill.deaths import BACK_S, Deaths
from sanglier.drill.faults.base import Fault, Took
from sanglier.drill.history import History
from sanglier.drill.inspect import inspect
from sanglier.drill.permits import Permits
from sanglier.drill.recorder import Load, check
from sanglier.drill.result import Check, DrillRun, MomentKind, OpenSpan, Verdict
from sanglier.drill.scene import Clock, Role, Scene
from sanglier.drill.schedule import Group, Item, word
from sanglier.drill.settle import PATIENCE_S, WHOLE, Lacking, bring_back, check_healed, settle
from sanglier.drill.watch import Watch
from sanglier.drill.workloads.base import Reading
from sanglier.layers.base import StackLayer
from sanglier.spec.cluster import Host
from sanglier.spec.predict import predict_one

WARM_S, CALM_S = 5.0, 2 * BACK_S
"""How long the load runs before the first fault, and after the last healing."""
WHOLE_S = 60.0
"""How long the cluster may take to be whole before a drill, if all its hosts answer."""
READY_S = 90.0
"""How long the workloads may take to begin."""
STOP_S = 30.0
ALLOWANCE_S = 3.0
"""Beyond the prediction: between two operations, and the way of their words to us."""
READ_S = 240
"""To read everything back on one server."""
MAKE_S, SEE_S, HEAL_S = 900, 60, 300
"""Until a fault that is not made, seen to take, or healed is given up: longer than any takes."""
LOOK_S = 300
"""Until all hosts have told what they are like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be played."""

    name: str
    explains: str
    groups: tuple[Group, ...]
    seed: int | None = None
    inspect: bool = True
    """Whether to unmount at the end and look at the filesystem and both legs."""
    patience_s: float = PATIENCE_S
    """How long to wait after a healing until the cluster is whole by itself."""


@dataclass(slots=True, kw_only=True)
class Engine:
    """One drill under way."""

    scene: Scene
    load: Load
    layers: Sequence[StackLayer]
    plan: Plan
    watch: Watch = field(init=False)
    doubts: list[str] = field(default_factory=list)
    """Why nothing can be VALID: a fault that did not take."""
    planted: list[Planted] = field(default_factory=list)
    """Sides that a fault opened itself, each for a stated time."""
    permits: Permits = field(init=False)
    """Who may be fenced, and when."""
    deaths: Deaths = field(init=False)
    injections: int = 0
    healed_s: float = 0.0
    lacking: Lacking = WHOLE
    conductor: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.watch = Watch(scene=self.scene)
        self.permits = Permits(scene=self.scene)
        self.deaths = Deaths(
            scene=self.scene, load=self.load, permits=self.permits, doubts=self.doubts
        )

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
        checks = await self._judge(histories, window)
        return self._result(started, histories, window, checks)

    async def _play(self) -> None:
        await self._begin()
        for group in self.plan.groups:
            await self._group(group)
        self.healed_s = time.monotonic()
        await asyncio.sleep(CALM_S)

    async def _stop(self) -> tuple[History, ...]:
        """End what runs beside us: the asking, the writers, the watch."""
        if self.conductor:
            self.conductor.cancel()
            (end,) = await asyncio.gather(self.conductor, return_exceptions=True)
            if isinstance(end, Exception):
                self.doubts.append(f"the asking of the workloads ended: {told(end)}")
        histories = await self.load.stop(STOP_S)
        self.doubts += self.load.broken()
        self.doubts += await self.watch.stop()
        if self.load.keep is not None:
            try:
                self.watch.keep(self.load.keep)
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
        await self.load.prepare(self.scene.applications[0])
        for server in self.scene.applications:
            await self.load.start(server)
        self.conductor = asyncio.create_task(self.load.conduct())
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
        deadline = time.monotonic() + READY_S
        while waiting := [w for w in self.load.writers if not w.acks]:
            if time.monotonic() > deadline or waiting[0].over:
                raise SanglierError(
                    code="SG-DRILL-014",
                    subject=waiting[0].server.name,
                    what=f"the workload {waiting[0].workload} does not begin",
                    why=waiting[0].end,
                    fix="look at the mount and at the histories",
                )
            await asyncio.sleep(0.2)

    async def _group(self, group: Group) -> None:
        """Strike together, heal each after its time, wait until the cluster is whole."""
        self.deaths.hit = set()
        self.permits.strike()
        await asyncio.gather(*self._strikes(group))
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
        self.permits.allow(fault, host)
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

    async def _back(self) -> None:
        """Start again what ended on application servers: they rebooted, or their disk was full."""
        await self.deaths.excuse()
        for app in self.scene.applications:
            await self.load.start(app)

    def _predicted_s(self) -> float | None:
        """The worst of the faults; none when two strike together or one has no bound."""
        timings, worst = self.scene.goal.cluster.timings, 0.0
        for group in self.plan.groups:
            key = group[0].fault.prediction
            stall = predict_one(timings, key).stall_s if key and len(group) == 1 else None
            if stall is None:
                return None
            worst = max(worst, stall)
        return worst

    async def _judge(self, histories: tuple[History, ...], window: Window) -> tuple[Check, ...]:
        """Judge all that was seen; a drill that did not begin has nothing but its reason."""
        if not self.load.writers:
            return self._took()
        readings: list[Reading] = []
        for app in self.scene.applications:
            readings += await self.load.read_back(app, READ_S)
        looks: tuple[Check, ...] = ()
        if self.plan.inspect and not self.lacking:
            looks += await inspect(self.scene)
        looks += await attempt("healed", "cluster", self._healed)
        await self.deaths.reset_since()
        fenced = await self.deaths.fenced(window)
        return (
            *check(self.load.workloads, histories, readings),
            *self._guarded(fenced),
            *self._waited(histories, window),
            *self._took(),
            *looks,
        )

    def _guarded(self, fenced: Sequence[PowerEvent] | None) -> Iterator[Check]:
        """Judge who was open, and who was fenced."""
        scene, volume = self.scene, self.scene.volume
        if scene.goal.cluster.guarded:
            hosts = [server.name for server in scene.storage]
            yield from guard("both-open", volume.name, lambda: (
                check_openness(
                    volume.name, hosts, self.watch.samples, self.deaths.kills, planted=self.planted
                ),
            ))  # fmt: skip
        if scene.power is not None:
            yield from guard("fences", "cluster", lambda: (
                check_fences(fenced, self.permits.given),))  # fmt: skip

    def _waited(self, histories: tuple[History, ...], window: Window) -> Iterator[Check]:
        """Judge how long applications waited, and whether they went on."""
        stall = partial(check_stall, histories, window, self._predicted_s(), ALLOWANCE_S)
        yield from guard("stall", "application servers", lambda: (stall(),))
        went = partial(check_went_on, histories, window, self.healed_s or window.to_s)
        yield from guard("went-on", "application servers", lambda: (went(),))

    async def _healed(self) -> tuple[Check, ...]:
        self.lacking = self.lacking or await settle(self.scene, 60)
        async with asyncio.timeout(LOOK_S):
            return (await check_healed(self.scene, self.layers, self.lacking),)

    def _took(self) -> tuple[Check, ...]:
        verdict = Verdict.UNKNOWN if self.doubts else Verdict.VALID
        good = f"{self.injections} injected, each was seen to take"
        return (
            Check(
                name="faults", subject="drill", verdict=verdict,
                summary=self.doubts[0][:200] if self.doubts else good,
                details=tuple(self.doubts), numbers={"injections": self.injections},
            ),
        )  # fmt: skip

    def _spans(self) -> tuple[OpenSpan, ...]:
        return open_spans(self.watch.samples, self.deaths.kills)

    def _result(
        self, started: str, histories: tuple[History, ...], window: Window,
        checks: tuple[Check, ...],
    ) -> DrillRun:  # fmt: skip
        plan = self.plan
        return DrillRun(
            name=plan.name, explains=plan.explains, seed=plan.seed,
            schedule=tuple(word(group) for group in plan.groups), started=started,
            length_s=window.to_s - window.from_s, moments=tuple(self.scene.moments),
            open_spans=self._spans(), series=series(histories, window), checks=checks,
            injections=self.injections, predicted_stall_s=self._predicted_s(),
        )  # fmt: skip
