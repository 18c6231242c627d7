"""The resource file of a volume, drbd.conf(5) for 8.4, and the options checked at run time."""

from __future__ import annotations

from collections.abc import Mapping

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.files import HEADER, WantedFile
from sanglier.spec.cluster import Cluster, StorageServer, Timings, Volume

HASH = "sha256"


def resource_path(volume: Volume) -> str:
    """Path of the resource file; Debian's drbd.conf includes drbd.d/*.res."""
    return f"/etc/drbd.d/{volume.name}.res"


def net_options(timings: Timings) -> dict[str, str]:
    """Options of the net section, without the secret.

    Split brain is never resolved by discarding anybody's writes: only a side
    that wrote nothing at all may yield (``discard-zero-changes``).
    """
    return {
        "protocol": "C",
        "allow-two-primaries": "yes",
        "after-sb-0pri": "discard-zero-changes",
        "after-sb-1pri": "disconnect",
        "after-sb-2pri": "disconnect",
        "rr-conflict": "disconnect",
        "timeout": str(timings.drbd_timeout_ds),
        "connect-int": str(timings.drbd_connect_int_s),
        "ping-int": str(timings.drbd_ping_int_s),
        "ping-timeout": str(timings.drbd_ping_timeout_ds),
        "ko-count": str(timings.drbd_ko_count),
        "max-buffers": "8000",
        "max-epoch-size": "8000",
        "cram-hmac-alg": HASH,
        "verify-alg": "crc32c",
    }


def disk_options() -> dict[str, str]:
    """Options of the disk section; resync speed adapts (c-plan-ahead), sizes in sectors or s."""
    return {
        "on-io-error": "detach",
        "al-extents": "6007",
        "c-plan-ahead": "20",
        "c-fill-target": "2M",
        "c-max-rate": "300M",
        "c-min-rate": "4M",
    }


def _section(name: str, options: Mapping[str, str], extra: str = "") -> str:
    lines = "".join(f"        {key} {value};\n" for key, value in options.items())
    return f"    {name} {{\n{lines}{extra}    }}\n"


def _family(address: str) -> str:
    return f"ipv6 [{address}]" if ":" in address else f"ipv4 {address}"


def _side(volume: Volume, server: StorageServer) -> str:
    return (
        f"    on {server.hostname} {{\n"
        f"        device {volume.drbd_device} minor {volume.minor};\n"
        f"        disk {volume.devices[server.name]};\n"
        f"        address {_family(server.replication)}:{volume.port};\n"
        f"        meta-disk internal;\n"
        f"    }}\n"
    )


def resource_file(goal: Goal, volume: Volume) -> WantedFile:
    """Build the resource file of a volume; 0600, it holds the shared secret."""
    secret = goal.secrets.drbd[volume.name].reveal()
    text = (
        f"{HEADER}resource {volume.name} {{\n"
        + _section(
            "net",
            net_options(goal.cluster.timings),
            extra=f'        shared-secret "{secret}";\n',
        )
        + _section("disk", disk_options())
        + "".join(_side(volume, server) for server in servers_of(goal.cluster, volume))
        + "}\n"
    )
    return WantedFile(path=resource_path(volume), content=Secret(text), mode=0o600)


def servers_of(cluster: Cluster, volume: Volume) -> tuple[StorageServer, ...]:
    """Storage servers of a volume, in the file's order."""
    return tuple(server for server in cluster.storage if server.name in volume.devices)


def checked_options(timings: Timings) -> dict[str, str]:
    """Options whose runtime value must equal the file's; sizes are left out (units differ)."""
    sized = {"c-fill-target", "c-max-rate", "c-min-rate", "c-plan-ahead"}
    both = {**net_options(timings), **disk_options()}
    return {key: value for key, value in both.items() if key not in sized}
