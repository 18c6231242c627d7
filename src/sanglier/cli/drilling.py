"""Run a campaign of drills: one after the other on one cluster, kept as it goes."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from sanglier.cli.lab_power import LabPower
from sanglier.cli.setting import Setting, open_setting
from sanglier.drill import store
from sanglier.drill.campaign import play_all
from sanglier.drill.engine import Engine
from sanglier.drill.plan import Plan
from sanglier.drill.recorder import Load
from sanglier.drill.report.summary import run_line
from sanglier.drill.result import Campaign, DrillRun, Moment
from sanglier.drill.scene import Scene
from sanglier.drill.schedule import Means
from sanglier.drill.store import Kept
from sanglier.drill.workloads import all_workloads
from sanglier.lab import life
from sanglier.lab.control import Lab
from sanglier.run.kept import in_force
from sanglier.run.ssh import SshTransport
from sanglier.spec.cluster import Volume

PATIENT = 24
"""Unanswered questions of a load's ssh: two minutes, so that a frozen host is not given up."""
LIMIT_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the drills are played."""

    setting: Setting
    lab: Lab | None
    console: Console
    load: float = 1.0
    """How much of the workloads' usual rate."""

    @property
    def means(self) -> Means:
        """What there is to make faults with."""
        given_s = self.setting.goal.cluster.timings.fence_s
        pauses = self.lab is not None and self.lab.driver.pauses
        return Means(power=self.lab is not None, fence_s=given_s, pauses=pauses)

    @property
    def machine(self) -> str:
        """What it runs on, in a few words."""
        where = "real servers"
        if self.lab is not None:
            where = f"lab of {self.lab.driver.title}, Debian {self.lab.record.release}"
        load = "" if self.load == 1 else f", {self.load:g} of the usual load"
        return f"{where}, {os.cpu_count()} processors, driven from {platform.release()}{load}"


def open_stage(
    file: Path, *, lab: str | None, load: float | None, allow: Sequence[str],
    ssh_config: Path | None, secrets: Path | None, console: Console,
) -> Stage:  # fmt: skip
    """Open the file on a lab, or on whatever ssh reaches."""
    found = life.find(lab) if lab else None
    if found is not None:
        ssh_config = ssh_config or Path(found.ssh_config)
        secrets = secrets or Path(found.secrets)
        load = load or found.driver.pace
    setting = open_setting(file, allow=allow, ssh_config=ssh_config, secrets=secrets)
    return Stage(setting=setting, lab=found, console=console, load=load or 1.0)


def identity(seed: int | None) -> str:
    """Name a campaign: its time, and its seed if it has one."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S")
    return now if seed is None else f"{now}-seed-{seed}"


async def campaign(stage: Stage, plans: Sequence[Plan], kept: Kept) -> Campaign:
    """Play every plan; the campaign is written before and after each: no end leaves nothing."""
    stage = await _as_in_force(stage)
    empty = _empty(stage, kept)

    async def one(plan: Plan, number: int) -> DrillRun:
        stage.console.print(f"[{number}/{len(plans)}] {plan.name}: {plan.explains}", style="bold")
        run = await play(stage, plan, kept, number)
        stage.console.print(run_line(run))
        return run

    def keep(runs: tuple[DrillRun, ...]) -> None:
        store.keep(kept, replace(empty, runs=runs))

    return replace(empty, runs=await play_all(plans, one, keep))


async def _as_in_force(stage: Stage) -> Stage:
    """Play with the numbers that the hosts have, whatever the order of the file."""
    setting = stage.setting
    async with setting.transport() as transport:
        goal = await in_force(setting.goal, transport)
    return replace(stage, setting=replace(setting, goal=goal))


async def play(stage: Stage, plan: Plan, kept: Kept, number: int) -> DrillRun:
    """Play one plan, with connections of its own.

    The load of each volume has one to each server: sshd takes ten sessions on one, MaxSessions.
    """
    setting, goal = stage.setting, stage.setting.goal
    control_way = SshTransport(config=setting.ssh_config)
    volume = goal.cluster.deciding_volume
    more = tuple(other for other in goal.cluster.volumes if other != volume)

    def say(moment: Moment) -> None:
        words = f"  {moment.at_s:6.1f} s  {moment.kind:<7} {moment.host:<10} {moment.text}"
        stage.console.print(words, style="dim", highlight=False)

    def folder(on: Volume) -> str:
        return f"{on.mount}/.sanglier-drill/{kept.identity}/{number}"

    scene = Scene(
        goal=goal, transport=control_way, volume=volume, more=more, say=say, folder=folder(volume),
        power=LabPower(lab=stage.lab) if stage.lab else None,
        programs=stage.lab.driver.programs if stage.lab else 1.0,
    )  # fmt: skip
    ways = [SshTransport(config=setting.ssh_config, silence=PATIENT) for _ in scene.volumes]
    keep = kept.histories / f"{number:03d}-{plan.name}"
    loads = [
        Load(
            transport=way, directory=folder(on), limit_s=LIMIT_S,
            workloads=all_workloads(1 + len(more), stage.load),
            keep=keep if on == volume else keep / on.name,
        )
        for way, on in zip(ways, scene.volumes, strict=True)
    ]  # fmt: skip
    try:
        engine = Engine(scene=scene, loads=loads, layers=setting.layers, plan=plan)
        return await engine.run()
    finally:
        for way in (*ways, control_way):
            with suppress(OSError):  # what the drill came to is worth more than a clean end
                await way.close()


def _empty(stage: Stage, kept: Kept) -> Campaign:
    cluster = stage.setting.goal.cluster
    return Campaign(
        identity=kept.identity, cluster=cluster.name, access=str(cluster.access),
        timings=cluster.timings.name, version=version("sanglier"), machine=stage.machine, runs=(),
    )  # fmt: skip
