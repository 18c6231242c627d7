"""``sanglier timings``: every timeout, the inequalities that they keep, what faults come to."""

from __future__ import annotations

import asyncio
import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from sanglier.cli.console import counted, make_console, show_problems
from sanglier.cli.exits import FAILED, OK, OUT_OF_REACH
from sanglier.cli.listing import Record, problem_record
from sanglier.cli.options import AsJson, ClusterFile, SecretsFile, SshConfig
from sanglier.cli.plan import read_hosts
from sanglier.cli.setting import open_setting
from sanglier.core.facts import Facts
from sanglier.core.runtime_value import RuntimeValue
from sanglier.layers.read_back import ReadBack, read_back
from sanglier.spec.budget import Inequality, Kind, inequalities, self_fence_s
from sanglier.spec.cluster import Cluster, Timings
from sanglier.spec.load import load
from sanglier.spec.predict import Prediction, predict

WIDTH = 100
_FAULT = 20
_WAITS = _FAULT + 11
"""Column of the waits that a stall is made of."""
Row = tuple[str, str]
"""Name and value; a name is that of the tool's own option where it has one."""


def timings(
    file: ClusterFile,
    as_json: AsJson = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Read the values in force from the hosts and compare them."),
    ] = False,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Show the timeouts of all layers, their inequalities, and the longest stall per fault.

    Contacts nothing without --check. Exit status: 0 when every inequality holds and, with
    --check, every value in force is the wanted one; 1 otherwise; 4 a host is out of reach.
    """
    if check:
        setting = open_setting(file, allow=(), ssh_config=ssh_config, secrets=secrets)
        setting, facts = asyncio.run(read_hosts(setting))
        cluster = setting.goal.cluster
        found = read_back(setting.goal, facts)
    else:
        cluster, facts, found = load(file), Facts(), ReadBack(values=(), broken=())
    if as_json:
        print(json.dumps(_record(cluster, found if check else None), indent=2))
    else:
        _show(make_console(), cluster)
        if check:
            _show_check(make_console(), found, facts)
    raise typer.Exit(_exit(inequalities(cluster.timings), found, facts))


def _exit(budget: Iterable[Inequality], found: ReadBack, facts: Facts) -> int:
    if facts.unreachable:
        return OUT_OF_REACH
    broken = any(i.kind is Kind.HARD and not i.holds for i in budget)
    return FAILED if broken or not found.good or found.absent else OK


def _record(cluster: Cluster, read: ReadBack | None) -> Record:
    found: Record = {
        "cluster": cluster.name,
        "access": str(cluster.access),
        "timings": asdict(cluster.timings),
        "inequalities": [asdict(i) for i in inequalities(cluster.timings)],
        "predictions": [_prediction(p) for p in predict(cluster.timings)],
    }
    if read is not None:
        found["runtime"] = [{**asdict(value), "differs": value.differs} for value in read.values]
        found["broken_in_force"] = [asdict(inequality) for inequality in read.broken]
        found["open_by_hand"] = [problem_record(problem) for problem in read.opened]
    return found


def _prediction(prediction: Prediction) -> Record:
    waits = [{"wait": name, "seconds": seconds} for name, seconds in prediction.made_of]
    return {**asdict(prediction), "made_of": waits}


def rows(t: Timings) -> dict[str, tuple[Row, ...]]:
    """Give every timeout by layer, in seconds, in the order of the stack."""
    return {
        "drbd": (
            ("ping-int", _s(t.drbd_ping_int_s)),
            ("ping-timeout", _s(t.drbd_ping_timeout_ds / 10)),
            ("timeout", _s(t.drbd_timeout_ds / 10)),
            ("ko-count", str(t.drbd_ko_count)),
            ("connect-int", _s(t.drbd_connect_int_s)),
        ),
        "corosync": (
            ("token", _s(t.corosync_token_ms / 1000)),
            ("consensus", _s(t.corosync_consensus_ms / 1000)),
            ("qdevice timeout", _s(t.qdevice_timeout_ms / 1000)),
            ("qdevice sync_timeout", _s(t.qdevice_sync_timeout_ms / 1000)),
        ),
        "fencing": (
            ("confirmed within", _s(t.fence_s) + " (assumed: measure it)"),
            ("turns", str(t.fence_turns)),
            ("standby side holds its fire", _s(t.fence_hold_s)),
        ),
        "iscsi": (
            ("NOP interval", _s(t.noop_interval_s)),
            ("NOP timeout", _s(t.noop_timeout_s)),
            ("recovery", _s(t.recovery_s)),
            ("abort", _s(t.abort_timeout_s)),
            ("reset", _s(t.reset_timeout_s)),
        ),
        "scsi": (("command timeout", _s(t.sd_timeout_s)),),
        "multipath": (
            ("polling_interval", _s(t.polling_s)),
            ("checker_timeout", _s(t.checker_timeout_s)),
            ("no_path_retry", "queue"),
        ),
        "o2cb": (
            ("threshold", f"{t.o2cb_threshold} (resets itself after {_s(self_fence_s(t))})"),
            ("idle", _s(t.o2cb_idle_ms / 1000)),
            ("keepalive", _s(t.o2cb_keepalive_ms / 1000)),
            ("reconnect", _s(t.o2cb_reconnect_ms / 1000)),
        ),
    }


def _s(seconds: float) -> str:
    return f"{seconds:g} s"


def _show(console: Console, cluster: Cluster) -> None:
    t = cluster.timings
    console.print(Text(f"Timeouts of {cluster.name}: {t.name}", style="bold"))
    for layer, values in rows(t).items():
        console.print(f"  {layer:<10} " + ", ".join(f"{name} {value}" for name, value in values))
    console.print()
    console.print(Text("Inequalities, in seconds", style="bold"))
    for line in inequality_lines(inequalities(t)):
        console.print(line)
    console.print()
    console.print(Text("Longest stall of a write, predicted, in seconds", style="bold"))
    if not cluster.guarded:
        console.print("  (of `access: guarded`; with `access: article` nothing fails over)")
    for row in prediction_lines(predict(t)):
        console.print(row)


def inequality_lines(budget: Iterable[Inequality]) -> Iterator[Text]:
    """Show each inequality with both sides and its margin; why, where it fails."""
    yield Text(f"  {'':<11} {'left':>6}   {'right':>6}  {'margin':>6}", style="dim")
    for found in budget:
        sign, style = _sign(found)
        text = Text("  ")
        text.append(sign, style=style)
        text.append(f" {found.code:<3} {found.kind:<4}  {_sides(found)}  {found.text}")
        yield text
        if not found.holds:
            yield from _indented(found.why, 38)


def _sign(found: Inequality) -> tuple[str, str]:
    if found.holds:
        return "✓", "green"
    return ("✗", "bold red") if found.kind is Kind.HARD else ("!", "yellow")


def _sides(found: Inequality) -> str:
    if found.left_s is None or found.right_s is None or found.margin_s is None:
        return f"{'by construction':>24}"
    mark = "<=" if "<=" in found.text else "< "
    return f"{found.left_s:>6g} {mark}{found.right_s:>7g} {found.margin_s:>7g}"


def prediction_lines(predictions: Iterable[Prediction]) -> Iterator[Text]:
    """Show each fault with its stall, the waits of which it is made, and a sentence."""
    for found in predictions:
        stall = "no end" if found.stall_s is None else f"{found.stall_s:g}"
        waits = " + ".join(f"{name} {seconds:g}" for name, seconds in found.made_of)
        first, *rest = textwrap.wrap(f"{waits}." if waits else found.text, WIDTH - _WAITS)
        yield Text(f"  {found.fault:<{_FAULT}}{stall:>7}  {first}")
        yield from (Text(" " * _WAITS + line) for line in rest)
        if waits:
            yield from _indented(found.text, _WAITS)


def _indented(words: str, width: int) -> Iterator[Text]:
    for line in textwrap.wrap(words, WIDTH - width):
        yield Text(" " * width + line, style="dim")


def _show_check(console: Console, found: ReadBack, facts: Facts) -> None:
    console.print()
    console.print(Text("In force on the hosts", style="bold"))
    failing = inequality_lines(found.broken) if found.broken else ()
    for line in (*check_lines(found.values), *failing):
        console.print(line)
    if found.values:
        console.print(f"  {found.sentence}")
    show_problems(console, (*found.opened, *facts.unreachable.values()))


def check_lines(values: tuple[RuntimeValue, ...]) -> Iterator[Text]:
    """Show a line per host and layer, and one for each value that differs."""
    for host, layer in dict.fromkeys((value.host, value.layer) for value in values):
        mine = [v for v in values if (v.host, v.layer) == (host, layer)]
        wrong = [v for v in mine if v.differs]
        text = Text("  ")
        text.append("✗" if wrong else "✓", style="bold red" if wrong else "green")
        told = f"{len(wrong)} of {len(mine)} differ" if wrong else counted(len(mine), "value")
        yield text.append(f" {host:<12} {layer:<10} {told}")
        for value in wrong:
            actual = "nothing" if value.actual is None else value.actual
            yield Text(f"      {value.name}: wanted {value.wanted}, in force {actual}")
