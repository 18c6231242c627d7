"""Each single move on the cluster engine, with its commands and its predicted effect."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.corosync import checked_values
from sanglier.layers.cluster.desired import (
    OUTDATED,
    QDEVICE_UNIT,
    QNETD_UNIT,
    REQUIRED,
    UNITS,
    requiring_file,
)
from sanglier.layers.cluster.facts import ClusterFacts, Node, State, WitnessFacts
from sanglier.layers.drbd.facts import UP_TO_DATE, DrbdFacts
from sanglier.layers.files import differs
from sanglier.layers.services import RUNNING, STOPPED
from sanglier.layers.target.desired import core, groups, readable, state_path, tpg
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.spec.cluster import Cluster, FenceDevice, StorageServer, Volume

ENABLE = 'systemctl enable -q "$@" 2>/dev/null; systemctl start -- "$@"'
# $1 the quorum device, $2 the mark that it has not taken its newest certificate: when it starts, it
# does.  Then all units.
# Before its very first start Pacemaker is given a configuration that has it wait for a coordinator
# for 4 s only: by default both servers wait 20 s for the one that neither is.  The whole
# configuration, which is loaded over it, has the default again: at any later start a server that
# is sooner up than its fellow would have it fenced.
START_ENGINE = """
systemctl is-active -q "$1" || rm -f "$2"
shift 2
cib=/var/lib/pacemaker/cib/cib.xml
if [ ! -e "$cib" ] && cibadmin --empty > "$cib.first" &&
    CIB_file="$cib.first" crm_attribute --name dc-deadtime --update 4s &&
    chown hacluster:haclient "$cib.first" && chmod 0600 "$cib.first"
