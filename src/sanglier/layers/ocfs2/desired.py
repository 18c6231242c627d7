"""cluster.conf, o2cb's settings, mkfs arguments and mount units.

Sources: o2cb(7), o2cb.sysconfig(5), ocfs2.cluster.conf(5), mkfs.ocfs2(8), mount.ocfs2(8),
systemd.mount(5).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from sanglier.layers.backing.desired import PENDING_DIR
from sanglier.layers.files import HEADER, UNIT_DIR, Files, WantedFile
from sanglier.layers.initiator.desired import BOOT_PATH
from sanglier.layers.ocfs2.facts import O2CB
from sanglier.spec.cluster import ApplicationServer, Cluster, Timings, Volume, Workload

CONF_PATH = "/etc/ocfs2/cluster.conf"
VALUES_PATH = "/etc/sanglier/o2cb"
"""o2cb's values, by their names in o2cb.sysconfig(5)."""
NODES_PATH = "/etc/sanglier/o2cb-nodes"
PANIC_PATH = "/etc/sysctl.d/90-sanglier.conf"
PANIC: Mapping[str, str] = {"panic": "30", "panic_on_oops": "1"}
"""Kernel settings, by their names in /proc/sys/kernel, sysctl.d(5): seconds to the restart after a
panic, and an oops is one.  A kernel that has lost a thread and goes on beating keeps its locks."""
CHECK_PATH = "/usr/lib/sanglier/o2cb-check"
CLUSTER_PATH = "/usr/lib/sanglier/o2cb-cluster"
HEARD_PATH = "/usr/lib/sanglier/ocfs2-heard"
O2CB_PATH = f"{UNIT_DIR}/{O2CB}"
FORMER_PATHS = ("/etc/default/o2cb", f"{UNIT_DIR}/{O2CB}.d/sanglier.conf")
"""Files that earlier versions wrote; what is ours of them is removed.  The first one is Debian's
own by right, whose package and script write it anew."""
O2CB_AGAIN_S = 10
"""Pause before o2cb is tried again, seconds: its server's interconnect may come late."""
O2CB_LIMIT_S = 60
AGAIN = "sanglier-mount-again"
HEARD = "sanglier-heard"
HEARD_MORE_S = 120
"""Time for all but the silence of another server, seconds: a busy machine, a slow disk.

The unit's own limit; its program has it extended by the patience that is in force.
"""
AGAIN_S = 10
"""Pause before a mount that failed is tried again, seconds."""
MOUNT_S = 180
"""Longest that the mount itself takes, seconds: journals of the dead are replayed in it."""
PORT = 7777
DAEMONS = "multipathd.service iscsid.service open-iscsi.service network-online.target"
"""Units without which there is no map."""

MKFS: Mapping[Workload, tuple[str, ...]] = {
    Workload.SMALL_FILES: ("-T", "mail", "-b", "4K", "-C", "4K"),
    Workload.MAIL: ("-T", "mail", "-b", "4K", "-C", "4K"),
    Workload.VM_IMAGES: ("-T", "vmstore", "-b", "4K"),
    Workload.DATABASE: ("-T", "datafiles", "-b", "4K"),
    Workload.GENERAL: ("-b", "4K"),
}
MOUNT_OPTIONS: Mapping[Workload, tuple[str, ...]] = {
    Workload.SMALL_FILES: ("noatime", "commit=15"),
    Workload.MAIL: ("noatime",),
    Workload.VM_IMAGES: ("noatime",),
    Workload.DATABASE: ("noatime",),
    Workload.GENERAL: ("relatime",),
}
BARRIER = "barrier=1"
"""Off by default in OCFS2, and without it neither fsync nor the journal's commit sends a flush
(fs/ocfs2/super.c, OCFS2_MOUNT_BARRIER; fs/ocfs2/file.c, ocfs2_sync_file).  Beside the profiles, so
that none is without it."""
NETDEV = "_netdev"
"""For mount(8) and systemd; the kernel does not know it."""


