"""The same words and numbers in the summary, on the page and in the table of evidence."""

from __future__ import annotations

import math
import re
import shlex

from sanglier.drill.result import DrillRun, Verdict

MARKS = {Verdict.VALID: "✓", Verdict.INVALID: "✗", Verdict.UNKNOWN: "?"}
"""So that a verdict can be told without its colour."""
ABSENT = "–"
"""Stands for a figure that nothing gave; never shown as 0."""
_ROUND = re.compile(r"^random\b[\W_]*\d+(, again)?$")
_UNSHOWN = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Whatever XML 1.0 does not allow, and the C1 controls, which move a terminal's cursor."""
_DIRECTIONS = re.compile("[\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
"""Invisible characters that turn or break a line, so that it reads as something else."""


def clean(text: str) -> str:
    """Replace what must reach neither a terminal nor a page; text came from hosts."""
    return _DIRECTIONS.sub("\ufffd", _UNSHOWN.sub("\ufffd", text))


def line(text: str) -> str:
    """Give text as one clean line."""
    return " ".join(clean(text).split())


def clipped(text: str, width: int) -> str:
    """Give text as one clean line of at most ``width`` characters."""
    text = line(text)
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def counted(number: float, noun: str) -> str:
    """Say ``1 drill``, ``2 drills``."""
    return f"{quantity(number)} {noun}" if number == 1 else f"{quantity(number)} {noun}s"


def quantity(number: float | None) -> str:
    """Give a figure with thousands apart; ``–`` when there is none."""
    if number is None or math.isnan(number):
        return ABSENT
    if math.isinf(number):
        return "∞"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.2f}"


def seconds(length: float | None) -> str:
    """Give a length of time, to a tenth of a second below 100 s; ``–`` when there is none."""
    if length is None or math.isnan(length):
        return ABSENT
    if math.isinf(length):
        return "no limit"
    return f"{length:.1f} s" if abs(length) < 99.95 else f"{length:,.0f} s"


def duration(length: float) -> str:
    """Give a long time in hours, minutes and seconds."""
    if length < 100 or not math.isfinite(length):
        return seconds(length)
    minutes, left = divmod(round(length), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"


def drill_kind(run: DrillRun) -> str:
    """Give the drill's name; rounds of ``random`` are one kind."""
    return "random" if _ROUND.match(run.name) else run.name


def replay_command(run: DrillRun) -> str:
    """Give the command that runs the same faults again, quoted for a shell."""
    words = ["sanglier", "drill", "replay", "FILE"]
    words += [] if run.seed is None else ["--seed", str(run.seed)]
    return shlex.join([*words, *map(line, run.schedule)])
