"""The cluster that a file describes, as frozen values: what every layer reads.

``spec.load`` builds a :class:`Cluster` from YAML and has checked every rule by
then, so the layers never validate.  Values derived from names (IQN, serial,
WWID, minors) are properties here, so that they are written in one place only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Access(StrEnum):
    """How application servers reach the volumes; of the whole cluster.

    It is no property of a volume, because fencing and arbitration concern hosts.
    """

    GUARDED = "guarded"
    """Log in to both targets; one is open, the other in standby, and fencing decides."""
    ARTICLE = "article"
    """The article verbatim, for teaching only: both open, one path each, no failover."""


class Workload(StrEnum):
    """What a filesystem is for; decides cluster size, journal and mount options."""

    SMALL_FILES = "small-files"
    MAIL = "mail"
    VM_IMAGES = "vm-images"
    DATABASE = "database"
    GENERAL = "general"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Any server: how ssh reaches it, and the name its kernel must bear."""

    name: str
    ssh: str
    hostname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FenceDevice:
    """One way to switch a storage server off; no passwords in here."""

    agent: str
    parameters: tuple[tuple[str, str], ...]
    level: int
    """Position in the order of trying, from 1: Pacemaker's fencing topology index."""
    position: int = 1
    """Position among the devices of its level, from 1: all of them must succeed."""
    no_password: bool = False
    """Whether the agent works without a password (a key file, an address list)."""

    def secret_key(self, server: str) -> str:
        """Give the name of the password in the secrets file; ``server`` is its storage server."""
        if self.position > 1:
            return f"{server}/{self.level}/{self.position}"
        return server if self.level == 1 else f"{server}/{self.level}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageServer(Host):
    """One of the two mirror sides: a replication address and a portal per SAN."""

    replication: str
    """Address of DRBD and of Corosync's first link."""
    san: tuple[str, ...]
    index: int
    """0 or 1 (Corosync's node ids, ALUA group ids, DRBD order): that in force, else by the file."""
    management: str | None = None
    """Address of Corosync's second link and of the way to qnetd; never ``None`` in guarded."""
    fence: tuple[FenceDevice, ...] = ()
    """Devices by level and position, in the order of trying; never empty in guarded."""

    @property
    def fence_levels(self) -> tuple[tuple[FenceDevice, ...], ...]:
        """The devices of each level; all of one must succeed."""
        numbers = sorted({device.level for device in self.fence})
        return tuple(tuple(d for d in self.fence if d.level == number) for number in numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationServer(Host):
    """A server that mounts the volumes."""

    san: tuple[str, ...]
    interconnect: str
    """Address of o2cb's node-to-node traffic, o2cb.sysconfig(5)."""
    node: int
    """o2cb node number, unique in the cluster, 0..254: that in force, else by the file."""
    written: Mapping[str, int] = field(default_factory=dict)
    """Numbers that the file gives: ``node``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness(Host):
    """The third host of the arbitration; may be an application server's host."""

    address: str
    """Where corosync-qnetd is reached; empty only in article, where nobody asks it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Every timeout of the stack, in the unit its own tool uses (see the names)."""

    name: str
    drbd_timeout_ds: int
    drbd_ping_int_s: int
    drbd_ping_timeout_ds: int
    drbd_connect_int_s: int
    drbd_ko_count: int
    noop_interval_s: int
    noop_timeout_s: int
    recovery_s: int
    """iSCSI replacement_timeout = multipath fast_io_fail_tmo (multipathd overrides)."""
    sd_timeout_s: int
    abort_timeout_s: int
    reset_timeout_s: int
    polling_s: int
    checker_timeout_s: int
    o2cb_threshold: int
    """Self-fence after 2*(threshold-1) seconds without a heartbeat write."""
    o2cb_idle_ms: int
    o2cb_keepalive_ms: int
    o2cb_reconnect_ms: int
    corosync_token_ms: int
    """Silence after which corosync gives a server up, corosync.conf(5) totem.token."""
    corosync_consensus_ms: int
    """Time to agree on that, at least 1.2 tokens, corosync.conf(5) totem.consensus."""
    qdevice_timeout_ms: int
    """Patience of votequorum for the quorum device, corosync-qdevice(8) quorum.device.timeout."""
    qdevice_sync_timeout_ms: int
    """The same while the membership changes, quorum.device.sync_timeout."""
    fence_s: int
    """Longest that one fence device may take until it has switched a server off, or has failed
    (assumed, measured)."""
    fence_hold_s: int
    """How long the standby side leaves the first shot to the open side when only the mirror is
    cut: longer than a fencing takes, all its turns one after the other."""
    fence_turns: int = 1
    """How often ``fence_s`` may pass in one fencing, at most: ``budget.turns``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One replicated device = one DRBD resource = one LUN = one filesystem."""

    name: str
    devices: Mapping[str, str]
    """Storage server name -> backing device path."""
    prefer: str
    label: str
    mount: str
    workload: Workload
    slots: int
    minor: int
    port: int
    """TCP port of the DRBD replication of this volume; like the minor: that in force, else by
    the file."""
    serial: str
    """LIO vpd_unit_serial: 32 hex digits, unique in the first 25."""
    size_bytes: int | None = None
    """The least size that both backing devices must have; ``None`` for any."""
    written: Mapping[str, int] = field(default_factory=dict)
    """Numbers that the file gives: ``minor``, ``port``."""
    prefer_written: bool = True
    """Whether the file says which side it prefers; else it is the one with index 0."""

    @property
    def wwid(self) -> str:
        """WWID that udev and multipath see: ``3`` + LIO's NAA (spc_gen_naa_6h_vendor_specific)."""
        return "36001405" + self.serial[:25]

    @property
    def drbd_device(self) -> str:
        """Path of the replicated block device."""
        return f"/dev/drbd{self.minor}"

    @property
    def alias(self) -> str:
        """Name of the multipath map."""
        return f"sanglier-{self.name}"

    @property
    def map_device(self) -> str:
        """Path of the multipath map."""
        return f"/dev/mapper/{self.alias}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The whole file, checked.

    Layers get it with servers and volumes in the order of their numbers, never in that of the
    file: see :mod:`sanglier.spec.keep`.
    """

    name: str
    iqn_prefix: str
    access: Access
    timings: Timings
    storage: tuple[StorageServer, ...]
    applications: tuple[ApplicationServer, ...]
    witness: Witness | None
    volumes: tuple[Volume, ...]
    secrets_file: str = ""
    """Path of the secrets file on this machine."""
    deciding: str = ""
    """Name of the volume whose open side shoots first when the mirror alone is cut; see
    :attr:`deciding_volume`."""

    @property
    def guarded(self) -> bool:
        """Whether one target is open at a time, and fencing decides which."""
        return self.access is Access.GUARDED

    @property
    def deciding_volume(self) -> Volume:
        """The volume that decides who shoots first: the one in force, else the lowest minor."""
        named = (volume for volume in self.volumes if volume.name == self.deciding)
        return next(named, min(self.volumes, key=lambda volume: volume.minor))

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host once, storage servers first."""
        found: dict[str, Host] = {}
        for host in (*self.storage, *self.applications, *((self.witness,) if self.witness else ())):
            found.setdefault(host.name, host)
        return tuple(found.values())

    def target_servers(self, server: ApplicationServer) -> tuple[StorageServer, ...]:
        """Give the storage servers into whose targets ``server`` logs in.

        Both in guarded.  One in article, first and second in turn by the node number:
        there, each server has one path to one target.
        """
        if self.guarded:
            return self.storage
        return (self.storage[server.node % len(self.storage)],)

    def target_iqn(self, volume: Volume, server: StorageServer) -> str:
        """IQN of the target by which ``server`` exports ``volume``."""
        return f"{self.iqn_prefix}:{self.name}.{volume.name}.{server.name}"

    def initiator_iqn(self, server: ApplicationServer) -> str:
        """IQN by which an application server logs in."""
        return f"{self.iqn_prefix}:{self.name}.{server.name}"


def default_serial(cluster: str, volume: str) -> str:
    """Derive a LUN serial from names: equal on both sides, no state to keep."""
    return hashlib.sha256(f"sanglier/{cluster}/{volume}".encode()).hexdigest()[:32]
