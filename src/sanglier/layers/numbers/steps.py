"""No steps: numbers are kept, or the plan is refused."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.layers.base import Goal
from sanglier.layers.numbers import judge


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose nothing; tell what does not agree."""
    return Proposal(problems=judge.problems(goal, facts))
