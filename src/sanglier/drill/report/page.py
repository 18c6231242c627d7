"""A campaign as one HTML page: no script, nothing fetched, all text from hosts escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sanglier.drill.report.figures import (
    MUST_BE_ZERO,
    TITLES,
    Figure,
    Sum,
    Totals,
    figure,
    headline,
    totals,
)
from sanglier.drill.report.markup import Markup, joined, number, tag
from sanglier.drill.report.style import STYLE
from sanglier.drill.report.timeline import NARROW, WIDE, both_open, timeline
from sanglier.drill.report.words import (
    MARKS,
    clipped,
    counted,
    duration,
    exceeds,
    line,
    quantity,
    replay_command,
    seconds,
)
from sanglier.drill.result import Campaign, Check, DrillRun, Moment, MomentKind, Verdict

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_WORST_FIRST = (Verdict.INVALID, Verdict.UNKNOWN, Verdict.VALID)
_EVIDENCE_WIDTH = 300
_MOMENTS = 150
_CHECKS = 200
_ROOM = 2_800_000
"""Bytes that a page should not exceed, so that it opens at once and can be mailed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much of each drill the page shows; the document always has all of it."""

    evidence: int
    """Most lines per check that is VALID."""
    trouble: int
    """Most lines per check that is not."""
    stalls: int
    """Most lengths listed per drill; the picture shows all."""
    narrow: bool
    """Whether a drill that is VALID has a second picture, for a telephone."""


AMOUNTS = (
    Amount(evidence=8, trouble=60, stalls=100, narrow=True),
    Amount(evidence=2, trouble=30, stalls=10, narrow=False),
    Amount(evidence=0, trouble=10, stalls=3, narrow=False),
)
"""From most to least; a page shows the most that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a drill's section has to know of its campaign."""

    number: int
    storage: tuple[str, ...]
    """Storage servers seen in any drill of the campaign."""
    histories: str
    amount: Amount

    @property
    def anchor(self) -> str:
        """Where the section is on the page."""
        return f"drill-{self.number}"


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
        parts.append(_section(run, place))
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


def badge(verdict: Verdict) -> Markup:
    """Show a verdict by a mark, a word and a colour."""
    return tag("span", f"{MARKS[verdict]} {verdict}", class_=f"badge {verdict}")


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
    shown = seconds(run.stall_s) if run.series else seconds(None)
    note = joined(tag("br"), tag("small", "over prediction")) if over else None
    inner = tag("span", shown, _meter(run), note)
    return tag("td", inner, class_="n over" if over else "n", data_label="longest stall")


def _meter(run: DrillRun) -> Markup | None:
    """Draw the measured stall as a bar; the tick, always at the same place, is the prediction."""
    predicted = run.predicted_stall_s
    if not run.series or not predicted or not 0 < predicted < float("inf"):
        return None
    x = 40.0
    length = min(run.stall_s / predicted * x, 59.0)
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


def _section(run: DrillRun, place: Place) -> Markup:
    heading = tag("h3", f"{place.number}. {line(run.name)}", id=place.anchor)
    return tag(
        "section",
        tag("div", heading, badge(run.verdict), class_="title"),
        tag("p", line(run.explains)),
        tag("p", _facts(run), class_="quiet"),
        _figure(run, place),
        _moments(run, place.amount),
        tag("h4", "Checks"),
        _checks(run, place.amount),
        *_again(run, place),
    )


def _facts(run: DrillRun) -> str:
    predicted = run.predicted_stall_s
    against = "no prediction" if predicted is None else f"predicted at most {seconds(predicted)}"
    stall = f"longest stall {seconds(run.stall_s)} ({against})" if run.series else "no load"
    parts = [
        f"Started {line(run.started)}",
        f"{seconds(run.length_s)} under load",
        counted(run.injections, "fault") + " injected",
        stall,
    ]
    return " · ".join(parts)


def _figure(run: DrillRun, place: Place) -> Markup:
    """Draw the picture twice; the style shows the one that fits the reader's window."""
    key = f"t{place.number}"
    wide = timeline(run, width=WIDE, key=f"{key}w", storage=place.storage)
    if run.verdict is Verdict.VALID and not place.amount.narrow:
        return tag("figure", tag("div", wide, class_="only"), _key(run))
    narrow = timeline(run, width=NARROW, key=f"{key}n", storage=place.storage)
    return tag("figure", wide, narrow, _key(run))


def _key(run: DrillRun) -> Markup:
    """Explain the marks of a picture below it."""
    kinds = {moment.kind for moment in run.moments}
    spans = run.open_spans
    volumes = {span.volume for span in spans}
    both = any(both_open([s for s in spans if s.volume == volume]) for volume in volumes)
    entries = (
        (_swatch("fault", "M0 1H22V11H0Z"), "fault, until healed", MomentKind.FAULT in kinds),
        (_swatch("fenced", "M11 0L17 6L11 12L5 6Z"), "fenced", MomentKind.FENCED in kinds),
        (_swatch("note", "M8 3H14V9H8Z"), "note", MomentKind.NOTE in kinds),
        (_swatch("open", "M0 1H22V11H0Z"), "side open", bool(spans)),
        (_hatched("both"), "both sides open", both),
        (_swatch("rate", "M0 12V6H8V2H14V8H22V12Z"), "acknowledged writes/s", bool(run.series)),
        (_hatched("stall"), "stall of 1 s or more, with its length", bool(run.series)),
    )
    shown = (tag("span", swatch, words) for swatch, words, there in entries if there)
    return tag("figcaption", *shown, class_="key")


