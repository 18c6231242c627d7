"""``sanglier log``: the last runs, and one of them in detail."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from sanglier.cli.console import make_console
from sanglier.cli.options import AsJson
from sanglier.core.errors import SanglierError
from sanglier.core.events import Outcome, StepEnded
from sanglier.run.codes import Code
from sanglier.run.journal import Past, journal_root, past_runs, read_run
from sanglier.spec.load import load

_LINES_SHOWN = 12


def log(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE|RUN]", help="A cluster's file, or a run (as listed, or a journal)."
        ),
    ] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", metavar="NAME")] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1)] = 10,
    as_json: AsJson = False,
) -> None:
    """List the last runs (the newest last), or show one run in detail."""
    root = journal_root(os.environ)
    if what is not None and _is_run(what, root):
        _show_run(make_console(), _find(what, root), as_json)
        return
    runs = past_runs(root, load(Path(what)).name if what else cluster)[-last:]
    if as_json:
        print(json.dumps([_record(run) for run in runs], indent=2))
        return
    _list(make_console(), runs, root)


def _is_run(what: str, root: Path) -> bool:
    return not what.endswith((".yaml", ".yml"))


def _find(what: str, root: Path) -> Past:
    """Find a run by path, by name, or by the beginning of its name."""
    if Path(what).is_file():
        return read_run(Path(what))
    found = [run for run in past_runs(root) if run.name.startswith(what)]
    if len(found) == 1:
        return found[0]
    raise SanglierError(
        code=Code.JOURNAL_ABSENT,
        subject=what,
        what="no run has this name" if not found else f"{len(found)} runs begin with this",
        fix="`sanglier log` lists the runs by name",
    )


def _outcome(run: Past) -> str:
    if not run.ended:
        return "did not finish"
    code = str(run.ended.get("code", ""))
    return "ok" if not code else f"stopped: {code}"


def _record(run: Past) -> dict[str, object]:
    started, ended = run.started, run.ended
    return {
        "run": run.name,
        "cluster": run.cluster,
        "verb": started.get("verb"),
        "at": started.get("at"),
        "steps": started.get("steps"),
        "done": ended.get("done"),
        "failed": ended.get("failed"),
        "skipped": ended.get("skipped"),
        "seconds": ended.get("seconds"),
        "outcome": _outcome(run),
        "journal": str(run.path),
    }


def _list(console: Console, runs: Iterable[Past], root: Path) -> None:
    rows = [_record(run) for run in runs]
    if not rows:
        console.print(f"no runs yet in {root}")
    for row in rows:
        console.print(_row(row))


def _row(row: Mapping[str, object]) -> Text:
    seconds = row["seconds"]
    took = f"{seconds:.1f} s" if isinstance(seconds, float) else "-"
    style = {"ok": "green", "did not finish": "bold yellow"}.get(str(row["outcome"]), "red")
    text = Text(f"{row['run']}  {row['cluster']}  {row['steps']} steps  {took}  ")
    return text.append(str(row["outcome"]), style=style)


def _show_run(console: Console, run: Past, as_json: bool) -> None:
    if as_json:
        print(json.dumps([dict(event) for event in run.events], indent=2))
        return
    console.print(_row(_record(run)))
    ends = [event for event in run.events if event.get("event") == StepEnded.__name__]
    for event in ends:
        if event.get("outcome") != Outcome.SKIPPED:
            _show_step(console, event)
    _show_skipped(console, [e for e in ends if e.get("outcome") == Outcome.SKIPPED])


def _show_step(console: Console, event: Mapping[str, object]) -> None:
    seconds = event.get("seconds")
    took = f"{seconds:.1f} s" if isinstance(seconds, float) else ""
    at = str(event.get("at"))[11:23]
    words = f"{at}  {event.get('address')}  {event.get('summary')}"
    console.print(f"{words}: {event.get('outcome')} {took}")
    if event.get("outcome") == Outcome.DONE:
        return
    if event.get("because"):
        console.print(f"    because {event['because']}", style="dim")
    for line in str(event.get("output", "")).splitlines()[-_LINES_SHOWN:]:
        console.print(f"    | {line}", style="dim")


def _show_skipped(console: Console, events: Iterable[Mapping[str, object]]) -> None:
    causes: dict[str, list[str]] = {}
    for event in events:
        step = f"    {event.get('address')}  {event.get('summary')}"
        causes.setdefault(str(event.get("because")), []).append(step)
    for because, steps in causes.items():
        console.print(f"skipped, because {because}:")
        console.print("\n".join(steps), style="dim")
