"""Geometry of a timeline: one scale of seconds for all lanes, and labels that do not collide."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

CHARACTER = 6.8
"""Width of a character of the timeline's 12 px text, in pixels, on the generous side."""
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)


def text_width(text: str) -> float:
    """Estimate the width of a text in pixels."""
    return len(text) * CHARACTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Where a second is, in pixels."""

    width: int
    """Of the whole picture."""
    left: float
    """Where second 0 is."""
    right: float
    """Where the end is."""
    end_s: float
    """Last second shown, more than 0."""
    gutter: bool
    """Whether lanes have their names on their left; else above them."""

    @property
    def hints(self) -> bool:
        """Whether marks say their seconds to a pointer; a telephone has none."""
        return self.gutter

    def x(self, at_s: float) -> float:
        """Give the place of a moment; what lies outside is put at the edge."""
        share = 0.0 if math.isnan(at_s) else min(max(at_s / self.end_s, 0.0), 1.0)
        return self.left + share * (self.right - self.left)

    def ticks(self) -> tuple[float, ...]:
        """Give the seconds to label: round ones, far enough apart for their labels."""
        room = (self.right - self.left) / (70 if self.gutter else 48)
        step = next((s for s in _STEPS_S if self.end_s / s <= room), self.end_s)
        return tuple(round(n * step, 1) for n in range(int(self.end_s / step + 1e-9) + 1))


def nice_ceiling(value: float) -> int:
    """Give the next of 1, 2, 3, 4, 5, 6, 8, 10, 20, …, so that an axis ends on a round number."""
    power = 10 ** max(math.floor(math.log10(max(value, 1))), 0)
    return next(int(n * power) for n in (1, 2, 3, 4, 5, 6, 8, 10) if n * power >= value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Where a text beside a mark stands."""

    x: float
    text: str
    inside: bool
    """Whether it stands in its mark."""


def beside(scale: Scale, text: str, from_x: float, to_x: float) -> Label:
    """Place a text in its bar, else right of it, else left of it, else clip it."""
    needs = text_width(text)
    if needs + 8 <= to_x - from_x:
        return Label(x=from_x + 5, text=text, inside=True)
    if to_x + 5 + needs <= scale.right:
        return Label(x=to_x + 5, text=text, inside=False)
    if from_x - 5 - needs >= scale.left:
        return Label(x=from_x - 5 - needs, text=text, inside=False)
    return _clipped(scale, text, from_x, to_x)


def _clipped(scale: Scale, text: str, from_x: float, to_x: float) -> Label:
    places = {
        "inside": (to_x - from_x - 8, from_x + 5),
        "right": (scale.right - to_x - 5, to_x + 5),
        "left": (from_x - 5 - scale.left, scale.left),
    }
    side, (room, x) = max(places.items(), key=lambda place: place[1][0])
    shown = text[: max(int(room / CHARACTER) - 1, 0)] + "…"
    if side == "left":
        x = from_x - 5 - text_width(shown)
    return Label(x=x, text=shown, inside=side == "inside")


def packed(extents: Sequence[tuple[float, float]], gap: float = 8) -> tuple[int, ...]:
    """Give each extent the first row in which it meets no earlier one."""
    rows: list[list[tuple[float, float]]] = []
    places = []
    for start, end in extents:
        free = (n for n, row in enumerate(rows) if _is_free(row, start - gap, end + gap))
        place = next(free, len(rows))
        if place == len(rows):
            rows.append([])
        rows[place].append((start, end))
        places.append(place)
    return tuple(places)


def _is_free(row: Iterable[tuple[float, float]], start: float, end: float) -> bool:
    return all(end <= a or start >= b for a, b in row)


def merged(spans: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Join spans that touch or overlap."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def crossed(spans: Iterable[tuple[str, float, float]]) -> tuple[tuple[float, float], ...]:
    """Give the stretches, if only an instant, in which spans of two owners hold."""
    shared = (
        (max(start, other_start), min(end, other_end))
        for (owner, start, end), (other, other_start, other_end) in combinations(spans, 2)
        if owner != other
    )
    return merged((start, end) for start, end in shared if start <= end)


def binned(values: Sequence[int], most: int) -> tuple[int, tuple[float, ...]]:
    """Give seconds per bin, and means per bin, so that there are at most ``most`` of them."""
    size = max(1, math.ceil(len(values) / most))
    bins = (values[n : n + size] for n in range(0, len(values), size))
    return size, tuple(sum(one) / len(one) for one in bins)
