"""One line per map."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.multipath.desired import paths_wanted
from sanglier.layers.multipath.facts import Map, MultipathFacts
from sanglier.layers.multipath.steps import map_of
from sanglier.spec.cluster import ApplicationServer, Volume


def _usable(found: Map) -> int:
    return sum(1 for path in found.paths if path.checker in {"ready", "ghost"})


def _line(goal: Goal, app: ApplicationServer, volume: Volume, now: MultipathFacts) -> StatusLine:
    found, wanted = map_of(now, volume), paths_wanted(goal, volume, app)
    if found is None:
        healthy, text = False, "no map"
    else:
        usable = _usable(found)
        healthy = usable == wanted and len(found.paths) == wanted
        text = f"{usable} of {wanted} paths work, {found.groups} groups, queueing {found.queueing}"
    return StatusLine(
        host=app.name, layer="multipath", subject=volume.alias, healthy=healthy, text=text
    )


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell how many paths of each map work."""
    return tuple(
        _line(goal, server, volume, facts.of(server.name, MultipathFacts))
        for server in goal.cluster.applications
        if facts.has(server.name, MultipathFacts)
        for volume in goal.cluster.volumes
    )
