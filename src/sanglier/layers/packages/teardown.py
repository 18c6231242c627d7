"""Nothing to take down: packages stay, other things may use them."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.layers.base import Goal


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Keep the packages."""
    return Proposal()