def _node(cluster: Cluster, server: ApplicationServer) -> str:
    return (
        "node:\n"
        f"\tnumber = {server.node}\n"
        f"\tname = {server.hostname}\n"
        f"\tip_address = {server.interconnect}\n"
        f"\tip_port = {PORT}\n"
        f"\tcluster = {cluster.name}\n\n"
    )


def conf_file(cluster: Cluster) -> WantedFile:
    """Build cluster.conf; the same on every application server, and no comment lines in it."""
    nodes = "".join(_node(cluster, server) for server in cluster.applications)
    head = f"cluster:\n\tname = {cluster.name}\n\theartbeat_mode = local\n"
    return WantedFile(
        path=CONF_PATH, content=f"{head}\tnode_count = {len(cluster.applications)}\n\n{nodes}"
    )


def values_file(cluster: Cluster) -> WantedFile:
    """Build the file of o2cb's values."""
    timings = cluster.timings
    content = (
        f"{HEADER}O2CB_BOOTCLUSTER={cluster.name}\n"
        f"O2CB_HEARTBEAT_THRESHOLD={timings.o2cb_threshold}\n"
        f"O2CB_IDLE_TIMEOUT_MS={timings.o2cb_idle_ms}\n"
        f"O2CB_KEEPALIVE_DELAY_MS={timings.o2cb_keepalive_ms}\n"
        f"O2CB_RECONNECT_DELAY_MS={timings.o2cb_reconnect_ms}\n"
    )
    return WantedFile(path=VALUES_PATH, content=content)


def panic_file() -> WantedFile:
    """Build the file by which systemd-sysctl sets them at boot, after the distribution's own."""
    lines = (f"kernel.{name} = {value}\n" for name, value in PANIC.items())
    return WantedFile(path=PANIC_PATH, content=HEADER + "".join(lines))


def nodes_file(cluster: Cluster) -> WantedFile:
    """Note every server's number, for :func:`check_file`; written before cluster.conf is."""
    lines = (f"{server.node} {server.hostname}\n" for server in cluster.applications)
    return WantedFile(path=NODES_PATH, content="".join(lines))


@cache
def check_file() -> WantedFile:
    """Build the program that keeps o2cb down where cluster.conf has other numbers than noted."""
    return _program(CHECK_PATH)


@cache
def cluster_file() -> WantedFile:
    """Build the program that brings o2cb's cluster online with our values."""
    return _program(CLUSTER_PATH)


@cache
def heard_file() -> WantedFile:
    """Build the program that keeps a volume unmounted until every server with it was heard."""
    return _program(HEARD_PATH)


def _program(path: str) -> WantedFile:
    name = path.rsplit("/", 1)[-1]
    text = files("sanglier.layers.ocfs2").joinpath(name).read_text()
    return WantedFile(path=path, content=text, mode=0o755)


def o2cb_unit() -> WantedFile:
    """Build o2cb's unit, in the place of Debian's, systemd.unit(5) "unit file load path".

    Debian 12 has an LSB script, which is "active" when it has done nothing; 13 a unit whose start
    and stop write /etc/default/o2cb.  Both take their values from that file.
    """
    content = (
        f"{HEADER}[Unit]\n"
        f"Description=OCFS2's cluster of servers (o2cb)\n"
        f"Wants=network-online.target\n"
        f"After=network-online.target\n"
        f"StartLimitIntervalSec=0\n\n"
        f"[Service]\n"
        f"Type=oneshot\n"
        f"RemainAfterExit=yes\n"
        f"ExecStartPre=/bin/sh {CHECK_PATH}\n"
        f"ExecStart=/bin/sh {CLUSTER_PATH} online\n"
        f"ExecStop=/bin/sh {CLUSTER_PATH} offline\n"
        f"Restart=on-failure\n"
        f"RestartSec={O2CB_AGAIN_S}\n"
        f"TimeoutStartSec={O2CB_LIMIT_S}\n"
        f"TimeoutStopSec={O2CB_LIMIT_S}\n\n"
        f"[Install]\n"
        f"WantedBy=multi-user.target\n"
    )
    return WantedFile(path=O2CB_PATH, content=content)


