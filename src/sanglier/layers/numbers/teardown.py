"""Nothing to take down: numbers go with what has them."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.layers.base import Goal


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Refuse nothing either: taking a cluster down is a way out of every disagreement."""
    return Proposal()
