"""Nothing to take down."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.layers.base import Goal


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Leave the network as it is."""
    return Proposal()
