"""multipathd's settings as it runs with them, and whether each map queues."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import Reader, RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.multipath.desired import QUEUES, settings
from sanglier.layers.multipath.facts import MultipathFacts

READER = Reader(
    layer="multipath",
    timings={"polling_interval": "polling_s", "checker_timeout": "checker_timeout_s"},
)


def in_force(goal: Goal, facts: Facts) -> Iterator[RuntimeValue]:
    """Give those of the daemon and of each volume's map."""
    wanted = settings(goal.cluster.timings)
    for server in goal.cluster.applications:
        if not facts.has(server.name, MultipathFacts):
            continue
        now = facts.of(server.name, MultipathFacts)
        yield from READER.compare(server.name, "", wanted, now.settings)
        queueing = {found.wwid: found.queueing for found in now.maps}
        for volume in goal.cluster.volumes:
            told = {"queueing": queueing[volume.wwid]} if volume.wwid in queueing else {}
            yield from READER.compare(server.name, volume.name, {"queueing": QUEUES}, told)
