"""A cluster with the numbers that are in force on its hosts, instead of those of the file's order.

What is numbered by default is numbered by its position in the file.  That is a good number for
what does not exist yet, and a deadly one for what does: a node number of o2cb given to another
server while a volume is mounted destroys the filesystem.  So a number that is in force anywhere
stays with its name, and a new name gets one that nobody has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sanglier.spec.cluster import ApplicationServer, Cluster, StorageServer, Volume
from sanglier.spec.defaults import FIRST_PORT, allot

Held = Mapping[str, int]
"""Name -> its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What is in force.  Names that the file does not have hold their numbers too."""

    nodes: Held = field(default_factory=dict)
    """o2cb's node numbers, by hostname."""
    minors: Held = field(default_factory=dict)
    """DRBD's minors, by volume."""
    ports: Held = field(default_factory=dict)
    """TCP ports of the replication, by volume."""
    sides: Held = field(default_factory=dict)
    """Indices of storage servers, by hostname."""
    deciding: str = ""
    """The volume that the fence-peer handlers go by."""


def keep(cluster: Cluster, numbers: Numbers) -> Cluster:
    """Give everything the number that is in force, and the rest numbers that are free.

    The order is that of the numbers: no order of a mapping is left in what layers read.
    """
    storage = _storage(cluster.storage, numbers.sides)
    volumes = _volumes(cluster.volumes, numbers, storage[0])
    kept = replace(
        cluster,
        storage=storage,
        applications=_applications(cluster.applications, numbers.nodes),
        volumes=volumes,
    )
    known = any(volume.name == numbers.deciding for volume in volumes[1:])
    return replace(kept, deciding=numbers.deciding if known else "")


def _numbers(names: Sequence[str], wished: Sequence[int], held: Held, first: int) -> list[int]:
    """Give what is held, else what is wished, where it is free."""
    used = set(held.values())
    free = (None if wish in used else wish for wish in wished)
    pairs = zip(names, free, strict=True)
    return allot([held.get(name, wish) for name, wish in pairs], first, used)


def _applications(
    servers: Sequence[ApplicationServer], held: Held
) -> tuple[ApplicationServer, ...]:
    nodes = _numbers([s.hostname for s in servers], [s.node for s in servers], held, 0)
    found = (replace(s, node=node) for s, node in zip(servers, nodes, strict=True))
    return tuple(sorted(found, key=lambda server: server.node))


def _storage(servers: Sequence[StorageServer], held: Held) -> tuple[StorageServer, ...]:
    """Give both servers their index; where one is known, the other has what is left."""
    ours = {server.hostname for server in servers}
    sides = {name: index for name, index in held.items() if name in ours}
    indices = _numbers([s.hostname for s in servers], [s.index for s in servers], sides, 0)
    found = (replace(s, index=index) for s, index in zip(servers, indices, strict=True))
    return tuple(sorted(found, key=lambda server: server.index))


def _ports(volumes: Sequence[Volume], held: Held) -> Held:
    """Give the ports in force, but for those that the file writes.

    The layer of the mirror compares them with the kernel's: a port may change while a side is
    away, and at no other time.
    """
    return {**held, **{v.name: v.port for v in volumes if "port" in v.written}}


def _volumes(
    volumes: Sequence[Volume], numbers: Numbers, first: StorageServer
) -> tuple[Volume, ...]:
    names = [volume.name for volume in volumes]
    minors = _numbers(names, [v.minor for v in volumes], numbers.minors, 0)
    ports = _numbers(names, [v.port for v in volumes], _ports(volumes, numbers.ports), FIRST_PORT)
    found = (
        replace(
            volume,
            minor=minor,
            port=port,
            prefer=volume.prefer if volume.prefer_written else first.name,
        )
        for volume, minor, port in zip(volumes, minors, ports, strict=True)
    )
    return tuple(sorted(found, key=lambda volume: volume.minor))
