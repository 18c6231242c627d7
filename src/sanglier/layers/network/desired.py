"""Addresses that a host must bear and peers that it must reach."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.spec.cluster import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One leg of traffic: from an address of ours to a peer's."""

    source: str
    peer_host: str
    peer: str
    purpose: str
    """``replication``, ``san`` or ``o2cb``."""


def addresses_of(cluster: Cluster, host: str) -> tuple[str, ...]:
    """Addresses that ``host`` must bear."""
    storage = [a for s in cluster.storage if s.name == host for a in (s.replication, *s.san)]
    application = [
        a for s in cluster.applications if s.name == host for a in (*s.san, s.interconnect)
    ]
    return tuple(dict.fromkeys(storage + application))


def links_of(cluster: Cluster, host: str) -> tuple[Link, ...]:
    """Links whose sending end is ``host``; each is tested from one end only for the SANs."""
    links: list[Link] = []
    for me in cluster.storage:
        if me.name == host:
            links += [
                Link(
                    source=me.replication,
                    peer_host=peer.name,
                    peer=peer.replication,
                    purpose="replication",
                )
                for peer in cluster.storage
                if peer.name != host
            ]
    for app in cluster.applications:
        if app.name == host:
            links += [
                Link(source=mine, peer_host=peer.name, peer=theirs, purpose="san")
                for peer in cluster.storage
                for mine, theirs in zip(app.san, peer.san, strict=True)
            ]
            links += [
                Link(
                    source=app.interconnect,
                    peer_host=peer.name,
                    peer=peer.interconnect,
                    purpose="o2cb",
                )
                for peer in cluster.applications
                if peer.name != host
            ]
    return tuple(links)
