"""Flush our maps, remove our file, stop the daemon when no map is left."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Effect, Mark, Step
from sanglier.layers.base import Goal
from sanglier.layers.files import differs, remove_step
from sanglier.layers.multipath.desired import DAEMON, conf_file
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.multipath.steps import map_of
from sanglier.layers.services import STOPPED, Unit
from sanglier.spec.cluster import Volume

# A path that udev still probes makes the first flush say "in use".
FLUSH = """
tries=25
until multipath -f "$1"; do
    tries=$((tries - 1)); [ "$tries" -gt 0 ] || return 1; sleep 0.2
done
"""
STOP = (
    "systemctl disable -q multipathd.service\nsystemctl stop multipathd.service multipathd.socket"
)


def _address(host: str, subject: str) -> Address:
    return Address(host=host, layer="multipath", subject=subject)


def _flush(host: str, volume: Volume) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, MultipathFacts)
        left = tuple(m for m in now.maps if m.wwid != volume.wwid)
        return facts.with_(host, replace(now, maps=left))

    return Step(
        address=_address(host, volume.alias),
        phase=0,
        mark=Mark.REMOVE,
        summary=f"flush map {volume.alias}",
        reason="the cluster is being taken down",
        actions=(Script(text=FLUSH, args=(volume.alias,)),),
        effect=effect,
    )


def _stop(host: str) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, MultipathFacts)
        return facts.with_(host, replace(now, units={**now.units, DAEMON: STOPPED}))

    return Step(
        address=_address(host, "multipathd"),
        phase=1,
        mark=Mark.STOP,
        summary="stop multipathd, not at boot either",
        reason="no map of ours is left",
        actions=(Script(text=STOP),),
        effect=effect,
    )


def _file_gone(host: str, path: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, MultipathFacts)
        files = {key: value for key, value in now.files.items() if key != path}
        return facts.with_(host, replace(now, files=files))

    return effect


def _server(goal: Goal, host: str, now: MultipathFacts) -> tuple[Step, ...]:
    mine = tuple(v for v in goal.cluster.volumes if map_of(now, v))
    steps = [_flush(host, volume) for volume in mine]
    unit = now.units.get(DAEMON, Unit())
    wanted = conf_file(goal)
    alone = len(mine) == len(now.maps) and not differs(wanted, now.files)
    if alone and (unit.is_active or unit.is_enabled):
        steps.append(_stop(host))
    if not differs(wanted, now.files):
        effect = _file_gone(host, wanted.path)
        address = _address(host, "multipath.conf")
        steps.append(remove_step(address, wanted.path, effect, phase=2))
    return tuple(steps)


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Take down this cluster's maps; a file that is not ours stays."""
    steps = [
        step
        for server in goal.cluster.applications
        if facts.has(server.name, MultipathFacts)
        for step in _server(goal, server.name, facts.of(server.name, MultipathFacts))
    ]
    return Proposal(steps=tuple(steps))
