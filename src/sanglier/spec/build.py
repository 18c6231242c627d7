"""The cluster of a file that has no mistakes."""

from __future__ import annotations

from ipaddress import ip_address
from types import MappingProxyType

from sanglier.spec import defaults, hosts, model, sizes, timings
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
    applications = tuple(
        _application(position, name, server)
        for position, (name, server) in enumerate(file.applications.items())
    )
    return Cluster(
        name=file.cluster,
        iqn_prefix=file.iqn,
        access=Access(file.access),
        timings=_timings(file.timings),
        storage=tuple(
            _storage(index, name, server)
            for index, (name, server) in enumerate(file.storage.items())
        ),
        applications=applications,
        witness=_witness(file.witness, applications),
        volumes=tuple(_volume(position, name, file) for position, name in enumerate(file.volumes)),
        secrets_file=defaults.secrets_file(name, file.secrets),
    )


def _timings(written: str | model.Wish) -> Timings:
    if isinstance(written, str):
        return timings.by_name(written)
    fence = None if written.fence is None else parse_seconds(written.fence)
    return solve(parse_seconds(written.stall), fence)


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
        fence=tuple(_fence(level, fence) for level, fence in enumerate(server.fence, start=1)),
    )


def _fence(level: int, fence: hosts.Fence) -> FenceDevice:
    parameters = (fence.__pydantic_extra__ or {}).items()
    return FenceDevice(
        agent=fence.agent,
        parameters=tuple((k, _plain(v)) for k, v in parameters),
        level=level,
        no_password=fence.no_password,
    )


def _plain(value: hosts.Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _application(position: int, name: str, server: hosts.Application) -> ApplicationServer:
    return ApplicationServer(
        name=name,
        ssh=server.ssh,
        hostname=server.hostname or name,
        san=tuple(_address(address) for address in server.san),
        interconnect=_address(server.interconnect or server.san[0]),
        node=position if server.node is None else server.node,
    )


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


def _volume(position: int, name: str, file: model.File) -> Volume:
    volume = file.volumes[name]
    return Volume(
        name=name,
        devices=MappingProxyType({server: volume.on[server] for server in file.storage}),
        prefer=volume.prefer or next(iter(file.storage)),
        label=volume.label or defaults.label(name),
        mount=volume.mount,
        workload=Workload(volume.workload),
        slots=volume.slots or defaults.slots(len(file.applications)),
        minor=defaults.minor(position) if volume.minor is None else volume.minor,
        port=volume.port or defaults.port(position),
        serial=volume.serial or defaults.serial(file.cluster, name),
        size_bytes=None if volume.size is None else sizes.parse_size(volume.size),
    )
