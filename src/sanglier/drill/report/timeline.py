"""One drill as a picture: faults, fences, who was open, throughput and stalls on one time axis.

Colours are classes (``style.py``); every mark also has a shape and words, and a ``<title>`` with
its exact seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sanglier.drill.report.faults import Fault, faults, other_moments
from sanglier.drill.report.markup import Markup, joined, number, tag
from sanglier.drill.report.scale import (
    CHARACTER,
    Label,
    Scale,
    beside,
    binned,
    crossed,
    merged,
    nice_ceiling,
    packed,
    text_width,
)
from sanglier.drill.report.words import clipped, counted, line, quantity, seconds
from sanglier.drill.result import DrillRun, Moment, MomentKind, OpenSpan, Series, Stall

WIDE, NARROW = 1000, 400
"""Pixels: for a desk, and for a telephone."""
SHORTEST_STALL_S = 1.0
_ROW = 20
_AREA = 46
_HEAD = 18
_LABEL = 70
"""Most characters of a label beside a mark; its ``<title>`` has all of them."""
_NOTE_ROWS = 4
_BINS_WIDE, _BINS_NARROW = 240, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A lane or a group of lanes, drawn from y = 0."""

    name: str
    """In the gutter or above; empty for a band that names its own lanes."""
    marks: Markup
    height: float


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
        head = _HEAD if band.name and not scale.gutter else 0
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
    yield _fault_band(faults(run), scale)
    if moments := other_moments(run):
        yield _moment_band(moments, scale)
    yield from _open_bands(run, scale, key, storage)
    most = nice_ceiling(max((max(s.per_second, default=0) for s in run.series), default=1))
    for series in run.series:
        yield _server_band(series, most, run.moments, scale, key)


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


def _bar(
    scale: Scale,
    from_s: float,
    to_s: float,
    y: float,
    height: float,
    hint: str,
    class_: str | None = None,
) -> Markup:
    """Draw a stretch of time; one that is too short to be seen is 2 pixels wide."""
    x = scale.x(from_s)
    width = max(scale.x(to_s) - x, 2.0)
    title = tag("title", hint) if scale.hints else None
    return tag("rect", title, x=x, y=y, width=width, height=height, class_=class_)


def _fault_band(found: Sequence[Fault], scale: Scale) -> Band:
    placed = [_place(scale, f.label, f.from_s, _until(f, scale)) for f in found]
    rows = packed([extent for _, extent in placed])
    marks = [
        _fault_marks(fault, label, row * _ROW, scale)
        for fault, (label, _), row in zip(found, placed, rows, strict=True)
    ]
    if not found:
        marks = [tag("text", "none injected", x=scale.left, y=14, class_="quiet")]
    return Band(name="faults", marks=joined(*marks), height=(max(rows, default=0) + 1) * _ROW)


def _until(fault: Fault, scale: Scale) -> float:
    return scale.end_s if fault.healed_s is None else fault.healed_s


def _place(
    scale: Scale, text: str, from_s: float, to_s: float
) -> tuple[Label, tuple[float, float]]:
    """Place a label beside its mark, and give the pixels that both take."""
    from_x, to_x = scale.x(from_s), max(scale.x(to_s), scale.x(from_s) + 2)
    label = beside(scale, clipped(text, _LABEL), from_x, to_x)
    return label, (min(from_x, label.x), max(to_x, label.x + text_width(label.text)))


def _fault_marks(fault: Fault, label: Label, y: float, scale: Scale) -> Markup:
    title = _fault_told(fault)
    kind = "fault unhealed" if fault.healed_s is None else "fault"
    bar = _bar(scale, fault.from_s, _until(fault, scale), y + 2, _ROW - 4, title, kind)
    return joined(bar, _label(label, y, "fault"))


def _fault_told(fault: Fault) -> str:
    healed = "" if fault.healed_s is None else f", healed at {seconds(fault.healed_s)}"
    return f"Fault {fault.label}, at {seconds(fault.from_s)}{healed}"


def _label(label: Label, y: float, kind: str) -> Markup:
    class_ = f"label on-{kind}" if label.inside else "label"
    return tag("text", label.text, x=label.x, y=y + 14, class_=class_)


_SHAPES = {
    MomentKind.FENCED: "M-6 0L0-6L6 0L0 6Z",
    MomentKind.HEAL: "M-5 5L0-5L5 5Z",
    MomentKind.NOTE: "M-3-3H3V3H-3Z",
}


