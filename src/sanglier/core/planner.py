"""Fold the layers over predicted facts, so that the whole plan is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from sanglier.core.facts import Facts
from sanglier.core.layer import Layer
from sanglier.core.plan import Plan, Proposal, Stage
from sanglier.core.step import Step

G = TypeVar("G")
Ask = Callable[[Layer[G], G, Facts], Proposal]


def predict(facts: Facts, steps: Iterable[Step]) -> Facts:
    """Apply the effects of ``steps`` in order."""
    for step in steps:
        facts = step.effect(facts)
    return facts


def _fold(
    layers: Sequence[Layer[G]], goal: G, facts: Facts, consents: frozenset[str], ask: Ask[G]
) -> Plan:
    stages = []
    for layer in layers:
        proposal = ask(layer, goal, facts)
        proposal = Proposal(
            steps=tuple(sorted(proposal.steps, key=lambda step: step.phase)),
            problems=proposal.problems,
        )
        stages.append(Stage(layer=layer.name, proposal=proposal))
        facts = predict(facts, proposal.steps)
    return Plan(stages=tuple(stages), consents=consents)


def plan_apply(
    layers: Sequence[Layer[G]], goal: G, facts: Facts, consents: frozenset[str] = frozenset()
) -> Plan:
    """Plan from ``facts`` to ``goal``, bottom layer first."""
    return _fold(layers, goal, facts, consents, lambda layer, g, f: layer.propose(g, f))


def plan_destroy(
    layers: Sequence[Layer[G]], goal: G, facts: Facts, consents: frozenset[str] = frozenset()
) -> Plan:
    """Plan the removal of everything, top layer first."""
    upside_down = tuple(reversed(layers))
    return _fold(upside_down, goal, facts, consents, lambda layer, g, f: layer.teardown(g, f))