then mv "$cib.first" "$cib"; fi
rm -f "$cib.first" "$cib.first.sig"
systemctl enable -q "$@" 2>/dev/null; systemctl start -- "$@"
"""
# Pacemaker goes first: it closes and stops what runs here.  Its configuration would start all
# that again, before another could be loaded.
DISABLE = """
systemctl stop pacemaker.service || return 1
systemctl disable -q --now -- "$@" 2>/dev/null || systemctl stop -- "$@"
rm -f /var/lib/pacemaker/cib/cib*
"""
# $1 agent, then its parameters as name and value; $2 password script or empty.  The agent reads
# its options from standard input, so nothing shows in ps(1); up to three tries, for a busy device.
CHECK = """
read -r up _ < /proc/uptime
agent=$1 password=$2 end=$((${up%.*} + 25)); shift 2
command -v "$agent" >/dev/null || { echo "there is no agent $agent"; return 1; }
for try in 1 2 3; do
    said=$({
        echo action=status
        [ -z "$password" ] || echo "password_script=$password"
        while [ $# -gt 1 ]; do printf '%s=%s\\n' "$1" "$2"; shift 2; done
    } | timeout 30 "$agent" 2>&1) && return 0
    read -r up _ < /proc/uptime
    [ "${up%.*}" -lt "$end" ] || break
    sleep 1
done
printf '%s\\n' "$said" | tail -n 5
echo "the fence device does not answer: without it, nothing may open after a failure"
return 1
"""
# $1 seconds, $2 servers: all have joined, with quorum, and a coordinator is chosen.
GATHER = """
seconds=$1
JOINED='<node name=.*online="true".*pending="false"'
agreed() {
    seen=$(crm_mon -1 --output-as=xml 2>/dev/null) || return 1
    printf '%s\\n' "$seen" | grep -q '<current_dc present="true".*with_quorum="true"' || return 1
    [ "$(printf '%s\\n' "$seen" | grep -c "$JOINED")" -ge "$2" ]
}
until agreed "$@"; do
    seconds=$((seconds - 1)); sleep 1
    if [ "$seconds" -le 0 ]; then
        crm_mon -1 2>&1; echo "the servers do not find each other and the witness"; return 1
    fi
done
"""
# $1 the configuration with an empty <nodes/>: the cluster's own nodes are put in its place.
LOAD = """
nodes=$(cibadmin --query --scope nodes 2>/dev/null) || nodes='<nodes/>'
{
    printf '%s' "${1%%<nodes />*}"; printf '%s' "$nodes"; printf '%s' "${1#*<nodes />}"
} | cibadmin --replace --scope configuration --xml-pipe
"""
# $1 seconds, then ids of resources that must run somewhere.
SETTLE = """
seconds=$1; shift
crm_resource --cleanup >/dev/null 2>&1
for resource; do
    until crm_resource --resource "$resource" --locate 2>/dev/null | grep -q 'is running on'; do
        seconds=$((seconds - 1))
        [ "$seconds" -gt 0 ] || { crm_mon -1r 2>&1; echo "$resource does not start"; return 1; }
        sleep 1
    done
done
crm_resource --wait --timeout="${seconds}s"
"""


class Phase(IntEnum):
    """The order of what is done; each ends on all hosts before the next begins."""

    FILES = 0
    """And the witness: before anything, it must take clients with TLS and without."""
    REQUEST = 1
    SIGN = 2
    INSTALL = 3
    CONFIGURE = 4
    """corosync.conf asks for TLS once there are certificates.  Fence devices are tried."""
    START = 5
    GATHER = 6
    RECONNECT = 7
    """And 8, for the second storage server."""
    REQUIRE = 9
    LOAD = 10
    SETTLE = 11


SHOWN = 4
"""Differences that a reason names; more are counted."""


def step(
    host: str, subject: str, phase: int, mark: Mark, summary: str, reason: str, action: Script,
    effect: Effect, risk: Risk = Risk.SAFE, limit: int = 60,
) -> Step:  # fmt: skip
    """Make a step of this layer."""
    return Step(
        address=Address(host=host, layer="cluster", subject=subject),
        phase=phase,
        mark=mark,
        summary=summary,
        reason=reason,
        actions=(action,),
        effect=effect,
        risk=risk,
        limit=limit,
    )


def _unchanged(facts: Facts) -> Facts:
    return facts


def start_witness(host: str, reason: str = "") -> Step:
    """Start the quorum device's server, also at boot."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, WitnessFacts)
        tls = "Supported" if differs(requiring_file(), now.files) else REQUIRED
        return facts.with_(host, replace(now, units={QNETD_UNIT: RUNNING}, tls=tls))

    return step(
        host, "witness", Phase.FILES, Mark.START, f"start {QNETD_UNIT}, also at boot",
        reason or "it does not run",
        Script(text=ENABLE, args=(QNETD_UNIT,)), effect,
    )  # fmt: skip


def check_device(host: str, server: StorageServer, device: FenceDevice) -> Step:
    """Ask a fence device for its state, from the server that would use it."""
    words = tuple(word for pair in device.parameters for word in pair)
    password = "" if device.no_password else cib.password_path(server, device)
    return step(
        host, cib.device_id(server, device), Phase.CONFIGURE, Mark.START,
        f"check that {device.agent} reaches the power switch of {server.name}",
        "no working fencing, no guarded mode",
        Script(text=CHECK, args=(device.agent, password, *words)), _unchanged, limit=120,
    )  # fmt: skip


def _others(goal: Goal, facts: Facts, host: str) -> tuple[ClusterFacts, ...]:
    names = (s.name for s in goal.cluster.storage if facts.has(s.name, ClusterFacts))
    return tuple(facts.of(name, ClusterFacts) for name in names if name != host)


def start_engine(host: str, goal: Goal) -> Step:
    """Start Corosync, its quorum device and Pacemaker, also at boot."""

    def effect(facts: Facts) -> Facts:
        now, others = facts.of(host, ClusterFacts), _others(goal, facts, host)
        changed = replace(
            now,
            units=dict.fromkeys(UNITS, RUNNING),
            values={**now.values, **checked_values(goal.cluster)},
            device_votes=True,
            link=replace(now.link, tls=REQUIRED, encrypted=True, outdated=False),
            configuration=next((o.configuration for o in others if o.configuration), None),
            state=next((o.state for o in others if o.state), State()),
        )
        return facts.with_(host, changed)

    return step(
        host, "engine", Phase.START, Mark.START, "start corosync, its quorum device and pacemaker",
        "not all of them run",
        Script(text=START_ENGINE, args=(QDEVICE_UNIT, OUTDATED, *UNITS)), effect, limit=90,
    )  # fmt: skip


def gather(host: str, cluster: Cluster) -> Step:
    """Wait until the servers have found each other and the witness."""
    args = ("60", str(len(cluster.storage)))
    return step(
        host, "membership", Phase.GATHER, Mark.START,
        "wait until the storage servers agree, with quorum",
        "the engine was just started", Script(text=GATHER, args=args), _unchanged, limit=150,
    )  # fmt: skip


def load(host: str, goal: Goal, reasons: tuple[str, ...]) -> Step:
    """Load Pacemaker's configuration in one piece."""
    root = cib.configuration(goal.cluster)
    wanted = cib.form(root)

    def effect(facts: Facts) -> Facts:
        for server in goal.cluster.storage:
            if facts.has(server.name, ClusterFacts):
                now = facts.of(server.name, ClusterFacts)
                facts = facts.with_(server.name, replace(now, configuration=wanted))
        return facts

    shown = reasons[:SHOWN] + ((f"and {len(reasons) - SHOWN} more",) * (len(reasons) > SHOWN))
    return step(
        host, "configuration", Phase.LOAD, Mark.CHANGE, "load Pacemaker's configuration",
        "; ".join(shown),
        Script(text=LOAD, args=(cib.as_text(root),)), effect, Risk.DISRUPTIVE,
    )  # fmt: skip


def settle(host: str, goal: Goal, reason: str) -> Step:
    """Wait until every volume is mirrored, exported and open on one side."""
    ids = tuple(cib.side(volume) for volume in goal.cluster.volumes)
    return step(
        host, "resources", Phase.SETTLE, Mark.START,
        "wait until one side of every volume is open", reason,
        Script(text=SETTLE, args=("120", *ids)), lambda facts: settled(goal, facts), limit=240,
    )  # fmt: skip


def settled(goal: Goal, facts: Facts) -> Facts:
    """Predict what the cluster makes of the storage servers by itself."""
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            facts = _server_settled(goal, facts, server)
    return facts


def _server_settled(goal: Goal, facts: Facts, server: StorageServer) -> Facts:
    mine = [volume for volume in goal.cluster.volumes if server.name in volume.devices]
    drbd, export = facts.of(server.name, DrbdFacts), facts.of(server.name, TargetFacts)
    resources = {
        volume.name: replace(
            drbd.resources[volume.name], up=True, role="Primary", peer_role="Primary",
            connection="Connected", disk=UP_TO_DATE, peer_disk=UP_TO_DATE, metadata=True,
        )
        for volume in mine
    }  # fmt: skip
    exports = {volume.name: exported(goal, volume, server) for volume in mine}
    facts = facts.with_(
        server.name,
        replace(drbd, version=drbd.version or "8.4", resources={**drbd.resources, **resources}),
    )
    facts = facts.with_(
        server.name, replace(export, loaded=True, exports={**export.exports, **exports})
    )
    now = facts.of(server.name, ClusterFacts)
    return facts.with_(server.name, replace(now, state=wanted_state(goal.cluster)))


def exported(goal: Goal, volume: Volume, server: StorageServer) -> Export:
    """Predict the tree that ocf:sanglier:target builds."""
    made = groups(goal, volume, server)
    open_here = volume.prefer == server.name
    values = {path: readable(path, value) for group in made for path, value in group.values.items()}
    values |= {
        f"{core(volume)}/enable": "1",
        f"{tpg(goal, volume, server)}/enable": "1",
        state_path(volume): "0" if open_here else "2",
    }
    nodes = frozenset(node for group in made for node in group.made)
    return Export(nodes=nodes, values=values)


def wanted_state(cluster: Cluster) -> State:
    """Give the state in which nothing is left to do."""
    hosts = [server.hostname for server in cluster.storage]
    running: dict[str, dict[str, str]] = {}
    for server in cluster.storage:
        others = [host for host in hosts if host != server.hostname]
        for device in server.fence:
            running[cib.device_id(server, device)] = dict.fromkeys(others[:1], "Started")
    for volume in cluster.volumes:
        preferred = next(s.hostname for s in cluster.storage if s.name == volume.prefer)
        running[cib.drbd(volume)] = dict.fromkeys(hosts, "Promoted")
        running[cib.lun(volume)] = dict.fromkeys(hosts, "Started")
        running[cib.side(volume)] = {preferred: "Started"}
    return State(
        coordinator=hosts[0], quorate=True, nodes={host: Node(online=True) for host in hosts},
        running=running,
    )  # fmt: skip


def stop_engine(host: str, goal: Goal) -> Step:
    """Stop the engine for good; it closes, exports no more and takes the mirror down."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, ClusterFacts)
        stopped = replace(
            now, units=dict.fromkeys(UNITS, STOPPED), values={}, device_votes=False, state=None,
            configuration=None, link=replace(now.link, tls="", encrypted=None),
        )  # fmt: skip
        facts = facts.with_(host, stopped)
        return _nothing_runs(goal, facts, host)

    return step(
        host, "engine", 0, Mark.STOP, "stop pacemaker, corosync-qdevice and corosync for good",
        "the cluster is being taken down", Script(text=DISABLE, args=tuple(reversed(UNITS))),
        effect, Risk.DISRUPTIVE, limit=240,
    )  # fmt: skip


def _nothing_runs(goal: Goal, facts: Facts, host: str) -> Facts:
    drbd, target = facts.of(host, DrbdFacts), facts.of(host, TargetFacts)
    mine = [volume.name for volume in goal.cluster.volumes if host in volume.devices]
    resources = {
        name: replace(side, up=False, role="", connection="", disk="", options={}, secret_digest="")
        for name, side in drbd.resources.items()
        if name in mine
    }
    facts = facts.with_(host, replace(drbd, resources={**drbd.resources, **resources}))
    return facts.with_(host, replace(target, exports={name: Export(values={}) for name in mine}))


def stop_witness(host: str) -> Step:
    """Stop the quorum device's server for good."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, WitnessFacts)
        stopped = replace(now, units={QNETD_UNIT: STOPPED}, tls="", clients=())
        return facts.with_(host, stopped)

    return step(
        host, "witness", 1, Mark.STOP, f"stop {QNETD_UNIT} for good",
        "the cluster is being taken down",
        Script(text='systemctl disable -q --now -- "$1"', args=(QNETD_UNIT,)), effect,
    )  # fmt: skip


def reload(host: str, reason: str, action: Script, effect: Effect) -> Step:
    """Make running servers read corosync.conf again."""
    return step(
        host, "corosync.conf", Phase.CONFIGURE, Mark.CHANGE, "reload corosync.conf", reason,
        action, effect,
    )  # fmt: skip
