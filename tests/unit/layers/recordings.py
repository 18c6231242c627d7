"""Cases: what the real tools answered on the hosts of a lab, and the facts in it.

``fixtures/cases/CASE/HOST/LAYER/PROBE.txt`` holds an answer as
``sanglier plan --record`` writes it; ``base.txt`` names the case from which
everything is taken that a case does not hold itself, ``unreachable.txt`` the
hosts that did not answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sanglier.core.facts import Facts
from sanglier.core.probe import Output
from sanglier.layers.base import Goal, StackLayer
from sanglier.layers.stack import LAYERS
from sanglier.run.recorded import load_recording

from .goal import ARTICLE, FIXTURES, GOAL
from .today import of_today

CASES, ARTICLE_CASES = FIXTURES / "cases", FIXTURES / "article"
NAMES = tuple(sorted(path.name for path in CASES.iterdir() if path.is_dir()))


def base_of(place: Path) -> Path | None:
    """Give the case that fills the gaps of another."""
    pointer = place / "base.txt"
    return place.parent / pointer.read_text().strip() if pointer.exists() else None


def unreachable_in(place: Path) -> tuple[str, ...]:
    """Give the hosts that did not answer."""
    listed = place / "unreachable.txt"
    return tuple(listed.read_text().split()) if listed.exists() else ()


def outputs_at(place: Path, host: str, layer: str) -> dict[str, Output]:
    """Load the answers of a host for a layer, the base's under the case's own."""
    base = base_of(place)
    below = outputs_at(base, host, layer) if base else {}
    found = load_recording(place, host, layer)
    return {**below, **{name: of_today(layer, name, output) for name, output in found.items()}}


def asked(goal: Goal = GOAL) -> Iterator[tuple[str, StackLayer]]:
    """Give every host with every layer that has probes there."""
    for host in (host.name for host in goal.cluster.hosts):
        for layer in LAYERS:
            if layer.probes(goal, host):
                yield host, layer


def facts_at(place: Path, goal: Goal = GOAL) -> Facts:
    """Parse a case with the layers' own parsers."""
    facts = Facts()
    silent = unreachable_in(place)
    for host, layer in asked(goal):
        if host in silent:
            continue
        outputs = outputs_at(place, host, layer.name)
        facts = facts.with_(host, layer.parse(goal, host, outputs))
    return facts


def outputs_of(case: str, host: str, layer: str) -> dict[str, Output]:
    """Load the answers in a case by name."""
    return outputs_at(CASES / case, host, layer)


@cache
def facts_of(case: str) -> Facts:
    """Parse a case by name."""
    return facts_at(CASES / case)


@cache
def article_facts_of(case: str) -> Facts:
    """Parse a case of the article's mode by name."""
    return facts_at(ARTICLE_CASES / case, ARTICLE)