def _swatch(class_: str, path: str) -> Markup:
    mark = tag("path", d=path, class_=class_)
    return tag("svg", mark, class_="swatch", viewBox="0 0 22 12", aria_hidden="true")


def _hatched(class_: str) -> Markup:
    down = "M0 2L10 12M4 0L16 12M10 0L22 12M16 0L22 6" if class_ == "both" else ""
    path = f"M0 6L6 0M0 12L12 0M6 12L18 0M12 12L22 2M18 12L22 8{down}"
    lines = tag("path", d=path, class_=f"hatch-{class_}")
    box = tag("path", d="M.5.5H21.5V11.5H.5Z", class_=class_, fill="none")
    return tag("svg", lines, box, class_="swatch", viewBox="0 0 22 12", aria_hidden="true")


def _moments(run: DrillRun, amount: Amount) -> Markup:
    """Fold the exact seconds of everything that the picture shows."""
    moments = sorted(run.moments, key=lambda moment: moment.at_s)
    rows = [_moment_row(moment) for moment in moments[:_MOMENTS]]
    stalls = [s for series in run.series for s in series.stalls]
    items = [
        tag("li", f"{s.server}: {seconds(s.length_s)}, from {seconds(s.from_s)} "
            f"to {seconds(s.to_s)}")
        for s in sorted(stalls, key=lambda s: -s.length_s)[: amount.stalls]
    ]  # fmt: skip
    left = len(moments) - len(rows)
    return tag(
        "details",
        tag("summary", "What happened, in seconds"),
        tag("table", tag("tbody", *rows)) if rows else None,
        tag("p", f"{left} more in campaign.json", class_="quiet") if left else None,
        tag("h4", _stalls_title(len(items), len(stalls))) if items else None,
        tag("ul", *items) if items else None,
    )


def _stalls_title(shown: int, there: int) -> str:
    return "Stalls, longest first" if shown == there else f"The {shown} longest of {there} stalls"


def _moment_row(moment: Moment) -> Markup:
    cells = (seconds(moment.at_s), str(moment.kind), line(moment.host), clipped(moment.text, 300))
    return tag("tr", *(tag("td", cell) for cell in cells))


def _checks(run: DrillRun, amount: Amount) -> Markup:
    if not run.checks:
        return tag("p", "None was made, so nothing is known about this drill.")
    ordered = sorted(run.checks, key=lambda check: _WORST_FIRST.index(check.verdict))
    heads = (tag("th", head, scope="col") for head in ("verdict", "check", "of", "answer"))
    rows = (_check_row(check, amount) for check in ordered[:_CHECKS])
    left = len(ordered) - _CHECKS
    more = tag("p", f"{left} more in campaign.json", class_="quiet") if left > 0 else None
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), class_="checks")
    return joined(table, more)


def _check_row(check: Check, amount: Amount) -> Markup:
    figures = " · ".join(f"{line(key)} {quantity(n)}" for key, n in check.numbers.items())
    return tag(
        "tr",
        tag("td", badge(check.verdict)),
        tag("td", line(check.name)),
        tag("td", line(check.subject)),
        tag(
            "td",
            line(check.summary),
            tag("div", figures, class_="quiet") if figures else None,
            _evidence(check, amount),
        ),
    )


def _evidence(check: Check, amount: Amount) -> Markup | None:
    """Fold the evidence; that of a failure is open."""
    if not check.details:
        return None
    most = amount.evidence if check.verdict is Verdict.VALID else amount.trouble
    shown = [clipped(detail, _EVIDENCE_WIDTH) for detail in check.details[:most]]
    left = len(check.details) - len(shown)
    shown += [f"… {counted(left, 'more line')} in campaign.json"] if left else []
    summary = tag("summary", f"evidence, {counted(len(check.details), 'line')}")
    opened = "open" if check.verdict is not Verdict.VALID else None
    return tag("details", summary, tag("pre", "\n".join(shown)), open=opened)


def _again(run: DrillRun, place: Place) -> Iterator[Markup]:
    yield tag("h4", "Run the same again")
    seed = "without a seed" if run.seed is None else f"seed {run.seed}"
    yield tag("p", f"The schedule, {seed}, as one command:")
    yield tag("pre", tag("code", replay_command(run)))
    if place.histories and run.verdict is not Verdict.VALID:
        kept = "What each workload acknowledged and read is kept in "
        yield tag("p", kept, tag("code", line(place.histories)), ".")
