"""From nothing to Primary/Primary: file, metadata, up, connected, skip the sync, promote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Step
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.base import Goal
from sanglier.layers.drbd import adjusting, begin, in_force, judge, moves, traces
from sanglier.layers.drbd.desired import checked_options, handler_file, resource_file, servers_of
from sanglier.layers.drbd.facts import UP_TO_DATE, DrbdFacts, Resource
from sanglier.layers.drbd.traces import Beginning
from sanglier.layers.files import differs
from sanglier.spec.cluster import Volume

Sides = dict[str, Resource]


def _sides(goal: Goal, facts: Facts, volume: Volume) -> Sides:
    return {
        server.name: _side(facts, server.name, volume)
        for server in servers_of(goal.cluster, volume)
        if facts.has(server.name, DrbdFacts)
    }


def _side(facts: Facts, host: str, volume: Volume) -> Resource:
    """Give one side; what the layer below is to wipe takes the metadata with it.

    Metadata in the middle of a device that grew is metadata.
    """
    side = facts.of(host, DrbdFacts).resources[volume.name]
    if not facts.has(host, BackingFacts):
        return side
    device = facts.of(host, BackingFacts).devices[volume.name]
    if device.displaced:
        return replace(side, metadata=True)
    if device.emptied and device.blank and not side.up:
        return replace(side, metadata=False, fresh=False, outdated=False, torn=False)
    return side


def _drifted(goal: Goal, volume: Volume, side: Resource) -> tuple[str, ...]:
    """Options whose runtime value is not the file's."""
    wanted = checked_options(goal.cluster)
    wrong = [
        f"{key} is {side.options[key]}, not {value}"
        for key, value in wanted.items()
        if key in side.options and side.options[key] != value
    ]
    if side.secret_digest not in {"", goal.secrets.drbd[volume.name].digest()}:
        wrong.append("the shared secret in use is another")
    return tuple(wrong)


def _prepare(
    goal: Goal, facts: Facts, volume: Volume, host: str, side: Resource, begun: Beginning
) -> list[Step]:
    """File, module and metadata of one side."""
    now = facts.of(host, DrbdFacts)
    steps = []
    if differs(resource_file(goal, volume), now.files):
        device = facts.of(host, BackingFacts).devices[volume.name]
        empty = traces.is_empty(side, device)
        steps.append(moves.write(goal, volume, host, now, empty=empty))
    bare = side.pending or (not side.metadata and _may_begin(facts, volume, host))
    if not now.version and (bare or _ours_to_start(goal, facts, volume)):
        steps.append(moves.load_module(host))
    if bare:
        steps.append(
            begin.create_metadata(volume, host, resume=side.pending, consent=begun.consent)
        )
    return steps


def _may_begin(facts: Facts, volume: Volume, host: str) -> bool:
    """Whether metadata may be made: never on what the layer below keeps as the volume's own."""
    device = facts.of(host, BackingFacts).devices[volume.name]
    return device.blank or device.pending or device.has_drbd


def _run(goal: Goal, facts: Facts, volume: Volume, host: str, side: Resource) -> tuple[Step, ...]:
    """Bring one side up, or to what its file says.

    What holds data already is brought up by the cluster, where there is one: it knows whether
    the peer must be killed first.
    """
    if not side.up:
        return (moves.up(volume, host),) if _ours_to_start(goal, facts, volume) else ()
    return tuple(_mend(goal, facts, volume, host, side))


def _mend(goal: Goal, facts: Facts, volume: Volume, host: str, side: Resource) -> Iterator[Step]:
    """Mend a side that runs: its options or connection, then its disk."""
    apart = in_force.other_ends(goal, volume, host, side)
    reasons = _drifted(goal, volume, side)
    if apart:
        reasons += in_force.differences(goal, volume, host, side)
    if not reasons and differs(resource_file(goal, volume), facts.of(host, DrbdFacts).files):
        reasons = ("its file changes",)
    if reasons:
        ends = in_force.wanted_ends(goal, volume, host) if apart else None
        yield adjusting.adjust(goal, volume, host, reasons, ends)
    elif side.connection == "StandAlone":
        yield adjusting.connect(volume, host)
    if side.disk == "Diskless":
        yield adjusting.attach(volume, host)