def unit_name(path: str, kind: str = "mount") -> str:
    """Name of the unit of a path, systemd.unit(5) "string escaping for unit names"."""
    trimmed = path.strip("/")
    escaped = "".join(
        "-" if char == "/" else char if char.isalnum() or char in "_.:" else f"\\x{ord(char):02x}"
        for char in trimmed
    )
    if escaped.startswith("."):
        escaped = "\\x2e" + escaped[1:]
    return f"{escaped}.{kind}"


def heard_unit(mount: str) -> str:
    """Name of the unit that a mount unit waits for."""
    return f"{HEARD}-{unit_name(mount, 'service')}"


def mount_options(volume: Volume) -> tuple[str, ...]:
    """Mount options of a volume; nodev and nosuid are the administrator's to add."""
    return (NETDEV, *kernel_options(volume))


def kernel_options(volume: Volume) -> tuple[str, ...]:
    """Mount options that /proc/mounts must show."""
    return (BARRIER, *MOUNT_OPTIONS[volume.workload])


def mount_file(volume: Volume) -> WantedFile:
    """Build the mount unit: after the map's daemons and o2cb, before remote-fs.target.

    systemd gives up on a map after 90 s and then boots on; after a blackout storage servers may
    take longer, and nobody is there to mount by hand.  So a failure is tried again.
    """
    heard = heard_unit(volume.mount)
    content = (
        f"{HEADER}[Unit]\n"
        f"Description=Shared filesystem {volume.label} of volume {volume.name} (OCFS2)\n"
        f"Requires={O2CB} {heard}\n"
        f"Wants={DAEMONS}\n"
        f"After={O2CB} {heard} {DAEMONS}\n"
        f"Before=remote-fs.target\n"
        f"OnFailure={AGAIN}@%p.service\n\n"
        f"[Mount]\n"
        f"What={volume.map_device}\n"
        f"Where={volume.mount}\n"
        f"Type=ocfs2\n"
        f"Options={','.join(mount_options(volume))}\n"
        f"TimeoutSec={MOUNT_S}\n\n"
        f"[Install]\n"
        f"WantedBy=remote-fs.target\n"
    )
    return WantedFile(path=f"{UNIT_DIR}/{unit_name(volume.mount)}", content=content)


def heard_service(volume: Volume) -> WantedFile:
    """Build the unit that hears the other servers before a mount, systemd.service(5).

    It holds a reference to the heartbeat until the filesystem is mounted, and however it ends
    (ExecStopPost=) lets go of it.
    """
    device = unit_name(volume.map_device, "device")
    content = (
        f"{HEADER}[Unit]\n"
        f"Description=Hear every server that may have {volume.label} mounted, before it is here\n"
        f"Requires={O2CB} {device}\n"
        f"After={O2CB} {device} {DAEMONS}\n\n"
        f"[Service]\n"
        f"Type=notify\n"
        f"NotifyAccess=all\n"
        f"ExecStart=/bin/sh {HEARD_PATH} wait {volume.map_device} {volume.mount}\n"
        f"ExecStopPost=/bin/sh {HEARD_PATH} release {volume.map_device}\n"
        f"TimeoutStartSec={HEARD_MORE_S}\n"
    )
    return WantedFile(path=f"{UNIT_DIR}/{heard_unit(volume.mount)}", content=content)


def heard_limit(timings: Timings) -> int:
    """Longest that a mount waits for the word of another server, seconds."""
    return 2 * timings.o2cb_threshold + HEARD_MORE_S