def _moment_band(found: Sequence[Moment], scale: Scale) -> Band:
    """Draw marks; notes that would need more than a few rows lose their label, not their mark."""
    placed = []
    for moment in found:
        x = scale.x(moment.at_s)
        label = beside(scale, clipped(_moment_text(moment), _LABEL), x - 6, x + 6)
        placed.append((label, (min(x - 6, label.x), max(x + 6, label.x + text_width(label.text)))))
    rows = packed([extent for _, extent in placed])
    marks = []
    for moment, (label, _), row in zip(found, placed, rows, strict=True):
        shown = row < _NOTE_ROWS or moment.kind is MomentKind.FENCED
        y = row * _ROW if shown else (_NOTE_ROWS - 1) * _ROW
        marks.append(_shape(moment, scale, y + _ROW / 2))
        marks.append(_label(label, y, "mark") if shown else Markup())
    height = (min(max(rows), max(_NOTE_ROWS, _last_fence_row(found, rows) + 1) - 1) + 1) * _ROW
    return Band(name="events", marks=joined(*marks), height=height)


def _last_fence_row(found: Sequence[Moment], rows: Sequence[int]) -> int:
    pairs = zip(found, rows, strict=True)
    return max((row for m, row in pairs if m.kind is MomentKind.FENCED), default=0)


def _moment_text(moment: Moment) -> str:
    words, host = line(moment.text), line(moment.host)
    where = "" if not host or host in words else f"{host}: "
    fenced = "fenced " if moment.kind is MomentKind.FENCED and "fence" not in words else ""
    return f"{fenced}{where}{words}"


def _shape(moment: Moment, scale: Scale, y: float) -> Markup:
    words = f"{moment.kind} at {seconds(moment.at_s)}: {_moment_text(moment)}"
    title = tag("title", words) if scale.hints else None
    place = f"translate({number(scale.x(moment.at_s))} {number(y)})"
    return tag("path", title, d=_SHAPES[moment.kind], transform=place, class_=str(moment.kind))


def _open_bands(run: DrillRun, scale: Scale, key: str, storage: Sequence[str]) -> Iterator[Band]:
    """Draw a lane for each side of each volume, and one where both sides were open."""
    hosts = sorted({*storage, *(span.host for span in run.open_spans)})
    for volume in sorted({span.volume for span in run.open_spans}):
        spans = [span for span in run.open_spans if span.volume == volume]
        for host in hosts:
            own = [span for span in spans if span.host == host]
            yield _side_band(volume, host, own, run.moments, scale)
        if both := both_open(spans):
            yield _both_band(volume, both, scale, key)


def both_open(spans: Iterable[OpenSpan]) -> tuple[tuple[float, float], ...]:
    """Give the stretches in which two sides of one volume were seen open."""
    by_host: dict[str, list[tuple[float, float]]] = {}
    for span in spans:
        by_host.setdefault(span.host, []).append((span.from_s, span.to_s))
    owned = ((host, *one) for host, own in by_host.items() for one in merged(own))
    return crossed(owned)


def _side_band(
    volume: str, host: str, spans: Sequence[OpenSpan], moments: Iterable[Moment], scale: Scale
) -> Band:
    marks = [_track(scale, _ROW)]
    for span in spans:
        title = f"{volume} open on {host} from {_when(span)}"
        marks.append(_bar(scale, span.from_s, span.to_s, 3, _ROW - 6, title, "open"))
        if scale.x(span.to_s) - scale.x(span.from_s) > text_width("open") + 10:
            marks.append(
                tag("text", "open", x=scale.x(span.from_s) + 5, y=14, class_="label on-open")
            )
    marks += _fence_marks(host, moments, scale, _ROW / 2)
    return Band(name=f"{line(host)} · {line(volume)}", marks=joined(*marks), height=_ROW - 4)


def _both_band(volume: str, both: Sequence[tuple[float, float]], scale: Scale, key: str) -> Band:
    bars = (
        _bar(
            scale,
            start,
            end,
            2,
            _ROW - 4,
            f"both sides of {volume} open from {seconds(start)} to {seconds(end)}",
        )
        for start, end in both
    )
    words = f"BOTH OPEN, {seconds(sum(end - start for start, end in both))}"
    first, last = scale.x(both[0][0]), scale.x(both[-1][1])
    places = (last + 5, first - 5 - text_width(words), scale.left + 5)
    fits = (last + 5 + text_width(words) <= scale.right, places[1] >= scale.left, True)
    x = next(place for place, fit in zip(places, fits, strict=True) if fit)
    marks = joined(
        _track(scale, _ROW),
        tag("g", *bars, class_="both", fill=f"url(#{key}-b)"),
        tag("text", words, x=x, y=14, class_="label alarm"),
    )
    return Band(name=f"both · {line(volume)}", marks=marks, height=_ROW - 4)


def _track(scale: Scale, height: float) -> Markup:
    return tag(
        "rect",
        x=scale.left,
        y=3,
        width=scale.right - scale.left,
        height=height - 6,
        class_="track",
    )


