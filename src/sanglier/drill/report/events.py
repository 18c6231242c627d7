"""The upper lanes of a timeline: faults as bars, fences and notes as marks, all with words."""

from __future__ import annotations

from collections.abc import Sequence

from sanglier.drill.report.bands import ROW, Band, bar
from sanglier.drill.report.faults import Fault
from sanglier.drill.report.markup import Markup, joined, number, tag
from sanglier.drill.report.scale import (
    Label,
    Scale,
    beside,
    packed,
    text_width,
)
from sanglier.drill.report.words import clipped, line, seconds
from sanglier.drill.result import Moment, MomentKind

_LABEL = 70
"""Most characters of a label beside a mark; its ``<title>`` has all of them."""
_NOTE_ROWS = 4


def fault_band(found: Sequence[Fault], scale: Scale) -> Band:
    """Draw faults from injection to heal, in as many rows as their labels need."""
    placed = [_place(scale, f.label, f.from_s, until(f, scale)) for f in found]
    rows = packed([extent for _, extent in placed])
    marks = [
        _fault_marks(fault, label, row * ROW, scale)
        for fault, (label, _), row in zip(found, placed, rows, strict=True)
    ]
    if not found:
        marks = [tag("text", "none injected", x=scale.left, y=14, class_="quiet")]
    return Band(name="faults", marks=joined(*marks), height=(max(rows, default=0) + 1) * ROW)


def until(fault: Fault, scale: Scale) -> float:
    """Give the second to which a fault is drawn: its heal, or the end."""
    return scale.end_s if fault.healed_s is None else fault.healed_s


def _place(
    scale: Scale, text: str, from_s: float, to_s: float
) -> tuple[Label, tuple[float, float]]:
    """Place a label beside its mark, and give the pixels that both take."""
    from_x, to_x = scale.x(from_s), max(scale.x(to_s), scale.x(from_s) + 2)
    label = beside(scale, clipped(text, _LABEL), from_x, to_x)
    return label, (min(from_x, label.x), max(to_x, label.x + text_width(label.text)))


def _fault_marks(fault: Fault, label: Label, y: float, scale: Scale) -> Markup:
    title = fault_told(fault)
    kind = "fault unhealed" if fault.healed_s is None else "fault"
    drawn = bar(scale, fault.from_s, until(fault, scale), y + 2, ROW - 4, title, kind)
    return joined(drawn, _label(label, y, "fault"))


def fault_told(fault: Fault) -> str:
    """Say a fault with its seconds."""
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


def moment_band(found: Sequence[Moment], scale: Scale) -> Band:
    """Draw marks; notes that would need more than a few rows lose their label, not their mark."""
    placed = []
    for moment in found:
        x = scale.x(moment.at_s)
        label = beside(scale, clipped(moment_text(moment), _LABEL), x - 6, x + 6)
        placed.append((label, (min(x - 6, label.x), max(x + 6, label.x + text_width(label.text)))))
    rows = packed([extent for _, extent in placed])
    marks = []
    for moment, (label, _), row in zip(found, placed, rows, strict=True):
        shown = row < _NOTE_ROWS or moment.kind is MomentKind.FENCED
        y = row * ROW if shown else (_NOTE_ROWS - 1) * ROW
        marks.append(shape(moment, scale, y + ROW / 2))
        marks.append(_label(label, y, "mark") if shown else Markup())
    height = (min(max(rows), max(_NOTE_ROWS, _last_fence_row(found, rows) + 1) - 1) + 1) * ROW
    return Band(name="events", marks=joined(*marks), height=height)


def _last_fence_row(found: Sequence[Moment], rows: Sequence[int]) -> int:
    pairs = zip(found, rows, strict=True)
    return max((row for m, row in pairs if m.kind is MomentKind.FENCED), default=0)


def moment_text(moment: Moment) -> str:
    """Say a moment in a line; what the picture and its description share."""
    words, host = line(moment.text), line(moment.host)
    where = "" if not host or host in words else f"{host}: "
    fenced = "fenced " if moment.kind is MomentKind.FENCED and "fence" not in words else ""
    return f"{fenced}{where}{words}"


def shape(moment: Moment, scale: Scale, y: float) -> Markup:
    """Draw the mark of a moment."""
    words = f"{moment.kind} at {seconds(moment.at_s)}: {moment_text(moment)}"
    title = tag("title", words) if scale.hints else None
    place = f"translate({number(scale.x(moment.at_s))} {number(y)})"
    return tag("path", title, d=_SHAPES[moment.kind], transform=place, class_=str(moment.kind))
