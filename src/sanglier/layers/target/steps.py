"""Build the export in configfs, mend what differs, and open it last."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Action, Run, Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.secret import Secret
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.files import as_read, differs, write_step
from sanglier.layers.services import STOPPED, Unit
from sanglier.layers.target import judge
from sanglier.layers.target.desired import (
    DROP_ACL,
    OPTIMIZED,
    RESTORE_UNIT,
    ROOT,
    STANDBY,
    Group,
    admitted,
    boots_path,
    core,
    groups,
    readable,
    state_path,
    tpg,
    tree_file,
)
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.spec.cluster import StorageServer, Volume

LOAD = f"""
modprobe -a target_core_mod target_core_iblock iscsi_target_mod
[ -d {ROOT}/iscsi ] || mkdir {ROOT}/iscsi
"""
MAKE = f'cd {ROOT}\nmkdir -p -- "$@"'
SET = f"""
cd {ROOT}
while [ $# -gt 1 ]; do
    printf '%s' "$2" > "$1" || {{ echo "cannot set $1"; return 1; }}
    shift 2
done
"""
LINK = f"""
cd {ROOT}
while [ $# -gt 1 ]; do [ -e "$1" ] || ln -s "{ROOT}/$2" "$1"; shift 2; done
"""
# $1 backstore, $2 device: a backstore must be bound to its device before anything else is set.
BIND = f"""
cd {ROOT}/"$1"
read -r on < enable
if [ "$on" != 1 ]; then printf 'udev_path=%s\\n' "$2" > control; echo 1 > enable; fi
"""
DROP = f'{DROP_ACL}\ncd {ROOT}\ndrop_acl "$1"'
OPEN = f'echo 1 > {ROOT}/"$1"/enable'


def _change(host: str, volume: str, values: dict[str, str], nodes: frozenset[str]) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, TargetFacts)
        old = now.exports[volume]
        new = Export(nodes=old.nodes | nodes, values={**old.values, **values})
        return facts.with_(host, replace(now, exports={**now.exports, volume: new}))

    return effect


def _missing(group: Group, export: Export) -> tuple[str, ...]:
    return tuple(node for node in group.made if node not in export.nodes)


def _wrong(group: Group, export: Export) -> dict[str, str | Secret]:
    return {
        path: value
        for path, value in group.values.items()
        if export.value(path) != readable(path, value)
    }


def _pairs(values: dict[str, str | Secret]) -> tuple[str | Secret, ...]:
    return tuple(word for path, value in values.items() for word in (path, value))


def _actions(group: Group, volume: Volume, missing: tuple[str, ...], wrong: dict[str, str | Secret],
             ) -> tuple[Action, ...]:  # fmt: skip
    actions: list[Action] = []
    nodes = tuple(node for node in group.nodes if node in missing)
    if nodes:
        actions.append(Script(text=MAKE, args=nodes))
    if core(volume) in group.nodes:
        actions.append(Script(text=BIND, args=(core(volume), volume.drbd_device)))
    links = {link: to for link, to in group.links.items() if link in missing}
    if links:
        words = tuple(word for link, to in links.items() for word in (link, to))
        actions.append(Script(text=LINK, args=words))
    if wrong:
        actions.append(Script(text=SET, args=_pairs(wrong)))
    return tuple(actions)


def _reason(missing: tuple[str, ...], wrong: dict[str, str | Secret], export: Export) -> str:
    if missing:
        return "it is not there"
    told = []
    for path, value in wrong.items():
        shown = (
            "not as wanted" if isinstance(value, Secret) else f"{export.value(path)}, not {value}"
        )
        told.append(f"{path.rsplit('/', 1)[-1]} is {shown}")
    return "; ".join(told)


def _group_step(host: str, volume: Volume, group: Group, export: Export) -> Step | None:
    missing, wrong = _missing(group, export), _wrong(group, export)
    if not missing and not wrong:
        return None
    if missing:
        wrong |= group.born
    values = {path: readable(path, value) for path, value in wrong.items()}
    if core(volume) in group.nodes:
        values[f"{core(volume)}/enable"] = "1"
    return Step(
        address=Address(host=host, layer="target", subject=group.subject),
        phase=1,
        mark=Mark.CREATE if missing else Mark.CHANGE,
        summary=group.title,
        reason=_reason(missing, wrong, export),
        actions=_actions(group, volume, missing, wrong),
        effect=_change(host, volume.name, values, frozenset(missing)),
        risk=Risk.SAFE if missing or group.safe else Risk.DISRUPTIVE,
    )


def _load(host: str) -> Step:
    def effect(facts: Facts) -> Facts:
        return facts.with_(host, replace(facts.of(host, TargetFacts), loaded=True))

    return Step(
        address=Address(host=host, layer="target", subject="lio"),
        phase=0,
        mark=Mark.START,
        summary="load the kernel's target (LIO)",
        reason="not loaded",
        actions=(Script(text=LOAD),),
        effect=effect,
    )


def _no_restore(host: str) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, TargetFacts)
        return facts.with_(host, replace(now, units={**now.units, RESTORE_UNIT: STOPPED}))

    return Step(
        address=Address(host=host, layer="target", subject="restore"),
        phase=0,
        mark=Mark.CHANGE,
        summary=f"disable {RESTORE_UNIT}",
        reason="at boot it would export before the mirror is up to date",
        actions=(Run(argv=("systemctl", "disable", "-q", RESTORE_UNIT)),),
        effect=effect,
    )


def _open(goal: Goal, volume: Volume, server: StorageServer) -> Step:
    path = tpg(goal, volume, server)
    return Step(
        address=Address(host=server.name, layer="target", subject=f"{volume.name}-open"),
        phase=2,
        mark=Mark.START,
        summary=f"enable the target of {volume.name}",
        reason="it is disabled",
        actions=(Script(text=OPEN, args=(path,)),),
        effect=_change(server.name, volume.name, {f"{path}/enable": "1"}, frozenset()),
    )


def _strangers(goal: Goal, volume: Volume, server: StorageServer, export: Export) -> list[Step]:
    """Shut out initiators that the file does not name."""
    acls = f"{tpg(goal, volume, server)}/acls/"
    allowed = {acls + goal.cluster.initiator_iqn(app) for app in admitted(goal, server)}
    present = {acls + node.removeprefix(acls).split("/")[0]
               for node in export.nodes if node.startswith(acls)}  # fmt: skip
    return [_drop(server.name, volume, acl) for acl in sorted(present - allowed)]


def _drop(host: str, volume: Volume, acl: str) -> Step:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, TargetFacts)
        old = now.exports[volume.name]
        left = frozenset(n for n in old.nodes if n != acl and not n.startswith(acl + "/"))
        exports = {**now.exports, volume.name: replace(old, nodes=left)}
        return facts.with_(host, replace(now, exports=exports))

    initiator = acl.rsplit("/", 1)[-1]
    return Step(
        address=Address(host=host, layer="target", subject=f"{volume.name}-acl-{initiator}"),
        phase=1,
        mark=Mark.REMOVE,
        summary=f"end the access of {initiator}",
        reason="the file names no such application server",
        actions=(Script(text=DROP, args=(acl,)),),
        effect=effect,
        risk=Risk.DISRUPTIVE,
    )


def _exportable(facts: Facts, host: str, volume: Volume) -> bool:
    if not facts.has(host, DrbdFacts):
        return False
    return facts.of(host, DrbdFacts).resources[volume.name].exportable


def _tree(goal: Goal, server: StorageServer, volume: Volume, now: TargetFacts) -> list[Step]:
    """Write the file from which the cluster's agent builds the tree at every start."""
    wanted = tree_file(goal, volume, server)
    if not goal.cluster.guarded or not differs(wanted, now.files):
        return []

    def effect(facts: Facts) -> Facts:
        then = facts.of(server.name, TargetFacts)
        files = {**then.files, wanted.path: as_read(wanted)}
        return facts.with_(server.name, replace(then, files=files))

    address = Address(host=server.name, layer="target", subject=f"{volume.name}-tree")
    return [write_step(address, wanted, now.files, effect, phase=0)]


def _shut(host: str, volume: Volume, state: str) -> Step:
    """Shut a side that takes I/O without being open by the cluster's word."""
    return Step(
        address=Address(host=host, layer="target", subject=f"{volume.name}-alua"),
        phase=1,
        mark=Mark.CHANGE,
        summary=f"put this side of {volume.name} into standby",
        reason=f"its ALUA state is {state}: neither open nor standby",
        actions=(Script(text=SET, args=(state_path(volume), STANDBY)),),
        effect=_change(host, volume.name, {state_path(volume): STANDBY}, frozenset()),
        risk=Risk.DISRUPTIVE,
    )


def _state(goal: Goal, host: str, volume: Volume, export: Export) -> list[Step]:
    state = export.value(state_path(volume))
    odd = state is not None and state not in {OPTIMIZED, STANDBY}
    return [_shut(host, volume, state or "")] if goal.cluster.guarded and odd else []


def _without_lun(goal: Goal, volume: Volume, group: Group, export: Export) -> Group:
    """Leave to the cluster's agent the LUN of a server that it has shut out."""
    notes = (
        boots_path(volume, path.rsplit("/", 1)[-1]) for path in group.nodes if "/acls/" in path
    )
    if not goal.cluster.guarded or not any(export.shut_out_since(note) for note in notes):
        return group
    return replace(group, nodes=group.nodes[:1], links={})


def _volume(goal: Goal, facts: Facts, server: StorageServer, volume: Volume) -> tuple[Step, ...]:
    """Mend the export; in the guarded mode a missing one is the cluster's to build."""
    export = facts.of(server.name, TargetFacts).exports[volume.name]
    absent = core(volume) not in export.nodes
    if not _exportable(facts, server.name, volume) or (goal.cluster.guarded and absent):
        return ()
    wanted = (_without_lun(goal, volume, g, export) for g in groups(goal, volume, server))
    made = (_group_step(server.name, volume, g, export) for g in wanted)
    steps = [step for step in made if step] + _strangers(goal, volume, server, export)
    steps += _state(goal, server.name, volume, export)
    if export.value(f"{tpg(goal, volume, server)}/enable") != "1":
        steps.append(_open(goal, volume, server))
    return tuple(steps)


def _server(goal: Goal, facts: Facts, server: StorageServer) -> Proposal:
    now = facts.of(server.name, TargetFacts)
    ours = not (now.loaded or goal.cluster.guarded)
    steps: list[Step] = [_load(server.name)] if ours else []
    if now.units.get(RESTORE_UNIT, Unit()).enabled not in {"disabled", "masked"}:
        steps.append(_no_restore(server.name))
    for volume in goal.cluster.volumes:
        if server.name in volume.devices:
            steps += _tree(goal, server, volume, now)
            steps += _volume(goal, facts, server, volume)
    return Proposal(steps=tuple(steps))


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose for each storage server whose mirror side may be exported."""
    proposal = Proposal(problems=tuple(judge.problems(goal, facts)))
    for server in goal.cluster.storage:
        if facts.has(server.name, TargetFacts):
            proposal += _server(goal, facts, server)
    return proposal
