"""``sanglier status``: every layer from mount to disk, in a few words per thing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass

import typer
from rich.console import Console
from rich.text import Text

from sanglier.cli.console import counted, make_console, show_problems, show_read_back
from sanglier.cli.exits import FAILED, OK, OUT_OF_REACH
from sanglier.cli.listing import Record, problem_record
from sanglier.cli.options import AsJson, ClusterFile, SecretsFile, SshConfig
from sanglier.cli.plan import read_hosts
from sanglier.cli.setting import open_setting
from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.core.plan import Plan
from sanglier.core.problem import Severity
from sanglier.layers.read_back import ReadBack, read_back
from sanglier.run.planning import plan_for
from sanglier.run.settled import told


def status(
    file: ClusterFile,
    as_json: AsJson = False,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Show the state of every layer on every host, from the mount down to the disk.

    Exit status: 0 all healthy and as declared, 1 something is not, 4 a host is
    out of reach.
    """
    setting = open_setting(file, allow=(), ssh_config=ssh_config, secrets=secrets)
    setting, facts = asyncio.run(read_hosts(setting))
    plan = plan_for(setting.layers, setting.goal, facts)
    lines = tuple(
        line for layer in reversed(setting.layers) for line in layer.status(setting.goal, facts)
    )
    look = Look(lines=lines, plan=plan, found=read_back(setting.goal, facts))
    if as_json:
        print(json.dumps(_record(setting.goal.cluster.name, look), indent=2))
    else:
        _show(make_console(), look)
    raise typer.Exit(_exit(look, facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What there is to tell of a cluster."""

    lines: tuple[StatusLine, ...]
    plan: Plan
    found: ReadBack

    @property
    def healthy(self) -> bool:
        """Whether every line is, nothing blocks or is left to do, and the timeouts are right."""
        steady = self.plan.empty and not self.plan.blockers and self.found.good
        return steady and all(line.healthy for line in self.lines)


def _exit(look: Look, facts: Facts) -> int:
    if facts.unreachable:
        return OUT_OF_REACH
    return OK if look.healthy else FAILED


def _record(cluster: str, look: Look) -> Record:
    lines, plan = look.lines, look.plan
    return {
        "cluster": cluster,
        "healthy": look.healthy,
        "steps_to_converge": len(plan.steps),
        "lines": [asdict(line) for line in lines],
        "problems": [problem_record(problem) for problem in plan.problems],
        "timeouts": asdict(told(look.found)),
    }


def _show(console: Console, look: Look) -> None:
    lines, plan = look.lines, look.plan
    hosts = max((len(line.host) for line in lines), default=0)
    subjects = max((len(line.subject) for line in lines), default=0)
    for layer in dict.fromkeys(line.layer for line in lines):
        console.print(Text(layer, style="bold"))
        for line in lines:
            if line.layer == layer:
                console.print(_line(line, hosts, subjects))
    show_problems(console, plan.problems)
    show_read_back(console, look.found)
    console.print(_verdict(look), style="bold")


def _line(line: StatusLine, hosts: int, subjects: int) -> Text:
    sign, style = ("✓", "green") if line.healthy else ("✗", "bold red")
    text = Text("  ")
    text.append(sign, style=style)
    text.append(f" {line.host:<{hosts}}  {line.subject:<{subjects}}  {line.text}")
    return text


def _verdict(look: Look) -> str:
    plan = look.plan
    sick = sum(not line.healthy for line in look.lines)
    words = [f"{counted(sick, 'thing')} not healthy"] if sick else []
    blockers = sum(p.severity is Severity.BLOCKER for p in plan.problems)
    words += [counted(blockers, "blocker")] if blockers else []
    if plan.steps:
        words.append(f"apply would take {counted(len(plan.steps), 'step')}")
    words += [] if look.found.good else ["timeouts in force are not as wanted"]
    return "; ".join(words) + "." if words else "All healthy, as declared."
