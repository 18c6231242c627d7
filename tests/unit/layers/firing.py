"""For every problem code of the layers: a state in which it fires, made from a recorded one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sanglier.core.facts import Facts
from sanglier.layers.backing.facts import DeviceKind
from sanglier.layers.base import Goal
from sanglier.layers.cluster.corosync import AUTHKEY
from sanglier.layers.cluster.facts import Client, ClusterFacts, WitnessFacts
from sanglier.layers.cluster.probe import parse as parse_cluster
from sanglier.layers.files import FileState
from sanglier.layers.initiator.facts import InitiatorFacts, Portal
from sanglier.layers.network.facts import Interface, NetworkFacts
from sanglier.layers.numbers.facts import Claim, Kind, NumbersFacts, Rank
from sanglier.layers.ocfs2.facts import Mount, Ocfs2Facts
from sanglier.layers.packages.facts import PackagesFacts, Release
from sanglier.layers.target.desired import boots_path, opened_path
from sanglier.run.recorded import load_recording

from .alter import (
    altered,
    not_running,
    with_device,
    with_export,
    with_file,
    with_filesystem,
    with_side,
    with_traces,
)
from .goal import ARTICLE, FIXTURES, GOAL, HOSTS, STORAGE, VOLUME
from .recordings import facts_of, outputs_of

State = Callable[[], Facts]
LINKS = FIXTURES / "link"
"""What the witness's link looked like, and Debian's tools said of it, in five states: ``blank``,
``plain`` (before 2026-11-27), ``short`` (disk-a's certificate ends in a month), ``tls``, ``down``
(the witness's daemon is stopped).  Recorded on 2026-11-27 from three hosts that ran Corosync, its
quorum device and corosync-qnetd and nothing else of the stack, with the addresses of a lab."""
OCFS2 = f"ocfs2 {VOLUME.label}"


def _recorded(case: str) -> State:
    return lambda: facts_of(case)


def _no_source() -> Facts:
    installed = frozenset({"open-iscsi"})
    return altered(facts_of("blank"), "srv-a", PackagesFacts, installed=installed, sources=False)


def _no_module() -> Facts:
    modules = facts_of("blank").of("srv-a", PackagesFacts).modules - {"ocfs2"}
    return altered(facts_of("blank"), "srv-a", PackagesFacts, modules=modules)


def _another_release() -> Facts:
    release = Release(system="rocky", version="9.4", title="Rocky Linux 9.4 (Blue Onyx)")
    return altered(facts_of("blank"), "srv-a", PackagesFacts, release=release)


def _network(host: str, **values: object) -> State:
    return lambda: altered(facts_of("converged"), host, NetworkFacts, **values)


def _without_address() -> Facts:
    addresses = dict(facts_of("converged").of("disk-a", NetworkFacts).addresses)
    del addresses["10.77.1.11"]
    return altered(facts_of("converged"), "disk-a", NetworkFacts, addresses=addresses)


def _cut_links(*peers: str) -> State:
    def make() -> Facts:
        reachable = facts_of("converged").of("srv-a", NetworkFacts).reachable
        cut = {**reachable, **dict.fromkeys(peers, False)}
        return altered(facts_of("converged"), "srv-a", NetworkFacts, reachable=cut)

    return make


def _large_mtu() -> Facts:
    addresses = facts_of("converged").of("disk-b", NetworkFacts).addresses
    jumbo = Interface(name=addresses["10.77.1.12"].name, mtu=9000)
    return altered(
        facts_of("converged"), "disk-b", NetworkFacts, addresses={**addresses, "10.77.1.12": jumbo}
    )


def _device(**values: object) -> State:
    return lambda: with_device(facts_of("blank"), "disk-b", **values)


def _in_maintenance(**values: object) -> State:
    return lambda: with_device(facts_of("node-in-standby"), "disk-b", **values)


def with_volume(**values: Any) -> Goal:  # noqa: ANN401
    """Give the goal with another volume in the file."""
    return replace(GOAL, cluster=replace(GOAL.cluster, volumes=(replace(VOLUME, **values),)))


def _foreign_mount() -> Facts:
    mount = Mount(source="/dev/sda1", kind="ext4", options=frozenset({"rw"}))
    return altered(facts_of("converged"), "srv-a", Ocfs2Facts, mounts={VOLUME.mount: mount})


def _locked_values() -> Facts:
    values = facts_of("converged").of("srv-a", Ocfs2Facts).cluster_values
    wrong = {**values, "dead_threshold": "31"}
    return altered(facts_of("converged"), "srv-a", Ocfs2Facts, cluster_values=wrong)


def _stranger() -> Facts:
    now = facts_of("converged").of("srv-a", InitiatorFacts)
    old = Portal(target=f"{GOAL.cluster.iqn_prefix}:guiguiabloc.old.disk-a", address="10.77.2.11")
    records = {**now.records, old: next(iter(now.records.values()))}
    return altered(facts_of("converged"), "srv-a", InitiatorFacts, records=records)


def _other_key() -> Facts:
    now = facts_of("converged").of("disk-b", ClusterFacts)
    files = {**now.files, AUTHKEY: FileState(digest="0" * 64)}
    return altered(facts_of("converged"), "disk-b", ClusterFacts, files=files)


def _held_back() -> Facts:
    """One server mounted with other timeouts than the file's; the other unmounted, likewise."""
    facts = _locked_values()
    values = facts.of("srv-a", Ocfs2Facts).cluster_values
    return altered(facts, "srv-b", Ocfs2Facts, cluster_values=values, mounts={})


def in_link_state(state: str) -> Facts:
    """Give a converged cluster whose link to the witness is in a recorded state."""
    facts = facts_of("converged")
    for host in (*STORAGE, "witness"):
        outputs = {
            **outputs_of("converged", host, "cluster"),
            **load_recording(LINKS / state, host, "cluster"),
        }
        facts = facts.with_(host, parse_cluster(GOAL, host, outputs))
    return facts


def _stranger_without_tls() -> Facts:
    clients = (*facts_of("converged").of("witness", WitnessFacts).clients,
               Client(cluster="other", encrypted=False))  # fmt: skip
    return altered(facts_of("converged"), "witness", WitnessFacts, clients=clients)


def claiming(*claims: tuple[str, Kind, str, int, Rank]) -> Facts:
    """Give a converged cluster whose hosts make these claims: host, kind, name, number, rank."""
    facts = facts_of("converged")
    for host in HOSTS:
        if facts.has(host, NumbersFacts):
            mine = tuple(
                Claim(kind=kind, name=name, number=number, rank=rank, where=f"o2cb on {host}")
                for where, kind, name, number, rank in claims
                if where == host
            )
            facts = altered(facts, host, NumbersFacts, claims=mine)
    return facts


def _node(host: str, name: str, number: int) -> tuple[str, Kind, str, int, Rank]:
    return host, Kind.NODE, name, number, Rank.MOUNTED


FIRING: Mapping[str, State] = {
    "SG-NUM-001": lambda: claiming(_node("srv-a", "srv-a", 0), _node("srv-a", "srv-b", 1)),
    "SG-NUM-002": lambda: claiming(_node("srv-a", "srv-b", 1), _node("srv-b", "srv-b", 0)),
    "SG-NUM-003": lambda: claiming(_node("srv-a", "srv-a", 1), _node("srv-b", "srv-b", 1)),
    "SG-PKG-001": _no_source,
    "SG-PKG-002": _no_module,
    "SG-PKG-003": _another_release,
    "SG-NET-001": _network("disk-a", hostname="localhost"),
    "SG-NET-002": _without_address,
    "SG-NET-003": _cut_links("10.77.2.11", "10.77.3.11"),
    "SG-NET-004": _cut_links("10.77.2.11"),
    "SG-NET-005": _large_mtu,
    "SG-NET-006": _network("srv-b", clock_ahead_s=-3600.0),
    "SG-DISK-001": _device(kind=DeviceKind.ABSENT, size=0),
    "SG-DISK-002": _device(kind=DeviceKind.OTHER, size=0),
    "SG-DISK-003": _recorded("device-in-use"),
    "SG-DISK-004": _device(size=1024),
    "SG-DISK-005": _device(size=1 << 29),
    "SG-DISK-010": _device(number="254:0"),
    "SG-DRBD-002": _recorded("drbd-sync-target"),
    "SG-DRBD-003": lambda: with_side(facts_of("converged"), "disk-a", suspended=True),
    "SG-DRBD-004": _recorded("drbd-split-brain"),
    "SG-DRBD-010": lambda: with_traces(facts_of("blank"), "srv-a", live=("it is mounted on /x",)),
    "SG-DRBD-011": lambda: with_traces(facts_of("blank"), "srv-a", known=("it has sessions",)),
    "SG-DRBD-012": lambda: with_side(facts_of("one-side-wiped"), "disk-a", outdated=True),
    "SG-DISK-011": _in_maintenance(was=1 << 29, displaced=True, signatures=(OCFS2,)),
    "SG-DISK-012": _in_maintenance(was=1 << 31, ours=True, signatures=(OCFS2,)),
    "SG-DISK-013": _in_maintenance(signatures=(OCFS2,)),
    "SG-DRBD-021": lambda: with_side(facts_of("converged"), "disk-b", named="98:32"),
    "SG-DRBD-022": _recorded("converged"),
    "SG-DRBD-023": _recorded("converged"),
    "SG-CLU-001": _recorded("blank"),
    "SG-CLU-002": _recorded("disk-b-dead"),
    "SG-CLU-003": _recorded("node-in-standby"),
    "SG-CLU-004": lambda: not_running(facts_of("converged"), "data-open"),
    "SG-CLU-005": _recorded("fence-device-wrong"),
    "SG-CLU-006": _recorded("witness-stopped"),
    "SG-CLU-007": _other_key,
    "SG-CLU-008": _recorded("disk-b-half-up"),
    "SG-CLU-011": lambda: in_link_state("short"),
    "SG-CLU-012": _stranger_without_tls,
    "SG-TGT-001": lambda: with_export(
        facts_of("converged"), "disk-b", sanglier__alua_access_state="1"
    ),
    "SG-TGT-002": lambda: with_file(
        facts_of("converged"),
        "disk-b",
        boots_path(VOLUME, GOAL.cluster.initiator_iqn(GOAL.cluster.applications[0])),
        "known 5a1e\nout 5a1e 2026-11-27T03:20:00Z",
    ),
    "SG-CLU-009": lambda: with_export(
        facts_of("converged"), "disk-b", sanglier__alua_access_state="0"
    ),
    "SG-CLU-010": lambda: with_file(
        facts_of("converged"), "disk-b", opened_path(VOLUME), "2026-11-26T07:20:00Z"
    ),
    "SG-ISCSI-001": _stranger,
    "SG-MP-001": _recorded("disk-b-dead"),
    "SG-FS-001": lambda: with_filesystem(facts_of("filesystem-unmounted"), "srv-a", label="OTHER"),
    "SG-FS-002": _foreign_mount,
    "SG-FS-003": _locked_values,
    "SG-FS-004": _held_back,
    "SG-FS-010": lambda: with_filesystem(facts_of("converged"), "srv-a", cache="write through"),
}
SIZED = replace(VOLUME, size_bytes=1 << 30)
"""The volume with a declared size."""
AGAIN = replace(VOLUME, devices=dict.fromkeys(VOLUME.devices, "/dev/dm-0"))
"""A second volume on the first one's devices under another name."""
SWAPPED = tuple(
    replace(server, written={"node": 1 - server.node}) for server in GOAL.cluster.applications
)
"""The application servers with each other's numbers written in the file."""
GOALS: Mapping[str, Goal] = {
    "SG-NUM-001": replace(GOAL, cluster=replace(GOAL.cluster, applications=SWAPPED)),
    "SG-DISK-004": replace(GOAL, cluster=replace(GOAL.cluster, volumes=(SIZED,))),
    "SG-DISK-010": replace(GOAL, cluster=replace(GOAL.cluster, volumes=(VOLUME, AGAIN))),
    "SG-DRBD-021": with_volume(devices={**VOLUME.devices, "disk-b": "/dev/ubdc"}),
    "SG-DRBD-022": with_volume(port=7799),
    "SG-DRBD-023": with_volume(minor=4),
    "SG-CLU-001": ARTICLE,
}
"""Codes that need another goal than the usual one."""
