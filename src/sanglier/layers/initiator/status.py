"""One line per application server."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.initiator.desired import all_portals
from sanglier.layers.initiator.facts import InitiatorFacts, Portal
from sanglier.spec.cluster import ApplicationServer, Cluster


def _server_of(cluster: Cluster, portal: Portal) -> str:
    return next((s.name for s in cluster.storage if portal.address in s.san), "?")


def _line(cluster: Cluster, app: ApplicationServer, now: InitiatorFacts) -> StatusLine:
    good = {s.portal for s in now.sessions if s.state == "LOGGED_IN"}
    wanted = all_portals(cluster, app)
    lost = [f"{_server_of(cluster, p)} at {p.address}" for p in wanted if p not in good]
    text = f"{len(wanted) - len(lost)} of {len(wanted)} sessions logged in"
    if lost:
        text += "; not: " + ", ".join(lost)
    return StatusLine(
        host=app.name, layer="initiator", subject="sessions", healthy=not lost, text=text
    )


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell which sessions are missing."""
    return tuple(
        _line(goal.cluster, server, facts.of(server.name, InitiatorFacts))
        for server in goal.cluster.applications
        if facts.has(server.name, InitiatorFacts)
    )
