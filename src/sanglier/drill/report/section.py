"""One drill on the page: what it did, its picture, what the checks found, how to run it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sanglier.drill.report.figures import measured_stall_s
from sanglier.drill.report.lanes import both_open
from sanglier.drill.report.markup import Markup, joined, tag
from sanglier.drill.report.timeline import NARROW, WIDE, timeline
from sanglier.drill.report.words import (
    MARKS,
    clipped,
    counted,
    line,
    quantity,
    replay_command,
    seconds,
)
from sanglier.drill.result import Check, DrillRun, Moment, MomentKind, Verdict

_WORST_FIRST = (Verdict.INVALID, Verdict.UNKNOWN, Verdict.VALID)
_EVIDENCE_WIDTH = 300
_MOMENTS = 150
_CHECKS = 200


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


def badge(verdict: Verdict) -> Markup:
    """Show a verdict by a mark, a word and a colour."""
    return tag("span", f"{MARKS[verdict]} {verdict}", class_=f"badge {verdict}")


def section(run: DrillRun, place: Place) -> Markup:
    """Write the section of a drill."""
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
    stall = f"longest stall {seconds(measured_stall_s(run))} ({against})"
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
