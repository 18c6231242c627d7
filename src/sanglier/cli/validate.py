"""``sanglier validate FILE``: every mistake at once, or what the file describes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sanglier.spec.cluster import Cluster, Volume
from sanglier.spec.load import Checked, check
from sanglier.spec.sizes import format_size

MISTAKEN = 2
"""Exit status when the file has mistakes."""


def validate(
    file: Annotated[Path, typer.Argument(help="The cluster file.", show_default=False)],
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a cluster file and say what it describes; exit status 2 for mistakes.

    Every mistake is reported at once, with its line and column. Nothing is contacted.
    """
    checked = check(file)
    if json_:
        typer.echo(json.dumps(_as_json(checked, file), indent=2, ensure_ascii=False))
    else:
        _print(checked, file)
    if checked.cluster is None:
        raise typer.Exit(MISTAKEN)


def _print(checked: Checked, file: Path) -> None:
    for mistake in checked.mistakes:
        typer.echo(str(mistake), err=True)
    if checked.cluster is None:
        count = len(checked.mistakes)
        typer.echo(f"{file}: {count} mistake{'s' if count > 1 else ''}", err=True)
    else:
        for line in _summary(checked.cluster):
            typer.echo(line)
    for warning in checked.warnings:
        typer.echo(f"warning: {warning}", err=True)


def _summary(cluster: Cluster) -> Iterator[str]:
    yield f"cluster {cluster.name}, timings {cluster.timings.name}"
    yield f"  secrets      {cluster.secrets_file}"
    for server in cluster.storage:
        yield f"  storage      {server.name}: replication {server.replication}, san " + ", ".join(
            server.san
        )
    for application in cluster.applications:
        san = ", ".join(application.san)
        yield f"  application  {application.name}: node {application.node}, san {san}"
    yield f"  witness      {cluster.witness.name if cluster.witness else 'none'}"
    for volume in cluster.volumes:
        yield from _volume(cluster, volume)


def _volume(cluster: Cluster, volume: Volume) -> Iterator[str]:
    size = "" if volume.size_bytes is None else f", at least {format_size(volume.size_bytes)}"
    filesystem = f"OCFS2 {volume.label}, {volume.slots} node slots{size}"
    yield f"volume {volume.name}: {volume.mount}, {filesystem}"
    for server in cluster.storage:
        preferred = " (preferred)" if server.name == volume.prefer else ""
        device = volume.devices[server.name]
        yield f"  {server.name}{preferred}: {device} as {cluster.target_iqn(volume, server)}"
    yield f"  {volume.drbd_device}, replication port {volume.port}"
    yield f"  {volume.map_device}, WWID {volume.wwid}"


def _as_json(checked: Checked, file: Path) -> dict[str, Any]:
    cluster = checked.cluster
    return {
        "file": str(file),
        "valid": cluster is not None,
        "mistakes": [asdict(mistake) for mistake in checked.mistakes],
        "warnings": [asdict(warning) for warning in checked.warnings],
        "cluster": _cluster_as_json(cluster) if cluster else None,
    }


def _cluster_as_json(cluster: Cluster) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "timings": cluster.timings.name,
        "secrets_file": cluster.secrets_file,
        "storage": [asdict(server) for server in cluster.storage],
        "applications": [
            {**asdict(server), "initiator": cluster.initiator_iqn(server)}
            for server in cluster.applications
        ],
        "witness": asdict(cluster.witness) if cluster.witness else None,
        "volumes": [_volume_as_json(cluster, volume) for volume in cluster.volumes],
    }


def _volume_as_json(cluster: Cluster, volume: Volume) -> dict[str, Any]:
    return {
        "name": volume.name,
        "devices": dict(volume.devices),
        "prefer": volume.prefer,
        "label": volume.label,
        "mount": volume.mount,
        "for": volume.workload.value,
        "slots": volume.slots,
        "drbd_device": volume.drbd_device,
        "port": volume.port,
        "serial": volume.serial,
        "wwid": volume.wwid,
        "alias": volume.alias,
        "size_bytes": volume.size_bytes,
        "targets": {s.name: cluster.target_iqn(volume, s) for s in cluster.storage},
    }
