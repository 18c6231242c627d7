"""Errors of the lab: one class, a stable code each (listed in docs/explanation/lab.md)."""

from __future__ import annotations

from sanglier.core.errors import SanglierError


class LabError(SanglierError):
    """Something that the lab cannot do: what, why, and what to do about it."""


def refuse(code: int, subject: str, what: str, why: str = "", fix: str = "") -> LabError:
    """Make the error ``SG-LAB-<code>`` about ``subject``."""
    return LabError(code=f"SG-LAB-{code:03d}", subject=subject, what=what, why=why, fix=fix)
