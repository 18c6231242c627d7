"""States that are not recorded: a recorded one with parsed facts replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from sanglier.core.facts import Facts
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.drbd.facts import DrbdFacts, Traces, UserFacts
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.target.facts import Export, TargetFacts

from .goal import STORAGE, VOLUME

F = TypeVar("F")


def altered(facts: Facts, host: str, kind: type[F], **values: Any) -> Facts:  # noqa: ANN401
    """Replace fields of the facts of one layer on one host."""
    return facts.with_(host, replace(facts.of(host, kind), **values))  # type: ignore[type-var]


def with_device(facts: Facts, host: str, **values: Any) -> Facts:  # noqa: ANN401
    """Replace fields of the backing device."""
    device = facts.of(host, BackingFacts).devices[VOLUME.name]
    return altered(facts, host, BackingFacts, devices={VOLUME.name: replace(device, **values)})


def with_side(facts: Facts, host: str, **values: Any) -> Facts:  # noqa: ANN401
    """Replace fields of one side of the mirror."""
    side = facts.of(host, DrbdFacts).resources[VOLUME.name]
    return altered(facts, host, DrbdFacts, resources={VOLUME.name: replace(side, **values)})


def with_traces(facts: Facts, host: str, **values: tuple[str, ...]) -> Facts:
    """Replace what a host knows of the volume without looking at its disks."""
    kind = DrbdFacts if facts.has(host, DrbdFacts) else UserFacts
    return altered(facts, host, kind, traces={VOLUME.name: Traces(**values)})


def with_filesystem(facts: Facts, host: str, **values: Any) -> Facts:  # noqa: ANN401
    """Replace fields of what is on the map."""
    found = facts.of(host, Ocfs2Facts).filesystems[VOLUME.name]
    return altered(facts, host, Ocfs2Facts, filesystems={VOLUME.name: replace(found, **values)})


def without(facts: Facts, host: str) -> Facts:
    """Give the facts as if a host had not answered."""
    values = {key: value for key, value in facts._values.items() if key[0] != host}
    return Facts(values)


def with_state(facts: Facts, **values: Any) -> Facts:  # noqa: ANN401
    """Replace fields of what Pacemaker says, on every storage server that knows."""
    for host in STORAGE:
        state = facts.of(host, ClusterFacts).state
        if state is not None:
            facts = altered(facts, host, ClusterFacts, state=replace(state, **values))
    return facts


def not_running(facts: Facts, *primitives: str) -> Facts:
    """Give the facts as if these primitives ran nowhere."""
    state = facts.of(STORAGE[0], ClusterFacts).state
    assert state is not None
    return with_state(facts, running={**state.running, **{key: {} for key in primitives}})


def with_export(facts: Facts, host: str, **values: str) -> Facts:
    """Replace values of the export of the volume; names are ends of paths, ``__`` for ``/``."""
    old = facts.of(host, TargetFacts).exports[VOLUME.name]
    ends = {f"/{name.replace('__', '/')}": value for name, value in values.items()}
    new = {p: next((v for e, v in ends.items() if p.endswith(e)), o) for p, o in old.values.items()}
    export = Export(nodes=old.nodes, values=new)
    return altered(facts, host, TargetFacts, exports={VOLUME.name: export})


def without_file(facts: Facts, host: str, path: str) -> Facts:
    """Give the facts as if the look at the export had not found this file."""
    old = facts.of(host, TargetFacts).exports[VOLUME.name]
    values = {name: text for name, text in old.values.items() if name != path}
    export = Export(nodes=old.nodes, values=values)
    return altered(facts, host, TargetFacts, exports={VOLUME.name: export})


def with_file(facts: Facts, host: str, path: str, text: str) -> Facts:
    """Give the facts as if the look at the export had found this file, too."""
    old = facts.of(host, TargetFacts).exports[VOLUME.name]
    export = Export(nodes=old.nodes, values={**old.values, path: text})
    return altered(facts, host, TargetFacts, exports={VOLUME.name: export})