def _fence_marks(host: str, moments: Iterable[Moment], scale: Scale, y: float) -> Iterator[Markup]:
    for moment in moments:
        if moment.kind is MomentKind.FENCED and moment.host == host:
            yield _shape(moment, scale, y)


def _server_band(
    series: Series, most: int, moments: Iterable[Moment], scale: Scale, key: str
) -> Band:
    stalls = [s for s in series.stalls if s.length_s >= SHORTEST_STALL_S]
    base = _HEAD + _AREA
    marks = [
        tag("line", x1=scale.left, x2=scale.right, y1=_HEAD, y2=_HEAD, class_="grid"),
        _area(series, most, scale),
        _stall_marks(stalls, scale, key),
        tag("line", x1=scale.left, x2=scale.right, y1=base, y2=base, class_="base"),
        tag("text", _per_second(most, scale), x=scale.left - 5, y=_HEAD + 9, class_="end quiet"),
        tag("text", "0", x=scale.left - 5, y=base, class_="end quiet"),
        *_fence_marks(series.server, moments, scale, base),
    ]
    return Band(name=line(series.server), marks=joined(*marks), height=base + 2)


def _per_second(most: int, scale: Scale) -> str:
    if scale.gutter:
        return f"{quantity(most)} writes/s"
    return quantity(most) if most < 10_000 else f"{most / 1000:.0f}k"


def _area(series: Series, most: int, scale: Scale) -> Markup:
    """Draw steps; where there are more seconds than pixels allow, means of several seconds.

    The path counts bins across and pixels down, so that it is short and exact; the transform
    puts it on the scale.
    """
    size, means = binned(series.per_second, _BINS_WIDE if scale.gutter else _BINS_NARROW)
    heights = [round(_AREA * mean / most) for mean in means]
    steps = (f"v{a - b}h1" for a, b in pairwise([0, *heights]))
    path = f"M0 {_HEAD + _AREA}{_shortened(''.join(steps))}V{_HEAD + _AREA}Z"
    each = "each second" if size == 1 else f"means of {size} seconds"
    title = tag("title", f"{line(series.server)}: acknowledged writes per second, {each}")
    across = (scale.x(size) - scale.left) if size < scale.end_s else scale.right - scale.left
    transform = f"matrix({across:.4f} 0 0 1 {number(scale.left)} 0)"
    hint = title if scale.hints else None
    return tag("path", hint, d=path, class_="rate", transform=transform)


def _shortened(path: str) -> str:
    """Join steps of the same height."""
    path = path.replace("v0", "")
    return re.sub(r"(?:h1){2,}", lambda run: f"h{len(run[0]) // 2}", path)


def _stall_marks(stalls: Sequence[Stall], scale: Scale, key: str) -> Markup:
    bars = (
        _bar(scale, s.from_s, s.to_s, _HEAD, _AREA, f"{seconds(s.length_s)}, {_when(s)}")
        for s in stalls
    )
    labels = tag("g", *_stall_labels(stalls, scale), class_="stall-label")
    return joined(tag("g", *bars, class_="stall", fill=f"url(#{key}-s)"), labels)


def _when(span: Stall | OpenSpan) -> str:
    return f"{seconds(span.from_s)} to {seconds(span.to_s)}"


def _stall_labels(stalls: Iterable[Stall], scale: Scale) -> Iterator[Markup]:
    """Write lengths above stalls, the longest first; one that would cover another is left out."""
    taken: list[tuple[float, float]] = []
    for stall in sorted(stalls, key=lambda s: -s.length_s):
        text = seconds(stall.length_s)
        half = text_width(text) / 2
        middle = (scale.x(stall.from_s) + scale.x(stall.to_s)) / 2
        middle = min(max(middle, scale.left + half), scale.right - half)
        if all(middle + half + 4 <= a or middle - half - 4 >= b for a, b in taken):
            taken.append((middle - half, middle + half))
            yield tag("text", text, x=middle, y=_HEAD - 5)


def _guides(run: DrillRun, scale: Scale, bottom: float) -> Markup:
    """Draw grid, the shade of each fault and the line of each fence behind all lanes."""
    found = faults(run)
    fences = [m.at_s for m in run.moments if m.kind is MomentKind.FENCED]
    ends = [(scale.x(fault.from_s), scale.x(_until(fault, scale))) for fault in found]
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
        parts.append(f"{_fault_told(fault)}.")
    parts += [f"At {seconds(m.at_s)} {_moment_text(m)}." for m in other_moments(run)[:20]]
    for span in run.open_spans[:40]:
        parts.append(f"{span.volume} open on {span.host} from {_when(span)}.")
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
