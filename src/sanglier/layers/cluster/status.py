"""Who is a member, who guards, and which side of each volume is open."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib, link, sides
from sanglier.layers.cluster.facts import ClusterFacts, State
from sanglier.spec.cluster import Cluster, StorageServer


def _engine(server: StorageServer, now: ClusterFacts) -> StatusLine:
    node = now.state.nodes.get(server.hostname) if now.state else None
    words, healthy = ["engine stopped"], False
    if now.state is not None:
        quorum = "with quorum" if now.state.quorate else "WITHOUT QUORUM"
        vote = "witness votes" if now.device_votes else "NO VOTE OF THE WITNESS"
        place = "in maintenance" if node and node.standby else "member"
        words = [place if node and node.online else "not a member", quorum, vote]
        healthy = bool(node and node.online and not node.standby and now.state.quorate
                       and now.device_votes)  # fmt: skip
    return StatusLine(
        host=server.name, layer="cluster", subject="engine", healthy=healthy, text=", ".join(words)
    )


def _fences(cluster: Cluster, host: str, state: State) -> Iterator[StatusLine]:
    for server in cluster.storage:
        for device in server.fence:
            runs = bool(state.where(cib.device_id(server, device), "Started"))
            silent = "DOES NOT ANSWER" if state.watched(server.hostname) else "is tried by nobody"
            told = "answers" if runs else silent
            yield StatusLine(
                host=host, layer="cluster", subject=cib.device_id(server, device), healthy=runs,
                text=f"{device.agent} of {server.name} {told}",
            )  # fmt: skip


def _open(cluster: Cluster, host: str, state: State) -> Iterator[StatusLine]:
    for volume in cluster.volumes:
        places = state.where(cib.side(volume))
        preferred = next(s.hostname for s in cluster.storage if s.name == volume.prefer)
        note = "" if preferred in places else f" (preferred: {volume.prefer})"
        told = f"open on {' AND '.join(places)}{note}" if places else "OPEN NOWHERE"
        yield StatusLine(
            host=host, layer="cluster", subject=volume.name, healthy=len(places) == 1, text=told
        )


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell of both servers, and once, by the coordinator's view, of the rest."""
    lines: list[StatusLine] = []
    view: tuple[str, State] | None = None
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            now = facts.of(server.name, ClusterFacts)
            lines += [_engine(server, now), *filter(None, [link.status(server.name, now.link)])]
            if now.state and (view is None or now.state.coordinator == server.hostname):
                view = (server.name, now.state)
    if view:
        lines += [*_fences(goal.cluster, *view), *_open(goal.cluster, *view)]
    lines += [
        StatusLine(
            host=found.server.name, layer="cluster", subject=found.volume.name, healthy=False,
            text=sides.words(found),
        )
        for found in sides.opened(goal, facts)
    ]  # fmt: skip
    return tuple(lines)
