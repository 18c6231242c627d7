"""``sanglier plan``: what would be done, why, and what it risks; changes nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from sanglier.cli.console import make_console, show_plan
from sanglier.cli.exits import OK, OUT_OF_REACH, REFUSED
from sanglier.cli.listing import plan_record, script_lines
from sanglier.cli.options import Allow, AsJson, ClusterFile, SecretsFile, SshConfig
from sanglier.cli.setting import Setting, open_setting
from sanglier.core.events import unheard
from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.run.kept import gather_kept
from sanglier.run.planning import plan_for


def plan(
    file: ClusterFile,
    as_json: AsJson = False,
    script: Annotated[
        bool, typer.Option("--script", help="Print the shell that the plan stands for.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what differs in files.")
    ] = False,
    allow: Allow = None,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
    record: Annotated[Path | None, typer.Option("--record", metavar="DIR", hidden=True)] = None,
) -> None:
    """Show every step that apply would take, and change nothing.

    Exit status: 0 when the plan could be applied (or is empty), 3 when a blocker
    or a missing consent stands against it, 4 when a host is out of reach.
    """
    setting = open_setting(file, allow=allow or (), ssh_config=ssh_config, secrets=secrets)
    setting, facts = asyncio.run(read_hosts(setting, record))
    found = plan_for(setting.layers, setting.goal, facts)
    if as_json:
        print(json.dumps(plan_record(setting.goal.cluster.name, found), indent=2))
    elif script:
        print("\n".join(script_lines(found)))
    else:
        show(setting, found, verbose=verbose)
    raise typer.Exit(plan_status(found, facts))


async def read_hosts(setting: Setting, record: Path | None = None) -> tuple[Setting, Facts]:
    """Read everything from all hosts; gives the setting with the numbers in force there too."""
    async with setting.transport() as transport:
        goal, facts = await gather_kept(
            setting.goal, setting.layers, transport, sink=unheard, record=record
        )
    return replace(setting, goal=goal), facts


def plan_status(found: Plan, facts: Facts) -> int:
    """Give the exit status of a plan."""
    if facts.unreachable:
        return OUT_OF_REACH
    return REFUSED if found.blockers or found.missing_consents else OK


def nothing_to_do(setting: Setting) -> str:
    """Say that the cluster is as declared."""
    cluster = setting.goal.cluster
    hosts, volumes = len(cluster.hosts), len(cluster.volumes)
    words = f"{volumes} volume{'' if volumes == 1 else 's'} as declared"
    return f"Nothing to do: {hosts} host{'' if hosts == 1 else 's'}, {words}."


def show(setting: Setting, found: Plan, *, verbose: bool) -> None:
    """Show the plan for people."""
    console = make_console()
    if setting.secrets_missing:
        console.print(
            f"note: {setting.secrets_file} is missing or not complete; apply generates the "
            "missing secrets"
        )
    show_plan(console, found, verbose=verbose)
    if found.empty and not found.blockers:
        console.print(nothing_to_do(setting))
