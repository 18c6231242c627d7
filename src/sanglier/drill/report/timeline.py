"""One drill as a picture: faults, fences, who was open, throughput and stalls on one time axis.

Colours are classes (``style.py``); every mark also has a shape and words, and a ``<title>`` with
its exact seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sanglier.drill.report.bands import Band
from sanglier.drill.report.events import fault_band, fault_told, moment_band, moment_text, until
from sanglier.drill.report.faults import faults, other_moments
from sanglier.drill.report.lanes import open_bands, server_band, when
from sanglier.drill.report.markup import Markup, joined, number, tag
from sanglier.drill.report.scale import (
    CHARACTER,
    Scale,
    merged,
    nice_ceiling,
)
from sanglier.drill.report.words import clipped, counted, line, seconds
from sanglier.drill.result import DrillRun, MomentKind, Series

WIDE, NARROW = 1000, 400
"""Pixels: for a desk, and for a telephone."""
_NAME_ROW = 18


def scale_of(run: DrillRun, width: int) -> Scale:
    """Make the scale of a drill; it reaches to whatever was recorded last."""
    times = [run.length_s, 1.0]
    times += [moment.at_s for moment in run.moments]
    times += [span.to_s for span in run.open_spans]
    times += [stall.to_s for series in run.series for stall in series.stalls]
    gutter = width > (WIDE + NARROW) / 2
    left = 150.0 if gutter else 36.0
    end_s = max(time for time in times if time < float("inf"))
    return Scale(width=width, left=left, right=width - 14.0, end_s=end_s, gutter=gutter)


def timeline(run: DrillRun, *, width: int, key: str, storage: Sequence[str] = ()) -> Markup:
    """Draw a drill ``width`` pixels wide.

    ``key`` makes the picture's identifiers unique on its page; ``storage`` names storage servers
    that get a lane although none of their sides was open.
    """
    scale = scale_of(run, width)
    top, drawn = 0.0, []
    for band in _bands(run, scale, key, storage):
        head = _NAME_ROW if band.name and not scale.gutter else 0
        drawn.append(tag("g", band.marks, transform=f"translate(0 {number(top + head)})"))
        if band.name:
            drawn.append(_band_name(scale, band.name, top + 14))
        top += head + band.height + 8
    return tag(
        "svg",
        tag("title", f"Timeline of {line(run.name)}", id=f"{key}-title"),
        tag("desc", description(run) if scale.hints else _outline(run), id=f"{key}-desc"),
        _patterns(key),
        _guides(run, scale, top),
        joined(*drawn),
        _axis(scale, top),
        xmlns="http://www.w3.org/2000/svg",
        class_="timeline " + ("wide" if scale.gutter else "narrow"),
        viewBox=f"0 0 {width} {number(top + 36)}",
        role="img",
        aria_labelledby=f"{key}-title {key}-desc",
    )


def _bands(run: DrillRun, scale: Scale, key: str, storage: Sequence[str]) -> Iterator[Band]:
    yield fault_band(faults(run), scale)
    if moments := other_moments(run):
        yield moment_band(moments, scale)
    yield from open_bands(run, scale, key, storage)
    most = nice_ceiling(max((max(s.per_second, default=0) for s in run.series), default=1))
    for series in run.series:
        yield server_band(series, most, run.moments, scale, key)


def _patterns(key: str) -> Markup:
    """Hatches, so that a stall and an overlap are told without their colours."""
    stall = tag("path", d="M0 6L6 0", class_="hatch-stall")
    both = tag("path", d="M0 0L6 6M0 6L6 0", class_="hatch-both")
    return tag(
        "defs",
        tag("pattern", stall, id=f"{key}-s", width=6, height=6, patternUnits="userSpaceOnUse"),
        tag("pattern", both, id=f"{key}-b", width=6, height=6, patternUnits="userSpaceOnUse"),
    )


def _band_name(scale: Scale, name: str, y: float) -> Markup:
    most = int((scale.left - 10) / CHARACTER) if scale.gutter else 50
    full = tag("title", line(name)) if len(line(name)) > most else None
    return tag("text", clipped(name, most), full, x=0, y=y, class_="name")


def _guides(run: DrillRun, scale: Scale, bottom: float) -> Markup:
    """Draw grid, the shade of each fault and the line of each fence behind all lanes."""
    found = faults(run)
    fences = [m.at_s for m in run.moments if m.kind is MomentKind.FENCED]
    ends = [(scale.x(fault.from_s), scale.x(until(fault, scale))) for fault in found]
    shades = (
        tag("rect", x=x, y=0, width=max(end - x, 1), height=bottom, class_="shade")
        for x, end in merged(ends)
    )
    lines = (
        _upright(scale.ticks(), scale, bottom, "grid"),
        *shades,
        _upright([fault.from_s for fault in found], scale, bottom, "fault-line"),
        _upright(fences, scale, bottom, "fence-line"),
    )
    return tag("g", *lines, aria_hidden="true")


def _upright(times: Iterable[float], scale: Scale, bottom: float, class_: str) -> Markup:
    path = "".join(f"M{number(scale.x(at))} 0V{number(bottom)}" for at in times)
    return tag("path", d=path, class_=class_) if path else Markup()


def _axis(scale: Scale, y: float) -> Markup:
    ticks = scale.ticks()
    marks = "".join(f"M{number(scale.x(at))} {number(y)}v4" for at in ticks)
    path = f"M{number(scale.left)} {number(y)}H{number(scale.right)}{marks}"
    labels = (tag("text", number(at), x=scale.x(at), y=y + 16, class_="tick") for at in ticks)
    words = "seconds since the workload started"
    middle = (scale.left + scale.right) / 2
    title = tag("text", words, x=middle, y=y + 32, class_="tick")
    return tag("g", tag("path", d=path, class_="base"), *labels, title)


def description(run: DrillRun) -> str:
    """Tell the picture in words, for whoever cannot see it."""
    parts = [f"Over {seconds(run.length_s)}."]
    for fault in faults(run):
        parts.append(f"{fault_told(fault)}.")
    parts += [f"At {seconds(m.at_s)} {moment_text(m)}." for m in other_moments(run)[:20]]
    for span in run.open_spans[:40]:
        parts.append(f"{span.volume} open on {span.host} from {when(span)}.")
    parts += [_told(series) for series in run.series]
    return line(" ".join(parts))


def _outline(run: DrillRun) -> str:
    """Tell it shortly; the page has all moments as a table."""
    injected = counted(len(faults(run)), "fault")
    return line(" ".join([f"{injected} in {seconds(run.length_s)}.", *map(_told, run.series)]))


def _told(series: Series) -> str:
    if not series.stalls:
        return f"{series.server} had no stall."
    longest = max(series.stalls, key=lambda stall: stall.length_s)
    return (
        f"The longest of {len(series.stalls)} stalls of {series.server} "
        f"was {seconds(longest.length_s)}, from {seconds(longest.from_s)}."
    )
