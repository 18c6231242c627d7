"""Planned changes: which side of a volume is open, and which server is empty for work.

Nothing here changes what the cluster's file declares; Pacemaker's own commands do the work.
"""

from __future__ import annotations

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.facts import ClusterFacts, State
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.target.desired import state_file, tpg
from sanglier.layers.target.facts import TargetFacts
from sanglier.spec.cluster import StorageServer, Volume

MOVE_S = 60
"""Longest that a move may take, in seconds."""
EMPTY_S = 240
FILL_S = 900

# $1 resource, $2 node, $3 seconds, $4 file with the ALUA state of that side, which says when it is
# open: crm_resource(8) --locate counts one whose start is pending.  The constraint that moves it is
# forgotten afterwards, and by itself after two minutes, --lifetime; stickiness keeps it there.
MOVE = """
crm_resource --resource "$1" --move --node "$2" --lifetime PT2M >/dev/null || return 1
tries=$(($3 * 5))
until { read -r state < "$4"; } 2>/dev/null && [ "$state" = 0 ]; do
    tries=$((tries - 1)); sleep 0.2
    if [ "$tries" -le 0 ]; then
        crm_resource --resource "$1" --clear >/dev/null 2>&1
        crm_mon -1r; echo "$1 did not move to $2"; return 1
    fi
done
crm_resource --resource "$1" --clear >/dev/null
"""
# $1 node, $2 seconds.  crm_attribute(8) without a lifetime: it lasts over a reboot.
EMPTY = """
crm_attribute --node "$1" --name standby --update on || return 1
crm_resource --wait --timeout="$2s" || { crm_mon -1r; return 1; }
"""
# $1 node, $2 seconds, then DRBD minors: each must be Primary on data that is up to date again.
FILL = """
node=$1 seconds=$2; shift 2
crm_attribute --node "$node" --name standby --delete || return 1
for minor; do
    until grep -q "^ *$minor: cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate" /proc/drbd; do
        seconds=$((seconds - 1)); sleep 1
        if [ "$seconds" -le 0 ]; then
            cat /proc/drbd; crm_mon -1r; echo "$node is not back yet"; return 1
        fi
    done
done
crm_resource --wait --timeout="${seconds}s"
"""


def state_of(goal: Goal, facts: Facts) -> tuple[str, State] | None:
    """Find a storage server that can be asked, and what it knows."""
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            state = facts.of(server.name, ClusterFacts).state
            if state is not None and state.quorate:
                return server.name, state
    return None


def open_on(goal: Goal, state: State, volume: Volume) -> StorageServer | None:
    """Find the server whose side of a volume is open."""
    places = state.where(cib.side(volume))
    return next((s for s in goal.cluster.storage if s.hostname in places), None)


def _refusal(host: str, volume: str, code: str, what: str, why: str, fix: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.BLOCKER,
        address=Address(host=host, layer="cluster", subject=volume),
        what=what,
        why=why,
        fix=fix,
    )


def unready(goal: Goal, facts: Facts, volume: Volume, server: StorageServer) -> Problem | None:
    """Tell why ``server`` could not open its side of ``volume`` now; ``None`` when it can.

    One that ssh does not reach may well be a working member; nobody can see what its side is like.
    """
    if server.name in facts.unreachable:
        return facts.unreachable[server.name]
    found = state_of(goal, facts)
    node = found[1].nodes.get(server.hostname) if found else None
    if found is None or node is None or not node.online or node.standby:
        return _refusal(
            server.name, volume.name, "SG-MOVE-001", "it is not a working member of the cluster",
            "it is off, cut off, in maintenance, or nobody has quorum",
            "see `sanglier status`; end a maintenance with `sanglier maintain HOST --done`",
        )  # fmt: skip
    side = facts.of(server.name, DrbdFacts).resources[volume.name]
    if not side.exportable or side.suspended:
        return _refusal(
            server.name, volume.name, "SG-MOVE-002",
            f"its data is not up to date and writable ({side.role or 'down'}, "
            f"{side.disk or 'no disk'}{', frozen' if side.suspended else ''})",
            "a side that is behind never opens",
            "wait for the resync; `sanglier status` shows how far it is",
        )  # fmt: skip
    export = facts.of(server.name, TargetFacts).exports[volume.name]
    if export.value(f"{tpg(goal, volume, server)}/enable") != "1":
        return _refusal(
            server.name, volume.name, "SG-MOVE-003", "its target is not exported",
            "application servers could not reach it",
            f"`crm_mon -1r` on {server.name} says why; then apply again",
        )  # fmt: skip
    return None


def move(volume: Volume, server: StorageServer) -> Script:
    """Open the side of ``server`` instead of the other; drained in between."""
    args = (cib.side(volume), server.hostname, str(MOVE_S), state_file(volume))
    return Script(text=MOVE, args=args)


def empty(server: StorageServer) -> Script:
    """Take everything off a server: sides, targets, mirror."""
    return Script(text=EMPTY, args=(server.hostname, str(EMPTY_S)))


def fill(goal: Goal, server: StorageServer) -> Script:
    """Take a server back, and wait until its data is up to date."""
    minors = (str(v.minor) for v in goal.cluster.volumes if server.name in v.devices)
    return Script(text=FILL, args=(server.hostname, str(FILL_S), *minors))
