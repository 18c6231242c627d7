"""Plans as text, compared with ``tests/golden/plans``.

``SANGLIER_UPDATE_GOLDEN=1 pytest …`` writes the goldens anew; read the diff
before you commit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from sanglier.core.plan import Plan
from sanglier.core.problem import Problem
from sanglier.core.step import Risk, Step

from .goal import TESTS

PLACE = TESTS / "golden" / "plans"
UPDATE = bool(os.environ.get("SANGLIER_UPDATE_GOLDEN"))


def _step_line(step: Step) -> str:
    risk = "" if step.risk is Risk.SAFE else f"  [{step.risk}]"
    consent = f"  [{step.consent}]" if step.consent else ""
    return f"{step.address} {step.mark} {step.summary}{risk}{consent}"


def _problem_line(problem: Problem) -> str:
    return f"! {problem.severity} {problem.address} {problem.what}  [{problem.code}]"


def _lines(plan: Plan) -> Iterator[str]:
    yield from (_step_line(step) for step in plan.steps)
    yield from (_problem_line(problem) for problem in plan.problems)


def as_text(plan: Plan) -> str:
    """Write a plan as text: a line per step, then a line per problem."""
    return "".join(f"{line}\n" for line in _lines(plan))


def assert_golden(plan: Plan, name: str) -> None:
    """Compare a plan with its golden, or write it when asked to."""
    path = PLACE / f"{name}.txt"
    if UPDATE:
        PLACE.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(plan))
    assert path.exists(), f"no golden {path.name}; SANGLIER_UPDATE_GOLDEN=1 writes it"
    assert as_text(plan) == path.read_text()