def again_file() -> WantedFile:
    """Build the unit that starts a mount again that failed, systemd.unit(5) OnFailure=."""
    content = (
        f"{HEADER}[Unit]\n"
        f"Description=Try again to mount /%I\n\n"
        f"[Service]\n"
        f"Type=oneshot\n"
        f"ExecStartPre=/bin/sleep {AGAIN_S}\n"
        f"ExecStartPre=-/bin/sh {CLUSTER_PATH} again\n"
        f"ExecStartPre=-/bin/sh {BOOT_PATH} luns\n"
        f"ExecStart=/bin/systemctl start --no-block %i.mount\n"
    )
    return WantedFile(path=f"{UNIT_DIR}/{AGAIN}@.service", content=content)


def files_of(cluster: Cluster) -> tuple[WantedFile, ...]:
    """List the files of this layer; equal on all application servers."""
    mounts = (mount_file(volume) for volume in cluster.volumes)
    heard = (heard_service(volume) for volume in cluster.volumes)
    programs = (check_file(), cluster_file(), heard_file())
    o2cb = (conf_file(cluster), values_file(cluster), o2cb_unit())
    return (nodes_file(cluster), *programs, *heard, panic_file(), *o2cb, again_file(), *mounts)


def read_paths(cluster: Cluster) -> tuple[str, ...]:
    """List the files that are read: those that are wanted, and those of earlier versions."""
    return (*(wanted.path for wanted in files_of(cluster)), *FORMER_PATHS)


def values_of(path: str, text: str) -> object:
    """Return what a file comes to for its reader: o2cb's tools write theirs in their own words.

    For cluster.conf the stanzas, each with its keys and values, ocfs2.cluster.conf(5); for the
    values of o2cb the assignments; for any other file its text.
    """
    if path not in {CONF_PATH, VALUES_PATH}:
        return text.rstrip("\n")
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if path == VALUES_PATH:
        return frozenset(lines)
    stanzas: list[list[str]] = []
    for line in lines:
        if line.endswith(":") or not stanzas:
            stanzas.append([])
        stanzas[-1].append("=".join(part.strip() for part in line.split("=", 1)))
    return sorted(sorted(stanza) for stanza in stanzas)


def is_other(wanted: WantedFile, files: Files) -> bool:
    """Whether a file on the host comes to something else than the wanted one."""
    state = files.get(wanted.path)
    if state is None or state.text is None:
        return True
    return values_of(wanted.path, state.text) != values_of(wanted.path, wanted.text)


def units_of(cluster: Cluster) -> tuple[str, ...]:
    """List the units of this layer."""
    waits = (heard_unit(volume.mount) for volume in cluster.volumes)
    return (O2CB, *(unit_name(volume.mount) for volume in cluster.volumes), *waits)


def runtime_values(timings: Timings) -> dict[str, str]:
    """Values that configfs must show while the cluster is online."""
    return {
        "dead_threshold": str(timings.o2cb_threshold),
        "idle_timeout_ms": str(timings.o2cb_idle_ms),
        "keepalive_delay_ms": str(timings.o2cb_keepalive_ms),
        "reconnect_delay_ms": str(timings.o2cb_reconnect_ms),
    }


def node_values(cluster: Cluster) -> dict[str, str]:
    """Nodes that configfs must show while the cluster is online."""
    return {
        f"node/{server.hostname}": f"{server.node} {server.interconnect} {PORT}"
        for server in cluster.applications
    }


def mkfs_arguments(cluster: Cluster, volume: Volume) -> tuple[str, ...]:
    """Arguments of mkfs.ocfs2 for a volume."""
    return (
        "-L",
        volume.label,
        "-N",
        str(volume.slots),
        *MKFS[volume.workload],
        "--cluster-stack=o2cb",
        f"--cluster-name={cluster.name}",
        volume.map_device,
    )


def mkfs_marker(volume: Volume) -> str:
    """Path of the marker that stands while the filesystem is made."""
    return f"{PENDING_DIR}/mkfs-{volume.name}"


def is_former(path: str, files: Files) -> bool:
    """Whether a file is there as an earlier version wrote it; Debian's own stays."""
    state = files.get(path)
    return state is not None and (state.text or "").startswith(HEADER)
