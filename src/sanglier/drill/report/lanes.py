"""The lower lanes of a timeline: which side was open, throughput and stalls per server."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from sanglier.drill.report.bands import ROW, Band, bar
from sanglier.drill.report.events import shape
from sanglier.drill.report.markup import Markup, joined, number, tag
from sanglier.drill.report.scale import (
    Scale,
    binned,
    crossed,
    merged,
    text_width,
)
from sanglier.drill.report.words import line, quantity, seconds
from sanglier.drill.result import DrillRun, Moment, MomentKind, OpenSpan, Series, Stall

SHORTEST_STALL_S = 1.0
"""Shorter ones are not drawn."""
_AREA = 46
_HEAD = 18
_BINS_WIDE, _BINS_NARROW = 240, 120


def open_bands(run: DrillRun, scale: Scale, key: str, storage: Sequence[str]) -> Iterator[Band]:
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
    marks = [_track(scale, ROW)]
    for span in spans:
        title = f"{volume} open on {host} from {when(span)}"
        marks.append(bar(scale, span.from_s, span.to_s, 3, ROW - 6, title, "open"))
        if scale.x(span.to_s) - scale.x(span.from_s) > text_width("open") + 10:
            marks.append(
                tag("text", "open", x=scale.x(span.from_s) + 5, y=14, class_="label on-open")
            )
    marks += _fence_marks(host, moments, scale, ROW / 2)
    return Band(name=f"{line(host)} · {line(volume)}", marks=joined(*marks), height=ROW - 4)


def _both_band(volume: str, both: Sequence[tuple[float, float]], scale: Scale, key: str) -> Band:
    bars = (
        bar(
            scale,
            start,
            end,
            2,
            ROW - 4,
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
        _track(scale, ROW),
        tag("g", *bars, class_="both", fill=f"url(#{key}-b)"),
        tag("text", words, x=x, y=14, class_="label alarm"),
    )
    return Band(name=f"both · {line(volume)}", marks=marks, height=ROW - 4)


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
            yield shape(moment, scale, y)


def server_band(
    series: Series, most: int, moments: Iterable[Moment], scale: Scale, key: str
) -> Band:
    """Draw a server's acknowledgements per second, its stalls with their lengths, its fences.

    ``most`` is the top of the axis, the same for all servers of a drill.
    """
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
        bar(scale, s.from_s, s.to_s, _HEAD, _AREA, f"{seconds(s.length_s)}, {when(s)}")
        for s in stalls
    )
    labels = tag("g", *_stall_labels(stalls, scale), class_="stall-label")
    return joined(tag("g", *bars, class_="stall", fill=f"url(#{key}-s)"), labels)


def when(span: Stall | OpenSpan) -> str:
    """Say from when to when."""
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
