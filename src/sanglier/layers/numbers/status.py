"""One line per server: its numbers."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.numbers import judge
from sanglier.layers.numbers.facts import NumbersFacts


def _told(goal: Goal, host: str) -> str:
    cluster = goal.cluster
    nodes = [f"node {server.node}" for server in cluster.applications if server.name == host]
    sides = [
        ", ".join(f"{v.name} minor {v.minor} port {v.port}" for v in cluster.volumes)
        for server in cluster.storage
        if server.name == host
    ]
    return ", ".join((*nodes, *sides))


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell the numbers that are kept, and where they are disputed."""
    sick = {problem.address.host for problem in judge.problems(goal, facts)}
    return tuple(
        StatusLine(
            host=host.name,
            layer="numbers",
            subject="numbers",
            healthy=host.name not in sick,
            text=_told(goal, host.name),
        )
        for host in (*goal.cluster.storage, *goal.cluster.applications)
        if facts.has(host.name, NumbersFacts)
    )
