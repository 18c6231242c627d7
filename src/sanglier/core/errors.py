"""The one exception that a user sees: what, why, what to do, and a stable code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(kw_only=True, eq=False)
class SanglierError(Exception):
    """An error with a stable code; its first line names the subject."""

    code: str
    subject: str
    what: str
    why: str = ""
    fix: str = ""

    def __str__(self) -> str:
        lines = [f"{self.subject}: {self.what}  [{self.code}]"]
        if self.why:
            lines.append(f"  why: {self.why}")
        if self.fix:
            lines.append(f"  do:  {self.fix}")
        return "\n".join(lines)
