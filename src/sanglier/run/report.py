"""What came out of a run."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.core.errors import SanglierError
from sanglier.core.problem import Problem, Severity
from sanglier.layers.read_back import ReadBack


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Counts of steps, what went wrong, what is left to wait for or to know."""

    done: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    errors: tuple[SanglierError, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Found by the last look at all hosts."""
    read_back: ReadBack | None = None
    """Timeouts in force at the end; none when something went wrong before, or after a destroy."""

    @property
    def ok(self) -> bool:
        """Whether everything is as desired (or gets there by itself)."""
        return not self.errors

    @property
    def code(self) -> str:
        """Code of the first error; empty when all went well."""
        return str(self.errors[0].code) if self.errors else ""

    @property
    def waiting(self) -> tuple[Problem, ...]:
        """What is not finished by itself yet."""
        return tuple(p for p in self.problems if p.severity is Severity.WAITING)
