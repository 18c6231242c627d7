"""A checker that crashes says nothing: its check is UNKNOWN, never VALID."""

from __future__ import annotations

import traceback
from collections.abc import Callable

from sanglier.drill.result import Check, Verdict


def guard(name: str, subject: str, function: Callable[[], tuple[Check, ...]]) -> tuple[Check, ...]:
    """Run a checker; a crash, or no answer at all, is one UNKNOWN check."""
    try:
        checks = function()
    except Exception as error:  # the rule of this module
        what = f"the checker crashed: {type(error).__name__}: {error}"
        return (_unknown(name, subject, what, traceback.format_exc().splitlines()[-12:]),)
    return checks or (_unknown(name, subject, "the checker gave no answer", []),)


def _unknown(name: str, subject: str, what: str, details: list[str]) -> Check:
    return Check(
        name=name,
        subject=subject,
        verdict=Verdict.UNKNOWN,
        summary=what,
        details=tuple(details),
    )
