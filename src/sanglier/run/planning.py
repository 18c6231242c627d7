"""A plan together with the hosts that could not be read."""

from __future__ import annotations

from collections.abc import Sequence

from sanglier.core.facts import Facts
from sanglier.core.plan import Plan, Proposal, Stage
from sanglier.core.planner import plan_apply, plan_destroy
from sanglier.layers.base import Goal, StackLayer
from sanglier.run.gather import problems_of

REACH = "ssh"
"""Name of the stage that holds the hosts out of reach."""


def plan_for(
    layers: Sequence[StackLayer], goal: Goal, facts: Facts, *, destroy: bool = False
) -> Plan:
    """Plan for the hosts that answered; the others are blockers in a first stage."""
    fold = plan_destroy if destroy else plan_apply
    plan = fold(layers, goal, facts, goal.consents)
    if not facts.unreachable:
        return plan
    reach = Stage(layer=REACH, proposal=Proposal(problems=tuple(problems_of(facts))))
    return Plan(stages=(reach, *plan.stages), consents=plan.consents)
