"""Judge a drill that was played: what was kept, who was open, who was fenced, how long it took."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sanglier.drill.checkers.fences import PowerEvent, check_fences
from sanglier.drill.checkers.guard import attempt, guard
from sanglier.drill.checkers.openness import Planted, check_openness
from sanglier.drill.checkers.stalls import Window, check_stall, check_went_on
from sanglier.drill.deaths import Deaths
from sanglier.drill.history import History
from sanglier.drill.inspect import inspect
from sanglier.drill.plan import Plan
from sanglier.drill.recorder import Load, check
from sanglier.drill.result import Check, Verdict
from sanglier.drill.scene import Scene
from sanglier.drill.schedule import Group
from sanglier.drill.settle import Lacking, check_healed, settle
from sanglier.drill.watch import Watch
from sanglier.drill.workloads.base import Reading
from sanglier.layers.base import StackLayer
from sanglier.spec.cluster import Timings, Volume
from sanglier.spec.predict import predict_one

ALLOWANCE_S = 3.0
"""Beyond the prediction: between two operations, and the way of their words to us."""
READ_S = 240
"""To read everything of a volume back on one server."""
LOOK_S = 300
"""Until all hosts have told what they are like."""
EITHER_SIDE = frozenset(
    {"open-server-dead", "open-server-frozen", "standby-server-dead", "daemon-killed"}
)
"""Predictions of which another volume, open on the other server, has the opposite one."""
ALL_ALIKE = frozenset(
    {
        "one-san-cut", "interconnect-cut", "application-dead", "application-frozen",
        "application-cut", "management-cut", "witness-dead", "clock-stepped",
    }
)  # fmt: skip
"""Predictions that are the same for every volume, wherever it is open."""


def predicted_s(
    timings: Timings, groups: Iterable[Group], *, main: bool = True, programs: float = 1.0
) -> float | None:
    """The worst of the faults; none when two strike together or one has no bound.

    The faults are aimed at the main volume; of any other one only so much is known.
    ``programs``: see ``predict.predict_one``.
    """
    worst = 0.0
    for group in groups:
        key = group[0].fault.prediction if len(group) == 1 else ""
        stall = (_stall_s if main else _stall_elsewhere_s)(timings, key, programs)
        if stall is None:
            return None
        worst = max(worst, stall)
    return worst


def _stall_s(timings: Timings, key: str, programs: float) -> float | None:
    return predict_one(timings, key, programs=programs).stall_s if key else None


def _stall_elsewhere_s(timings: Timings, key: str, programs: float) -> float | None:
    if key in EITHER_SIDE:
        return max(_stall_s(timings, one, programs) or 0.0 for one in EITHER_SIDE)
    return _stall_s(timings, key, programs) if key in ALL_ALIKE else None


def faults_taken(doubts: Sequence[str], injections: int) -> Check:
    """Say whether all that was to be done was, and could be seen."""
    verdict = Verdict.UNKNOWN if doubts else Verdict.VALID
    good = f"{injections} injected, each was seen to take"
    return Check(
        name="faults", subject="drill", verdict=verdict,
        summary=doubts[0][:200] if doubts else good,
        details=tuple(doubts), numbers={"injections": injections},
    )  # fmt: skip


Histories = tuple[tuple[History, ...], ...]
"""Of each volume, in the order of the loads."""


@dataclass(slots=True, kw_only=True)
class Judge:
    """What is known of a drill when it has been played."""

    scene: Scene
    loads: Sequence[Load]
    layers: Sequence[StackLayer]
    plan: Plan
    watch: Watch
    deaths: Deaths
    planted: Sequence[Planted]
    doubts: Sequence[str]
    injections: int
    healed_s: float | None
    """When the last healing was over, on the monotonic clock; ``None`` when it never was."""
    lacking: Lacking

    async def checks(self, histories: Histories, window: Window) -> tuple[Check, ...]:
        """Judge all that was seen; a drill that did not begin has nothing but its reason."""
        if not any(load.writers for load in self.loads):
            return self._taken()
        readings = [await self._read_back(load) for load in self.loads]
        looks: tuple[Check, ...] = ()
        if self.plan.inspect and not self.lacking:
            looks += await inspect(self.scene)
        looks += await attempt("healed", "cluster", self._healed)
        await self.deaths.reset_since()
        fenced = await self.deaths.fenced(window)
        return (
            *self._kept(histories, readings),
            *self._guarded(fenced),
            *self._waited(histories, window),
            *self._taken(),
            *looks,
        )

    async def _read_back(self, load: Load) -> list[Reading]:
        found: list[Reading] = []
        for app in self.scene.applications:
            found += await load.read_back(app, READ_S)
        return found

    def _taken(self) -> tuple[Check, ...]:
        return (faults_taken(self.doubts, self.injections),)

    def _kept(self, histories: Histories, readings: Sequence[Sequence[Reading]]) -> Iterator[Check]:
        """Judge what is on each volume."""
        each = zip(self.scene.volumes, self.loads, histories, readings, strict=True)
        for volume, load, mine, read in each:
            for found in check(load.workloads, mine, read):
                yield replace(found, subject=self._on(found.subject, volume))

    def _on(self, subject: str, volume: Volume) -> str:
        """Name a subject, with its volume where there are several."""
        return f"{subject} on {volume.name}" if len(self.loads) > 1 else subject

    def _guarded(self, fenced: Sequence[PowerEvent] | None) -> Iterator[Check]:
        """Judge who was open, and who was fenced."""
        scene = self.scene
        if scene.goal.cluster.guarded:
            for volume in scene.volumes:
                yield from guard("both-open", volume.name, partial(self._open, volume))
        if scene.power is not None:
            yield from guard("fences", "cluster", lambda: (
                check_fences(fenced, self.deaths.permits.given),))  # fmt: skip

    def _open(self, volume: Volume) -> tuple[Check, ...]:
        """Judge the sides of a volume; a fault opens those of the main one only."""
        hosts = [server.name for server in self.scene.storage]
        planted = self.planted if volume == self.scene.volume else ()
        samples, kills, healed_s = self.watch.samples, self.deaths.kills, self.healed_s
        until_s = None if healed_s is None else self.scene.clock.of_monotonic(healed_s)
        found = check_openness(volume.name, hosts, samples, kills, planted=planted, until_s=until_s)
        return (found,)

    def _waited(self, histories: Histories, window: Window) -> Iterator[Check]:
        """Judge how long applications waited, and whether they went on."""
        timings, since_s = self.scene.goal.cluster.timings, self.healed_s
        for volume, mine in zip(self.scene.volumes, histories, strict=True):
            subject = self._on("application servers", volume)
            main = volume == self.scene.volume
            bound_s = predicted_s(
                timings, self.plan.groups, main=main, programs=self.scene.programs
            )
            stall = partial(check_stall, mine, window, bound_s, ALLOWANCE_S)
            went = partial(check_went_on, mine, window, since_s)
            for name, judged in (("stall", stall), ("went-on", went)):
                yield from guard(name, subject, partial(_named, judged, subject))

    async def _healed(self) -> tuple[Check, ...]:
        lacking = self.lacking or await settle(self.scene, 60)
        async with asyncio.timeout(LOOK_S):
            return (await check_healed(self.scene, self.layers, lacking),)


def _named(judged: partial[Check], subject: str) -> tuple[Check, ...]:
    return (replace(judged(), subject=subject),)
