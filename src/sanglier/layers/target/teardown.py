"""Remove a volume's export from configfs, top to bottom; other exports stay."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.files import remove_step
from sanglier.layers.target.desired import BOOTS, DROP_ACL, RECORDS, ROOT, core, tpg, tree_path
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.spec.cluster import StorageServer, Volume

# $1 backstore, $2 portal group.  Disabling the group waits for what is in flight.
REMOVE = f"""{DROP_ACL}
cd {ROOT} || return 0
if [ -e "$2/enable" ]; then echo 0 > "$2/enable"; fi
for acl in "$2"/acls/*; do if [ -d "$acl" ]; then drop_acl "$acl"; fi; done
for lun in "$2"/lun/lun_*; do
    for link in "$lun"/*; do if [ -L "$link" ]; then rm -f "$link"; fi; done
    if [ -d "$lun" ]; then rmdir "$lun"; fi
done
for portal in "$2"/np/*; do if [ -d "$portal" ]; then rmdir "$portal"; fi; done
if [ -d "$2" ]; then rmdir "$2"; fi
if [ -d "${{2%/*}}" ]; then rmdir "${{2%/*}}"; fi
for group in "$1"/alua/*; do
    case $group in */default_tg_pt_gp) ;; *) if [ -d "$group" ]; then rmdir "$group"; fi;; esac
done
if [ -d "$1" ]; then rmdir "$1"; fi
if [ -d "${{1%/*}}" ]; then rmdir "${{1%/*}}"; fi
rm -rf -- {BOOTS}/"${{1##*/}}" {RECORDS}/"${{1##*/}}"
"""


def _gone(host: str, volume: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, TargetFacts)
        return facts.with_(host, replace(now, exports={**now.exports, volume: Export(values={})}))

    return effect


def _remove(goal: Goal, server: StorageServer, volume: Volume) -> Step:
    return Step(
        address=Address(host=server.name, layer="target", subject=f"{volume.name}-target"),
        phase=0,
        mark=Mark.REMOVE,
        summary=f"close and remove the target of {volume.name}",
        reason="the cluster is being taken down",
        actions=(Script(text=REMOVE, args=(core(volume), tpg(goal, volume, server))),),
        effect=_gone(server.name, volume.name),
        risk=Risk.DISRUPTIVE,
    )


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Remove what is there, server by server."""
    steps = [
        _remove(goal, server, volume)
        for server in goal.cluster.storage
        if facts.has(server.name, TargetFacts)
        for volume in goal.cluster.volumes
        if server.name in volume.devices
        and facts.of(server.name, TargetFacts).exports[volume.name].nodes
    ]
    return Proposal(steps=(*steps, *_trees(goal, facts)))


def _trees(goal: Goal, facts: Facts) -> tuple[Step, ...]:
    steps = []
    for server in goal.cluster.storage:
        for volume in goal.cluster.volumes:
            path = tree_path(volume)
            if facts.has(server.name, TargetFacts) and path in facts.of(
                server.name, TargetFacts).files:  # fmt: skip
                address = Address(host=server.name, layer="target", subject=f"{volume.name}-tree")
                steps.append(remove_step(address, path, _forgotten(server.name, path), phase=1))
    return tuple(steps)


def _forgotten(host: str, path: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, TargetFacts)
        left = {key: value for key, value in now.files.items() if key != path}
        return facts.with_(host, replace(now, files=left))

    return effect
