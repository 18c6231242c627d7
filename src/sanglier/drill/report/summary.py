"""A campaign on a terminal of 100 columns: a line per drill, and all about those that failed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.text import Text

from sanglier.drill.report.figures import (
    Figure,
    Totals,
    exceeds,
    figure,
    headline,
    measured_stall_s,
    totals,
)
from sanglier.drill.report.words import (
    MARKS,
    clipped,
    counted,
    line,
    quantity,
    replay_command,
    seconds,
)
from sanglier.drill.result import Campaign, Check, DrillRun, Verdict

WIDTH = 100
STYLES = {Verdict.VALID: "green", Verdict.INVALID: "bold red", Verdict.UNKNOWN: "yellow"}
_NAME = 28
_EVIDENCE = 12
"""Most lines of evidence per check; the page and the document have more."""
_COLUMNS = (
    ("faults", 6),
    ("stall", 9),
    ("predicted", 10),
    ("acknowledged", 13),
    ("lost", 6),
    ("stale", 6),
)


def summary_lines(campaign: Campaign, folder: Path) -> Iterator[Text]:
    """Show a campaign; ``folder`` is where it is kept."""
    about = (campaign.cluster, campaign.access, f"timings {campaign.timings}", campaign.machine)
    yield Text(clipped(" · ".join(word for word in about if word), WIDTH), style="dim")
    yield _header()
    for run in campaign.runs:
        yield run_line(run)
    for number, run in enumerate(campaign.runs, start=1):
        if run.verdict is not Verdict.VALID:
            yield Text()
            yield from trouble_lines(run, number, folder)
    yield Text()
    yield from _ending(campaign, folder)


def _header() -> Text:
    cells = "".join(f"{title:>{width}}" for title, width in _COLUMNS)
    return Text(f"  {'verdict':<10}{'drill':<{_NAME}}{cells}", style="dim")


def run_line(run: DrillRun) -> Text:
    """Show a drill in a line; also fit to be shown as soon as it has ended."""
    text = Text("  ")
    text.append(f"{MARKS[run.verdict]} {run.verdict:<8}", style=STYLES[run.verdict])
    text.append(f"{clipped(run.name, _NAME - 1):<{_NAME}}")
    lost, stale = figure(run, Figure.LOST), figure(run, Figure.STALE)
    cells = (
        (quantity(run.injections), ""),
        (seconds(measured_stall_s(run)), "yellow" if exceeds(run) else ""),
        (seconds(run.predicted_stall_s), ""),
        (quantity(figure(run, Figure.ACKNOWLEDGED)), ""),
        (quantity(lost), "bold red" if lost else ""),
        (quantity(stale), "bold red" if stale else ""),
    )
    for (cell, style), (_, width) in zip(cells, _COLUMNS, strict=True):
        text.append(f"{cell:>{width}}", style=style)
    return text


def trouble_lines(run: DrillRun, number: int, folder: Path) -> Iterator[Text]:
    """Show why a drill is not VALID, its evidence, and what to do."""
    title = Text(f"{MARKS[run.verdict]} {run.verdict}", style=STYLES[run.verdict])
    title.append(f"  {clipped(run.name, 60)} (drill {number})", style="default not bold")
    yield title
    yield from _wrapped(run.explains, "  ", style="dim")
    told = [check for check in run.checks if check.verdict is not Verdict.VALID]
    for check in sorted(told, key=lambda check: check.verdict is not Verdict.INVALID):
        yield from _check_lines(check)
    if not run.checks:
        yield from _wrapped("It could not be judged: no check was made.", "  ")
    yield from _what_to_do(run, folder)


def _check_lines(check: Check) -> Iterator[Text]:
    could_not = "could not be judged: " if check.verdict is Verdict.UNKNOWN else ""
    told = f"{check.name}, {check.subject}: {could_not}{check.summary}"
    yield from _wrapped(told, "  ", style=STYLES[check.verdict])
    for detail in check.details[:_EVIDENCE]:
        yield Text(f"      {clipped(detail, WIDTH - 6)}")
    left = len(check.details) - _EVIDENCE
    if left > 0:
        yield Text(f"      … {counted(left, 'more line')} on the page", style="dim")


def _what_to_do(run: DrillRun, folder: Path) -> Iterator[Text]:
    if run.verdict is Verdict.UNKNOWN:
        advice = "do:  mend what kept it from being judged, and run it again with"
    else:
        advice = "do:  look at the page and the histories, which are kept; run the same again with"
    yield Text(f"  {advice}")
    yield Text(f"         {replay_command(run)}", style="bold")
    yield Text(f"       histories: {line(str(folder / 'histories'))}")


def _wrapped(words: str, indent: str, style: str = "") -> Iterator[Text]:
    wrapped = textwrap.wrap(
        line(words), WIDTH, initial_indent=indent, subsequent_indent=indent + "  "
    )
    return (Text(one, style=style) for one in wrapped)


def _ending(campaign: Campaign, folder: Path) -> Iterator[Text]:
    found = totals(campaign.runs)
    verdict = campaign.verdict
    first, *rest = textwrap.wrap(
        f"{verdict}  {headline(campaign.runs)}", WIDTH - 2, subsequent_indent="  "
    )
    yield Text(f"{MARKS[verdict]} {first}", style=STYLES[verdict])
    yield from (Text(one, style=STYLES[verdict]) for one in rest)
    yield from _wrapped(_counts(found), "  ")
    yield from _wrapped(_kept(found), "  ")
    yield from _lined([("page", folder / "page.html"), ("json", folder / "campaign.json")])


def _counts(found: Totals) -> str:
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in found.verdicts if n) or "none"
    injected = counted(found.injections, "fault injection")
    longest = f"; longest stall {seconds(found.worst_stall_s)}" if found.stalls_s else ""
    return f"{counted(found.drills, 'drill')} ({verdicts}), {injected}{longest}"


def _kept(found: Totals) -> str:
    sums = [one.sentence for one in found.sums if one.given_by]
    absent = [one.key.replace("_", " ") for one in found.sums if not one.given_by]
    told = ", ".join(sums)
    return f"{told}; not checked: {', '.join(absent)}" if absent and told else told


def _lined(places: Sequence[tuple[str, Path]]) -> Iterable[Text]:
    return (Text(f"  {name}: {line(str(path))}") for name, path in places)
