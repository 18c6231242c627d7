"""``sanglier drill``: break the cluster on purpose, and count what was kept."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sanglier.cli.console import make_console
from sanglier.cli.drilling import Stage, campaign, identity, open_stage
from sanglier.cli.exits import FAILED, OK
from sanglier.cli.options import Allow, ClusterFile, SecretsFile, SshConfig
from sanglier.core.errors import SanglierError
from sanglier.drill import schedule, store
from sanglier.drill.catalogue import DRILLS
from sanglier.drill.plan import Plan
from sanglier.drill.report.summary import summary_lines
from sanglier.drill.result import Verdict
from sanglier.drill.scene import without_power
from sanglier.drill.schedule import Group
from sanglier.drill.settle import PATIENCE_S
from sanglier.drill.workloads import LEAST_LOAD

app = typer.Typer(no_args_is_help=True)

LabName = Annotated[
    str | None,
    typer.Option("--lab", metavar="NAME", help="Play on this lab, with power over its hosts."),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Do not unmount at the end to look at both legs.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="S", help="The same seed: the same.")]
Rounds = Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="Number of drills.")]
Size = Annotated[int, typer.Option("--faults", metavar="N", min=1, help="Faults in each drill.")]
Patience = Annotated[
    int,
    typer.Option(
        "--patience",
        metavar="SECONDS",
        min=1,
        help="How long the cluster may take to become whole by itself after each healing.",
    ),
]


def _share(load: float | None) -> float | None:
    """Take it within its limits, which a "nan" passes elsewhere."""
    if load is not None and not LEAST_LOAD <= load <= 1:
        raise typer.BadParameter(f"{load:g} is not from {LEAST_LOAD:g} to 1")
    return load


Share = Annotated[
    float | None,
    typer.Option(
        "--load",
        metavar="SHARE",
        callback=_share,
        help="How much of the workloads' usual rate, 0.05 to 1; else what the lab bears: "
        "all, or 0.05 where its hosts are emulated.",
    ),
]
MOST_SEED = 10**6
PATIENCE = int(PATIENCE_S)


@app.command("list")
def list_() -> None:
    """List the drills, and the campaigns that are kept."""
    console = make_console()
    for drill in DRILLS.values():
        where = "lab" if drill.needs_power else "any"
        must = f" (must not pass: {', '.join(drill.planted)})" if drill.planted else ""
        console.print(f"  {drill.name:<28} {where:<4} {drill.explains}{must}", highlight=False)
    kept = store.campaigns(store.drills_root(os.environ))
    console.print(f"\n{len(kept)} campaigns kept in {store.drills_root(os.environ)}")
    for one in kept[:10]:
        console.print(f"  {one.identity}  {store.read(one).verdict}", highlight=False)


@app.command()
def run(
    file: ClusterFile,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names of drills.")],
    lab: LabName = None,
    quick: Quick = False,
    patience: Patience = PATIENCE,
    load: Share = None,
    allow: Allow = None,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Play drills by name; exit status 0 when every verdict is VALID, else 1."""
    stage = _stage(file, lab, load, allow, ssh_config, secrets)
    plans = [_named(name, quick, patience) for name in names]
    _play(stage, plans, None)


