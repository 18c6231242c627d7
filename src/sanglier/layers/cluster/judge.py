"""What is wrong with the arbitration that no step may mend by itself."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.facts import ClusterFacts, Node, State
from sanglier.spec.cluster import Cluster, Volume

ARTICLE_CONSENT = "article"


def _problem(
    host: str, subject: str, code: str, severity: Severity, what: str, why: str, fix: str
) -> Problem:
    address = Address(host=host, layer="cluster", subject=subject)
    return Problem(code=code, severity=severity, address=address, what=what, why=why, fix=fix)


def article(goal: Goal) -> tuple[Problem, ...]:
    """Refuse the article's own shape without a consent that names the cluster."""
    consent = f"{ARTICLE_CONSENT}:{goal.cluster.name}"
    if consent in goal.consents:
        severity, fix = Severity.WARNING, "write `access: guarded` for anything but teaching"
    else:
        severity, fix = (
            Severity.BLOCKER,
            (f"write `access: guarded`; or, to see it break, add --allow {consent}"),
        )
    return (
        _problem(
            goal.cluster.storage[0].name, "access", "SG-CLU-001", severity,
            "access is `article`: both sides are open and nothing fences",
            "when the replication link fails, both sides take writes and the filesystem is "
            "corrupted (docs/explanation/evidence.md shows it)",
            fix,
        ),
    )  # fmt: skip


def _lost(cluster: Cluster, host: str, state: State) -> Iterator[Problem]:
    for server in cluster.storage:
        node = state.nodes.get(server.hostname)
        if node and node.unclean:
            yield _problem(
                host, server.name, "SG-CLU-002", Severity.WARNING,
                f"{server.name} is lost and not confirmed dead",
                "nothing that it held may open elsewhere before it is; its power switch does "
                "not answer, or the kill is under way",
                "look at the server and its power switch; only when you have seen that it is off: "
                f"`stonith_admin --confirm {server.hostname}` on {host}",
            )  # fmt: skip
        if node and node.standby:
            yield _problem(
                host, server.name, "SG-CLU-003", Severity.WAITING,
                f"{server.name} is in maintenance",
                "somebody emptied it; the mirror is not complete while it lasts",
                f"`sanglier maintain {server.name} --done` when the work is over",
            )  # fmt: skip


def _not_open(cluster: Cluster, host: str, state: State) -> Iterator[Problem]:
    for volume in cluster.volumes:
        places = state.where(cib.side(volume))
        if state.running and len(places) != 1:
            yield _problem(
                host, volume.name, "SG-CLU-004", Severity.WARNING,
                "no side is open" if not places else f"open on {' and '.join(places)}",
                "; ".join(state.failed) or "the cluster is still deciding, or waits for data "
                "that is up to date, or for a kill to be confirmed",
                f"`crm_mon -1r` on {host} says what it waits for",
            )  # fmt: skip


def _lacking(state: State, volume: Volume, hostname: str) -> str:
    """Tell what a working member lacks to take a volume over; empty when it could."""
    if hostname not in state.where(cib.drbd(volume), "Promoted"):
        return "its mirror is not promoted"
    if hostname not in state.where(cib.lun(volume), "Started"):
        return "its target is not started"
    return ""


def _unready(cluster: Cluster, host: str, state: State) -> Iterator[Problem]:
    """Name the sides that could not open, of servers that are there to work."""
    for server in cluster.storage:
        if not state.running or not state.nodes.get(server.hostname, Node()).works:
            continue
        for volume in (v for v in cluster.volumes if server.name in v.devices):
            if lacking := _lacking(state, volume, server.hostname):
                yield _problem(
                    server.name, volume.name, "SG-CLU-008", Severity.WARNING,
                    f"this side could not take over: {lacking}",
                    "; ".join(state.failed) or "it starts, or its data is not up to date, or "
                    "somebody forbade it (crm_resource --ban)",
                    f"wait while the mirror syncs; otherwise `crm_mon -1rL` on {host} says why",
                )  # fmt: skip


def _unguarded(cluster: Cluster, host: str, state: State) -> Iterator[Problem]:
    for server in cluster.storage:
        for device in server.fence:
            identity = cib.device_id(server, device)
            stopped = state.running and not state.where(identity, "Started")
            if stopped and state.watched(server.hostname):
                told = [f for f in state.failed if f.startswith(f"{identity}_")]
                silent = "does not answer" if told else "was not heard yet"
                yield _problem(
                    host, identity, "SG-CLU-005", Severity.WARNING,
                    f"the power switch of {server.name} {silent}",
                    "; ".join((*told, "a failure of that server would freeze the volumes until "
                    "somebody comes: without a confirmed kill nothing opens")),
                    f"test it: `stonith_admin --reboot` is real; `{device.agent} --action status` "
                    "is not; then `crm_resource --cleanup`",
                )  # fmt: skip


def problems(goal: Goal, facts: Facts) -> tuple[Problem, ...]:
    """Judge what the first storage server that knows says."""
    for server in goal.cluster.storage:
        state = facts.of(server.name, ClusterFacts).state if facts.has(
            server.name, ClusterFacts) else None  # fmt: skip
        if state is not None and state.nodes:
            host, cluster = server.name, goal.cluster
            found = (
                *_lost(cluster, host, state), *_not_open(cluster, host, state),
                *_unready(cluster, host, state), *_unguarded(cluster, host, state),
                *_witness(goal, facts, host),
            )  # fmt: skip
            return tuple(found)
    return ()


def _witness(goal: Goal, facts: Facts, host: str) -> Iterator[Problem]:
    now = facts.of(host, ClusterFacts)
    witness = goal.cluster.witness
    if witness is not None and now.values and not now.device_votes:
        yield _problem(
            host, "witness", "SG-CLU-006", Severity.WARNING,
            f"the witness {witness.name} gives no vote",
            "if a storage server fails now, the other has no majority and freezes",
            f"look at {witness.name}: `systemctl status corosync-qnetd`, TCP port 5403",
        )  # fmt: skip


def stale_key(host: str) -> Problem:
    """Say that a running Corosync keeps its old key."""
    return _problem(
        host, "authkey", "SG-CLU-007", Severity.BLOCKER,
        "corosync runs with another key than the secrets file holds",
        "the two servers must change it together, or they lose each other and one is killed",
        "restore the secrets file; or stop the users, `sanglier destroy` keeping the data, "
        "and apply again",
    )  # fmt: skip
