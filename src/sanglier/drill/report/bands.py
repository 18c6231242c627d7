"""What all lanes of a timeline share: a height, and bars for stretches of time."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.drill.report.markup import Markup, tag
from sanglier.drill.report.scale import Scale

ROW = 20
"""Height of a lane with one line of text, in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A lane or a group of lanes, drawn from y = 0."""

    name: str
    """In the gutter or above; empty for a band that names its own lanes."""
    marks: Markup
    height: float


def bar(
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