@app.command("all")
def all_(
    file: ClusterFile,
    lab: LabName = None,
    quick: Quick = False,
    patience: Patience = PATIENCE,
    load: Share = None,
    allow: Allow = None,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Play every drill that can be played there, but those that must not pass."""
    stage = _stage(file, lab, load, allow, ssh_config, secrets)
    names = [
        drill.name
        for drill in DRILLS.values()
        if all(map(stage.means.make, drill.faults)) and not drill.planted
    ]
    _play(stage, [_named(name, quick, patience) for name in names], None)


@app.command("random")
def random_(
    file: ClusterFile,
    seed: Seed = None,
    rounds: Rounds = 1,
    faults: Size = 5,
    lab: LabName = None,
    quick: Quick = False,
    patience: Patience = PATIENCE,
    load: Share = None,
    allow: Allow = None,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Play schedules drawn from a seed; a failing seed is worth keeping."""
    stage = _stage(file, lab, load, allow, ssh_config, secrets)
    chosen = random.SystemRandom().randrange(MOST_SEED) if seed is None else seed
    drawn = schedule.draw(chosen, rounds, faults, stage.means)
    plans = [
        _plan(f"random {number}", groups, chosen, quick, patience)
        for number, groups in enumerate(drawn, start=1)
    ]
    _play(stage, plans, chosen)


@app.command()
def replay(
    file: ClusterFile,
    words: Annotated[
        list[str],
        typer.Argument(metavar="SEED|WORD...", help="A kept seed, or faults as a report has them."),
    ],
    seed: Seed = None,
    lab: LabName = None,
    quick: Quick = False,
    patience: Patience = PATIENCE,
    load: Share = None,
    allow: Allow = None,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Play the faults of a kept seed, or those given, again and in the same order."""
    drawn = {"replay": words}
    if len(words) == 1 and words[0].isdecimal():
        seed = int(words[0])
        kept = store.of_seed(store.drills_root(os.environ), seed)
        drawn = {f"{run.name}, again": list(run.schedule) for run in kept}
    plans = [
        _plan(name, tuple(schedule.parse(word) for word in one), seed, quick, patience)
        for name, one in drawn.items()
    ]
    _play(_stage(file, lab, load, allow, ssh_config, secrets), plans, seed)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="[CAMPAIGN]")] = store.LAST,
) -> None:
    """Show a kept campaign; its page for people is named at the end."""
    kept = store.find(store.drills_root(os.environ), name)
    console = make_console()
    for line in summary_lines(store.read(kept), kept.folder):
        console.print(line)


def _stage(
    file: Path, lab: str | None, load: float | None, allow: list[str] | None,
    ssh_config: Path | None, secrets: Path | None,
) -> Stage:  # fmt: skip
    return open_stage(
        file, lab=lab, load=load, allow=allow or (), ssh_config=ssh_config, secrets=secrets,
        console=make_console(),
    )  # fmt: skip


def _named(name: str, quick: bool, patience: int) -> Plan:
    if name not in DRILLS:
        raise SanglierError(
            code="SG-DRILL-002",
            subject=name,
            what="there is no drill of that name",
            fix="`sanglier drill list` names them",
        )
    drill = DRILLS[name]
    return Plan(
        name=drill.name, explains=drill.explains, groups=drill.groups, inspect=not quick,
        patience_s=patience,
    )  # fmt: skip


def _plan(
    name: str, groups: tuple[Group, ...], seed: int | None, quick: bool, patience: int
) -> Plan:
    told = ", then ".join(schedule.word(group) for group in groups)
    return Plan(
        name=name, explains=told, groups=groups, seed=seed, inspect=not quick,
        patience_s=patience,
    )  # fmt: skip


def _play(stage: Stage, plans: Sequence[Plan], seed: int | None) -> None:
    _must_be_possible(stage, plans)
    kept = store.begin(store.drills_root(os.environ), identity(seed))
    result = asyncio.run(campaign(stage, plans, kept))
    for line in summary_lines(result, kept.folder):
        stage.console.print(line)
    raise typer.Exit(OK if result.verdict is Verdict.VALID else FAILED)


def _must_be_possible(stage: Stage, plans: Sequence[Plan]) -> None:
    """Refuse before anything begins what cannot be made; raises SG-DRILL-011, 016 or 017."""
    items = [item for plan in plans for group in plan.groups for item in group]
    needing = [str(item) for item in items if item.fault.needs_power]
    if needing and not stage.means.power:
        raise without_power(", ".join(dict.fromkeys(needing)))
    for item in items:
        if error := stage.means.refusal(item.fault, str(item)):
            raise error
