"""One line per host."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.network.desired import addresses_of, links_of
from sanglier.layers.network.facts import NetworkFacts
from sanglier.spec.cluster import Cluster


def _line(cluster: Cluster, host: str, now: NetworkFacts) -> StatusLine:
    absent = [a for a in addresses_of(cluster, host) if a not in now.addresses]
    links = links_of(cluster, host)
    dead = [link for link in links if now.reachable.get(link.peer) is False]
    troubles = [f"{a} missing" for a in absent]
    troubles += [f"no answer from {x.peer_host} at {x.peer} ({x.purpose})" for x in dead]
    peers = "1 peer answers" if len(links) == 1 else f"{len(links)} peers answer"
    good = f"{len(addresses_of(cluster, host))} addresses, {peers}"
    return StatusLine(
        host=host,
        layer="network",
        subject="links",
        healthy=not troubles,
        text="; ".join(troubles) or good,
    )


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell which addresses are missing and which peers are silent."""
    return tuple(
        _line(goal.cluster, host.name, facts.of(host.name, NetworkFacts))
        for host in goal.cluster.hosts
        if facts.has(host.name, NetworkFacts)
    )
