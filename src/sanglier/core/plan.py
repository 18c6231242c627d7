"""A plan: the steps of every layer in order, the problems, the missing consents."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What one layer wants done, and what it found wrong."""

    steps: tuple[Step, ...] = ()
    problems: tuple[Problem, ...] = ()

    def __add__(self, other: Proposal) -> Proposal:
        return Proposal(steps=self.steps + other.steps, problems=self.problems + other.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The proposal of one layer inside a plan."""

    layer: str
    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that would run, layer by layer."""

    stages: tuple[Stage, ...]
    consents: frozenset[str] = frozenset()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in the order in which they would run."""
        return tuple(step for stage in self.stages for step in stage.proposal.steps)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, in layer order."""
        return tuple(problem for stage in self.stages for problem in stage.proposal.problems)

    @property
    def blockers(self) -> tuple[Problem, ...]:
        """Problems that keep the plan from running."""
        return tuple(p for p in self.problems if p.severity is Severity.BLOCKER)

    @property
    def missing_consents(self) -> tuple[str, ...]:
        """Consents that steps need and nobody gave, in order."""
        needed = (step.consent for step in self.steps if step.consent)
        return tuple(dict.fromkeys(c for c in needed if c not in self.consents))

    @property
    def empty(self) -> bool:
        """True when nothing is to be done."""
        return not self.steps


def excess(consented: Plan, found: Proposal) -> tuple[Step, ...]:
    """Steps of ``found`` that ``consented`` does not hold: drift since the consent."""
    known = {step.fingerprint for step in consented.steps}
    return tuple(step for step in found.steps if step.fingerprint not in known)