def _ours_to_start(goal: Goal, facts: Facts, volume: Volume) -> bool:
    new = all(_is_new(side) for side in _sides(goal, facts, volume).values())
    return new or not goal.cluster.guarded


def _configure(
    goal: Goal, facts: Facts, volume: Volume, host: str, side: Resource, begun: Beginning
) -> Proposal:
    prepared = _prepare(goal, facts, volume, host, side, begun)
    return Proposal(steps=(*prepared, *_run(goal, facts, volume, host, side)))


def _is_new(side: Resource) -> bool:
    return side.pending or not side.metadata or side.fresh


def _together(goal: Goal, volume: Volume, sides: Sides, begun: Beginning) -> Proposal:
    """Connect the two and, where nothing was ever written on either, skip the first sync."""
    steps = []
    new = all(_is_new(side) for side in sides.values())
    if _to_be_connected(sides) if goal.cluster.guarded and not new else not _connected(sides):
        steps.append(moves.wait_connected(volume, volume.prefer))
    if new:
        steps.append(
            begin.skip_sync(volume, volume.prefer, known=begun.known, consent=begun.consent)
        )
    return Proposal(steps=tuple(steps))


def _connected(sides: Sides) -> bool:
    return all(side.connected for side in sides.values())


def _to_be_connected(sides: Sides) -> bool:
    """Whether two sides that run stand alone; those that are down are the cluster's to start."""
    apart = any(side.connection == "StandAlone" for side in sides.values())
    return apart and all(side.up for side in sides.values())


def _ready(sides: Sides, host: str) -> bool:
    """Whether ``host`` will hold up-to-date data once the steps so far have run."""
    side = sides[host]
    new = {name: _is_new(other) for name, other in sides.items()}
    if all(new.values()):
        return True
    if new[host]:
        return False
    return not side.up or side.disk in {UP_TO_DATE, "Diskless", "Consistent", "Outdated"}


def _promote(goal: Goal, volume: Volume, sides: Sides) -> Proposal:
    if goal.cluster.guarded:
        return Proposal()
    steps = [
        moves.promote(volume, host)
        for host, side in sides.items()
        if not side.primary and _ready(sides, host)
    ]
    return Proposal(steps=tuple(steps))


def _volume(goal: Goal, facts: Facts, volume: Volume) -> Proposal:
    sides = _sides(goal, facts, volume)
    refused = in_force.problems(goal, volume, sides)
    proposal = Proposal(problems=judge.problems(volume, sides) + refused)
    if refused or len(sides) < len(volume.devices):
        return proposal
    begun = traces.beginning(goal, facts, volume, sides)
    if begun.problem:
        return proposal + Proposal(problems=(begun.problem,))
    for host, side in sides.items():
        proposal += _configure(goal, facts, volume, host, side, begun)
    return proposal + _together(goal, volume, sides, begun) + _promote(goal, volume, sides)


def _handlers(goal: Goal, facts: Facts) -> tuple[Step, ...]:
    """Write the handler that DRBD asks before it goes on alone."""
    if not goal.cluster.guarded:
        return ()
    hosts = [s.name for s in goal.cluster.storage if facts.has(s.name, DrbdFacts)]
    wanted = handler_file(goal)
    return tuple(
        moves.write_handler(goal, host, wanted, facts.of(host, DrbdFacts))
        for host in hosts
        if differs(wanted, facts.of(host, DrbdFacts).files)
    )


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose for every volume whose both sides were read."""
    proposal = Proposal(steps=_handlers(goal, facts))
    for volume in goal.cluster.volumes:
        proposal += _volume(goal, facts, volume)
    return proposal
