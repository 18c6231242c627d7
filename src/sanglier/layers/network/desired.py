"""Addresses that a host must bear and peers that it must reach."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.spec.cluster import Cluster, StorageServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One leg of traffic: from an address of ours to a peer's."""

    source: str
    peer_host: str
    peer: str
    purpose: str
    """``replication``, ``san``, ``o2cb``, ``management`` or ``witness``."""


def addresses_of(cluster: Cluster, host: str) -> tuple[str, ...]:
    """Addresses that ``host`` must bear."""
    storage = [a for s in cluster.storage if s.name == host for a in (s.replication, *s.san)]
    if cluster.guarded:
        storage += [s.management for s in cluster.storage if s.name == host and s.management]
        if cluster.witness is not None and cluster.witness.name == host:
            storage.append(cluster.witness.address)
    application = [
        a for s in cluster.applications if s.name == host for a in (*s.san, s.interconnect)
    ]
    return tuple(dict.fromkeys(storage + application))


def _arbitration(cluster: Cluster, me: StorageServer) -> list[Link]:
    """Corosync's second link, and the way to the witness."""
    if not cluster.guarded or me.management is None or cluster.witness is None:
        return []
    witness = cluster.witness
    links = [
        Link(source=me.management, peer_host=peer.name, peer=peer.management, purpose="management")
        for peer in cluster.storage
        if peer.name != me.name and peer.management
    ]
    links.append(
        Link(source=me.management, peer_host=witness.name, peer=witness.address, purpose="witness")
    )
    return links


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
            links += _arbitration(cluster, me)
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
