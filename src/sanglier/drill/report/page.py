"""A campaign as one HTML page: no script, nothing fetched, all text from hosts escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sanglier.drill.report.figures import (
    MUST_BE_ZERO,
    TITLES,
    Figure,
    Sum,
    Totals,
    exceeds,
    figure,
    headline,
    measured_stall_s,
    totals,
)
from sanglier.drill.report.markup import Markup, joined, number, tag
from sanglier.drill.report.section import Amount, Place, badge, section
from sanglier.drill.report.style import STYLE
from sanglier.drill.report.words import (
    clipped,
    counted,
    duration,
    line,
    quantity,
    seconds,
)
from sanglier.drill.result import Campaign, DrillRun, Verdict

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_ROOM = 2_800_000
"""Bytes that a page should not exceed, so that it opens at once and can be mailed."""
AMOUNTS = (
    Amount(evidence=8, trouble=60, stalls=100, narrow=True),
    Amount(evidence=2, trouble=30, stalls=10, narrow=False),
    Amount(evidence=0, trouble=10, stalls=3, narrow=False),
)
"""From most to least; a page shows the most that fits."""


def render(campaign: Campaign, *, histories: str = "") -> str:
    """Write the page; ``histories`` is the folder to look into when something failed."""
    pages = (_page(campaign, histories, amount) for amount in AMOUNTS)
    text = ""
    for text in pages:
        if len(text.encode()) <= _ROOM:
            break
    return text


def _page(campaign: Campaign, histories: str, amount: Amount) -> str:
    found = totals(campaign.runs)
    storage = tuple(sorted({s.host for run in campaign.runs for s in run.open_spans}))
    parts = [*_top(campaign, found), *_drills_table(campaign.runs), _how_to_read()]
    for n, run in enumerate(campaign.runs, start=1):
        place = Place(number=n, storage=storage, histories=histories, amount=amount)
        parts.append(section(run, place))
    title = f"{campaign.verdict}: drills on {line(campaign.cluster)}"
    return "<!DOCTYPE html>\n" + tag("html", _head(title), tag("body", *parts), lang="en") + "\n"


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(STYLE)),
    )


def _top(campaign: Campaign, found: Totals) -> Iterator[Markup]:
    yield tag("h1", f"Fault drills on {line(campaign.cluster)}")
    yield tag("p", f"Campaign {line(campaign.identity)}", class_="quiet")
    yield tag(
        "div",
        tag("strong", badge(campaign.verdict), " ", headline(campaign.runs)),
        _reasons(campaign.runs),
        class_=f"verdict {campaign.verdict}",
    )
    yield tag("h2", "What was run")
    yield _what_ran(campaign)
    yield tag("h2", "Totals")
    yield tag("dl", *_tiles(found), class_="totals")


def _reasons(runs: Sequence[DrillRun]) -> Markup | None:
    """List what failed and what could not be judged, each with a link to its drill."""
    reasons = [
        tag("li", tag("a", line(run.name), href=f"#drill-{n}"), f": {_reason(run)}")
        for verdict in (Verdict.INVALID, Verdict.UNKNOWN)
        for n, run in enumerate(runs, start=1)
        if run.verdict is verdict
    ]
    return tag("ul", *reasons) if reasons else None


def _reason(run: DrillRun) -> str:
    """Say in a line why a drill is not VALID."""
    told = [check for check in run.checks if check.verdict is run.verdict]
    if not told:
        return "not judged: no check was made"
    first = "not judged: " if run.verdict is Verdict.UNKNOWN else ""
    more = f" (and {counted(len(told) - 1, 'more check')})" if len(told) > 1 else ""
    return f"{first}{clipped(told[0].summary, 220)}{more}"


def _what_ran(campaign: Campaign) -> Markup:
    facts = {
        "Cluster": campaign.cluster,
        "Access": campaign.access,
        "Timings": campaign.timings,
        "Machine": campaign.machine,
        "Sanglier": campaign.version,
        "Started": campaign.runs[0].started if campaign.runs else "",
        "Under load": duration(sum(run.length_s for run in campaign.runs)),
    }
    pairs = (
        joined(tag("dt", key), tag("dd", line(value))) for key, value in facts.items() if value
    )
    return tag("dl", *pairs, class_="ran")


def _tiles(found: Totals) -> Iterator[Markup]:
    counts = " · ".join(f"{n} {verdict}" for verdict, n in found.verdicts)
    yield _tile("drills", quantity(found.drills), counts)
    yield _tile("fault injections", quantity(found.injections))
    for one in found.sums:
        yield _tile(TITLES[one.key], quantity(one.value), _coverage(one, found), bad=one.broken)
    if found.median_stall_s is not None:
        median = f"median of the drills {seconds(found.median_stall_s)}"
        yield _tile("longest stall", seconds(found.worst_stall_s), median)


def _coverage(one: Sum, found: Totals) -> str:
    if one.given_by == found.drills:
        return ""
    return f"checked in {one.given_by} of {found.drills} drills" if one.given_by else "not checked"


def _tile(title: str, value: str, note: str = "", *, bad: bool = False) -> Markup:
    small = tag("small", note) if note else None
    return tag("div", tag("dt", title), tag("dd", value, small), class_="bad" if bad else None)


_COLUMNS = (
    ("", "n"),
    ("drill", None),
    ("verdict", None),
    ("faults", "n"),
    ("longest stall", "n"),
    ("predicted at most", "n"),
    ("acknowledged", "n"),
    ("lost", "n"),
    ("stale reads", "n"),
    ("both open", "n"),
    ("wrong fences", "n"),
)


def _drills_table(runs: Sequence[DrillRun]) -> Iterator[Markup]:
    yield tag("h2", "Drills")
    if not runs:
        yield tag("p", "None was run.", class_="quiet")
        return
    heads = (tag("th", title, class_=kind, scope="col") for title, kind in _COLUMNS)
    rows = (_row(run, n) for n, run in enumerate(runs, start=1))
    yield tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="drills")


def _row(run: DrillRun, place: int) -> Markup:
    link = tag("a", line(run.name), href=f"#drill-{place}")
    keys = (Figure.ACKNOWLEDGED, *MUST_BE_ZERO)
    return tag(
        "tr",
        tag("td", str(place), class_="n place"),
        tag("td", link, class_="whole"),
        tag("td", badge(run.verdict), data_label="verdict"),
        tag("td", quantity(run.injections), class_="n", data_label="faults"),
        _stall_cell(run),
        tag("td", seconds(run.predicted_stall_s), class_="n", data_label="predicted at most"),
        *(_figure_cell(run, key) for key in keys),
    )


def _figure_cell(run: DrillRun, key: Figure) -> Markup:
    value = figure(run, key)
    bad = " bad" if key in MUST_BE_ZERO and value else ""
    label = {Figure.ACKNOWLEDGED: "acknowledged", Figure.LOST: "lost"}.get(key, TITLES[key])
    return tag("td", quantity(value), class_=f"n{bad}", data_label=label)


def _stall_cell(run: DrillRun) -> Markup:
    over = exceeds(run)
    shown = seconds(measured_stall_s(run))
    note = joined(tag("br"), tag("small", "over prediction")) if over else None
    inner = tag("span", shown, _meter(run), note)
    return tag("td", inner, class_="n over" if over else "n", data_label="longest stall")


def _meter(run: DrillRun) -> Markup | None:
    """Draw the measured stall as a bar; the tick, always at the same place, is the prediction."""
    predicted, measured = run.predicted_stall_s, measured_stall_s(run)
    if measured is None or predicted is None or not 0 < predicted < float("inf"):
        return None
    x = 40.0
    length = min(measured / predicted * x, 59.0)
    bar = tag("rect", x=0, y=3, width=length, height=6, class_="rate")
    tick = tag("path", d=f"M{number(x)} 0V12", class_="tick-mark")
    return tag("svg", bar, tick, class_="meter", width=60, height=12, aria_hidden="true")


def _how_to_read() -> Markup:
    return tag(
        "details",
        tag("summary", "What these words mean"),
        tag("p", "An acknowledged write is one whose server was told that it is on disk, and "
            "whose word reached us, outside the cluster. Lost means that it was not there "
            "afterwards. A write that was never acknowledged may be there or not."),
        tag("p", "A stall is a stretch of a second or more without an acknowledgement on one "
            "server. “Predicted at most” is what the cluster's own timeouts allow for these "
            "faults; in the table the bar is the measured stall, the tick the prediction."),
        tag("p", "INVALID: a check found something wrong. UNKNOWN: a check could not be made, so "
            "that nothing is claimed; it is never counted as passed. A dash is a figure that "
            "nothing measured; it is not 0."),
        tag("p", "Both open: both storage servers accepted writes to one volume at the same time, "
            "as seen by watching them from outside. A wrong fence is a server that was killed "
            "although no fault gave a reason."),
    )  # fmt: skip
