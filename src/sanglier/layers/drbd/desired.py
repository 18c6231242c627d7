"""The resource file of a volume, drbd.conf(5) for 8.4, and the options checked at run time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import ceil

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.files import HEADER, WantedFile
from sanglier.spec.budget import GRACE_S, fencing_s, longer_hold_s, totem_s
from sanglier.spec.cluster import Cluster, StorageServer, Timings, Volume

HASH = "sha256"
HANDLER = "/usr/lib/sanglier/fence-peer"
SHOT_ENDS_S = 20
"""Beyond all levels of fencing: Pacemaker has answered by then, or hangs."""
RUN = "/run/sanglier"
"""On a storage server: what dies with its kernel."""


def resource_path(volume: Volume) -> str:
    """Path of the resource file; Debian's drbd.conf includes drbd.d/*.res."""
    return f"/etc/drbd.d/{volume.name}.res"


CAREFUL = {
    "after-sb-0pri": "discard-zero-changes",
    "after-sb-1pri": "disconnect",
    "after-sb-2pri": "disconnect",
    "rr-conflict": "disconnect",
}
"""Split brain is never resolved by discarding anybody's writes: only a side that wrote nothing
at all may yield."""
VIOLENT = {
    "after-sb-0pri": "discard-least-changes",
    "after-sb-1pri": "violently-as0p",
    "after-sb-2pri": "violently-as0p",
    "rr-conflict": "violently",
}
"""What the article wrote; drbd.conf(5) calls it dangerous.  For teaching and drills only."""


RESOURCE_OPTIONS = {"on-no-data-accessible": "suspend-io"}
"""A side without a disk that loses its peer has no data left.  DRBD calls no handler for it ("I'm
not even Consistent myself"); its I/O waits for the peer, and is not answered with errors."""


def net_options(cluster: Cluster) -> dict[str, str]:
    """Options of the net section, without the secret."""
    timings = cluster.timings
    return {
        "protocol": "C",
        "allow-two-primaries": "yes",
        **(CAREFUL if cluster.guarded else VIOLENT),
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


def disk_options(cluster: Cluster) -> dict[str, str]:
    """Options of the disk section; resync speed adapts (c-plan-ahead), sizes in sectors or s.

    ``resource-and-stonith``: a side that loses its peer freezes until the handler tells that
    the peer was killed (exit 7), drbd.conf(5).
    """
    return {
        "fencing": "resource-and-stonith" if cluster.guarded else "dont-care",
        "on-io-error": "detach",
        "al-extents": "6007",
        "c-plan-ahead": "20",
        "c-fill-target": "2M",
        "c-max-rate": "300M",
        "c-min-rate": "24M",
    }


def _section(name: str, options: Mapping[str, str], extra: str = "") -> str:
    lines = "".join(f"        {key} {value};\n" for key, value in options.items())
    return f"    {name} {{\n{lines}{extra}    }}\n"


def _family(address: str) -> str:
    return f"ipv6 [{address}]" if ":" in address else f"ipv4 {address}"


def address_of(volume: Volume, server: StorageServer) -> str:
    """Address of one end of the connection, as the resource file and ``drbdsetup show`` have it."""
    return f"{_family(server.replication)}:{volume.port}"


def _side(volume: Volume, server: StorageServer) -> str:
    return (
        f"    on {server.hostname} {{\n"
        f"        device {volume.drbd_device} minor {volume.minor};\n"
        f"        disk {volume.devices[server.name]};\n"
        f"        address {address_of(volume, server)};\n"
        f"        meta-disk internal;\n"
        f"    }}\n"
    )


def resource_file(goal: Goal, volume: Volume) -> WantedFile:
    """Build the resource file of a volume; 0600, it holds the shared secret."""
    secret = goal.secrets.drbd[volume.name].reveal()
    handlers = {"fence-peer": f'"{HANDLER}"'} if goal.cluster.guarded else {}
    text = (
        f"{HEADER}resource {volume.name} {{\n"
        + (_section("handlers", handlers) if handlers else "")
        + _section("options", RESOURCE_OPTIONS)
        + _section(
            "net",
            net_options(goal.cluster),
            extra=f'        shared-secret "{secret}";\n',
        )
        + _section("disk", disk_options(goal.cluster))
        + "".join(_side(volume, server) for server in servers_of(goal.cluster, volume))
        + "}\n"
    )
    return WantedFile(path=resource_path(volume), content=Secret(text), mode=0o600)


def mark_path(volume: Volume) -> str:
    """Path of the file that is not empty while the cluster has this side open; see agents/alua."""
    return f"{RUN}/open-{volume.name}"


def handler_waits(timings: Timings) -> dict[str, str]:
    """Waits of the fence-peer handler, seconds, as they are read back."""
    return {
        "hold": str(timings.fence_hold_s),
        "grace": str(int(GRACE_S)),
        "longer": str(longer_hold_s(timings)),
    }


@cache
def _handler() -> str:
    return files("sanglier.layers.drbd").joinpath("fence-peer").read_text()


def _number(server: StorageServer) -> int:
    """Give what Corosync's node id follows from, cluster/corosync.py."""
    return server.index


def handler_file(goal: Goal) -> WantedFile:
    """Give DRBD's fence-peer handler, with the time to hold fire and whose side counts."""
    first = goal.cluster.deciding_volume
    state = f"/sys/kernel/config/target/core/iblock_{first.minor}/{first.name}"
    text = _handler()
    for name, seconds in handler_waits(goal.cluster.timings).items():
        text = text.replace(f"@{name}@", seconds)
    servers = sorted(goal.cluster.storage, key=_number)
    text = text.replace("@servers@", " ".join(server.hostname for server in servers))
    text = text.replace("@higher@", servers[-1].hostname)
    text = text.replace("@shot@", str(int(fencing_s(goal.cluster.timings)) + SHOT_ENDS_S))
    text = text.replace("@totem@", str(ceil(totem_s(goal.cluster.timings))))
    text = text.replace("@first_state@", f"{state}/alua/sanglier/alua_access_state")
    text = text.replace("@first_mark@", mark_path(first))
    return WantedFile(path=HANDLER, content=text, mode=0o755)


def servers_of(cluster: Cluster, volume: Volume) -> tuple[StorageServer, ...]:
    """Storage servers of a volume, in the file's order."""
    return tuple(server for server in cluster.storage if server.name in volume.devices)


def checked_options(cluster: Cluster) -> dict[str, str]:
    """Options whose runtime value must equal the file's; sizes are left out (units differ)."""
    sized = {"c-fill-target", "c-max-rate", "c-min-rate", "c-plan-ahead"}
    both = {**RESOURCE_OPTIONS, **net_options(cluster), **disk_options(cluster)}
    return {key: value for key, value in both.items() if key not in sized}
