"""The cluster of a file that has no mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType

from sanglier.spec import defaults, hosts, model, sizes, timings
from sanglier.spec.budget import turns, with_turns
from sanglier.spec.cluster import (
    Access,
    ApplicationServer,
    Cluster,
    FenceDevice,
    StorageServer,
    Timings,
    Volume,
    Witness,
    Workload,
)
from sanglier.spec.seconds import parse_seconds
from sanglier.spec.solve import solve


def build(file: model.File, name: str) -> Cluster:
    """Make the cluster that ``file`` describes; ``name`` is the path of the file."""
    applications = _applications(file.applications)
    return Cluster(
        name=file.cluster,
        iqn_prefix=file.iqn,
        access=Access(file.access),
        timings=_timings(file.timings, _turns(file)),
        storage=tuple(
            _storage(index, name, server)
            for index, (name, server) in enumerate(file.storage.items())
        ),
        applications=applications,
        witness=_witness(file.witness, applications),
        volumes=_volumes(file),
        secrets_file=defaults.secrets_file(name, file.secrets),
    )


def _turns(file: model.File) -> int:
    """Give the most turns that the fencing of a storage server may take."""
    return max(turns(map(len, server.fence)) for server in file.storage.values())


def _timings(written: str | model.Wish, count: int) -> Timings:
    if isinstance(written, str):
        return with_turns(timings.by_name(written), count)
    fence = None if written.fence is None else parse_seconds(written.fence)
    return solve(parse_seconds(written.stall), fence, count)


def _address(text: str) -> str:
    """Give the one way to write an address (RFC 5952), so that facts compare equal."""
    return str(ip_address(text))


def _storage(index: int, name: str, server: hosts.Storage) -> StorageServer:
    return StorageServer(
        name=name,
        ssh=server.ssh,
        hostname=server.hostname or name,
        replication=_address(server.replication),
        san=tuple(_address(address) for address in server.san),
        index=index,
        management=None if server.management is None else _address(server.management),
        fence=tuple(
            _fence(level, position, fence)
            for level, devices in enumerate(server.fence, start=1)
            for position, fence in enumerate(devices, start=1)
        ),
    )


def _fence(level: int, position: int, fence: hosts.Fence) -> FenceDevice:
    parameters = (fence.__pydantic_extra__ or {}).items()
    return FenceDevice(
        agent=fence.agent,
        parameters=tuple((k, _plain(v)) for k, v in parameters),
        level=level,
        position=position,
        no_password=fence.no_password,
    )


def _plain(value: hosts.Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _applications(servers: Mapping[str, hosts.Application]) -> tuple[ApplicationServer, ...]:
    nodes = defaults.allot([server.node for server in servers.values()])
    return tuple(_application(n, *item) for n, item in zip(nodes, servers.items(), strict=True))


def _application(node: int, name: str, server: hosts.Application) -> ApplicationServer:
    return ApplicationServer(
        name=name,
        ssh=server.ssh,
        hostname=server.hostname or name,
        san=tuple(_address(address) for address in server.san),
        interconnect=_address(server.interconnect or server.san[0]),
        node=node,
        written=_written(node=server.node),
    )


def _written(**numbers: int | None) -> dict[str, int]:
    return {key: number for key, number in numbers.items() if number is not None}


def _witness(
    witness: hosts.Witness | None, applications: tuple[ApplicationServer, ...]
) -> Witness | None:
    if witness is None:
        return None
    if witness.ssh is not None:
        name = defaults.WITNESS_NAME
        address = _address(witness.address) if witness.address else ""
        hostname = witness.hostname or name
        return Witness(name=name, ssh=witness.ssh, hostname=hostname, address=address)
    host = next(server for server in applications if server.name == witness.on)
    address = _address(witness.address or host.san[0])
    return Witness(name=host.name, ssh=host.ssh, hostname=host.hostname, address=address)


def _volumes(file: model.File) -> tuple[Volume, ...]:
    minors = defaults.allot([volume.minor for volume in file.volumes.values()])
    ports = defaults.allot([v.port for v in file.volumes.values()], defaults.FIRST_PORT)
    numbered = zip(file.volumes, minors, ports, strict=True)
    return tuple(_volume(file, *each) for each in numbered)


def _volume(file: model.File, name: str, minor: int, port: int) -> Volume:
    volume = file.volumes[name]
    return Volume(
        name=name,
        devices=MappingProxyType({server: volume.on[server] for server in file.storage}),
        prefer=volume.prefer or next(iter(file.storage)),
        label=volume.label or defaults.label(name),
        mount=volume.mount,
        workload=Workload(volume.workload),
        slots=volume.slots or defaults.slots(len(file.applications)),
        minor=minor,
        port=port,
        serial=volume.serial or defaults.serial(file.cluster, name),
        size_bytes=None if volume.size is None else sizes.parse_size(volume.size),
        written=_written(minor=volume.minor, port=volume.port),
        prefer_written=volume.prefer is not None,
    )
