"""A checker that crashes says nothing: its check is UNKNOWN, never VALID."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Sequence

from sanglier.core.errors import SanglierError
from sanglier.drill.result import Check, Verdict


def guard(name: str, subject: str, function: Callable[[], tuple[Check, ...]]) -> tuple[Check, ...]:
    """Run a checker; a crash, or no answer at all, is one UNKNOWN check."""
    try:
        checks = function()
    except Exception as error:  # the rule of this module
        what = f"the checker crashed: {type(error).__name__}: {error}"
        return (unknown(name, subject, what, traceback.format_exc().splitlines()[-12:]),)
    return checks or (unknown(name, subject, "the checker gave no answer"),)


async def attempt(
    name: str, subject: str, deed: Callable[[], Awaitable[tuple[Check, ...]]]
) -> tuple[Check, ...]:
    """Look and judge; whatever goes wrong on the way, also on our side, is one UNKNOWN check."""
    try:
        return await deed()
    except Exception as error:  # the rule of this module
        what = f"it could not be looked at: {told(error)}"
        return (unknown(name, subject, what, traceback.format_exc().splitlines()[-12:]),)


def told(error: Exception) -> str:
    """Tell an error in a line; one that has no words of its own has at least a name."""
    if isinstance(error, ExceptionGroup):
        return "; ".join(told(one) for one in error.exceptions)
    if isinstance(error, SanglierError):
        return f"{error.subject}: {error.what} {error.why}".strip()
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def unknown(name: str, subject: str, what: str, details: Sequence[str] = ()) -> Check:
    """Make the check of what could not be told."""
    return Check(
        name=name,
        subject=subject,
        verdict=Verdict.UNKNOWN,
        summary=what,
        details=tuple(details),
    )
