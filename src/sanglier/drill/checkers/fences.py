"""Nobody is fenced who should live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sanglier.drill.result import Check, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerEvent:
    """A server was switched off or reset, by a fence device or by itself; not by the drill."""

    host: str
    at_s: float
    action: str
    """``off``, ``reset``, or ``self`` for a server that fenced itself (o2cb)."""


def check_fences(
    events: Sequence[PowerEvent] | None, may: frozenset[str], at_most: int | None = None
) -> Check:
    """Judge who was fenced.

    ``events`` is ``None`` when the fence devices could not be asked.  Of the servers that ``may``
    be fenced, ``at_most`` so many may die: one, when the mirror alone is cut.
    """
    if events is None:
        return _check(Verdict.UNKNOWN, "the fence devices could not be asked", ())
    told = tuple(f"{event.at_s:.1f} s: {event.host} {event.action}" for event in events)
    fenced = {event.host for event in events}
    if wrong := sorted(fenced - may):
        return _check(Verdict.INVALID, f"fenced without reason: {', '.join(wrong)}", told)
    if at_most is not None and len(fenced) > at_most:
        who = ", ".join(sorted(fenced))
        return _check(Verdict.INVALID, f"at most {at_most} may be fenced, not {who}", told)
    who = ", ".join(sorted(fenced)) or "nobody"
    return _check(Verdict.VALID, f"fenced: {who}", told, len(events))


def _check(verdict: Verdict, summary: str, details: tuple[str, ...], fences: int = 0) -> Check:
    return Check(
        name="fences",
        subject="cluster",
        verdict=verdict,
        summary=summary,
        details=details,
        numbers={"fences": fences},
    )
