"""The mirror as the kernel and the configuration tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.layers.files import Files

UP_TO_DATE = "UpToDate"
FRESH_UUID = "0000000000000004"
"""UUID_JUST_CREATED of drbd 8.4 (drbd.h): metadata that no data generation used yet."""
SYNCING = frozenset(
    {
        "SyncSource",
        "SyncTarget",
        "PausedSyncS",
        "PausedSyncT",
        "WFBitMapS",
        "WFBitMapT",
        "WFSyncUUID",
        "StartingSyncS",
        "StartingSyncT",
        "VerifyS",
        "VerifyT",
        "Ahead",
        "Behind",
    }
)
"""Connection states in which both sides talk and one may be behind, drbd.h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What the kernel runs a resource with, whatever any file says; ``drbdsetup show``."""

    minor: int | None = None
    device: str = ""
    """Backing device as it was named when it was attached; empty when none is."""
    backed: frozenset[str] = frozenset()
    """That device's number, MAJOR:MINOR (with external metadata also that one's)."""
    here: str = ""
    """Family and address with port, ``ipv4 10.77.1.11:7789``; empty without a connection."""
    there: str = ""
    """The same of the peer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One DRBD 8.4 resource on one host."""

    up: bool = False
    connection: str = ""
    """``cs:`` of /proc/drbd: Connected, WFConnection, StandAlone, SyncTarget…"""
    role: str = ""
    peer_role: str = ""
    disk: str = ""
    """UpToDate, Inconsistent, Outdated, Diskless…"""
    peer_disk: str = ""
    protocol: str = ""
    suspended: bool = False
    """I/O is frozen (first flag of /proc/drbd is not ``r``)."""
    synced_percent: float | None = None
    metadata: bool = False
    """Valid metadata is on the backing device (or it is attached)."""
    fresh: bool = False
    """Metadata was just created: no generation of data has ever been current."""
    pending: bool = False
    """A first writing of metadata was cut."""
    outdated: bool = False
    """Its metadata says that newer data was elsewhere."""
    torn: bool = False
    """Its metadata says that it is a mixture of old and new (Inconsistent)."""
    secret_digest: str = ""
    """SHA-256 of the shared secret in use."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Runtime options as ``drbdsetup show --show-defaults`` gives them."""
    in_force: InForce = InForce()
    named: str = ""
    """Number, MAJOR:MINOR, of the device that the cluster's file names."""

    @property
    def alone(self) -> bool:
        """Whether no peer is there, and its data is known to be behind: nothing can diverge."""
        away = self.connection in {"WFConnection", "StandAlone"}
        return away and not self.suspended and self.peer_disk in {"Outdated", "Inconsistent"}

    @property
    def current(self) -> bool:
        """Whether it may be the newest data: nothing says that it is not."""
        return self.whole and not self.outdated and self.disk != "Outdated"

    @property
    def whole(self) -> bool:
        """Whether it can be the source of a sync at all."""
        return not self.torn and self.disk != "Inconsistent"

    @property
    def connected(self) -> bool:
        """Whether both sides talk to each other."""
        return self.connection == "Connected" or self.connection in SYNCING

    @property
    def primary(self) -> bool:
        """Whether the local side is Primary."""
        return self.role == "Primary"

    @property
    def exportable(self) -> bool:
        """Whether this side may be exported: Primary on up-to-date data."""
        return self.up and self.primary and self.disk == UP_TO_DATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What a host knows of a volume without looking at its disks."""

    live: tuple[str, ...] = ()
    """Where it is mapped or mounted now."""
    known: tuple[str, ...] = ()
    """Where else it stands: configuration that is made only once the mirror runs."""
    file: tuple[str, ...] = ()
    """Its resource file, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What an application server knows of the volumes, by name."""

    traces: Mapping[str, Traces]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrbdFacts:
    """DRBD on one storage server."""

    version: str
    """Of the loaded module; empty when it is not loaded."""
    files: Files
    resources: Mapping[str, Resource]
    traces: Mapping[str, Traces] = field(default_factory=dict)
    handler: Mapping[str, str] = field(default_factory=dict)
    """Waits of the fence-peer handler, ``hold``, ``grace`` and ``longer``, seconds."""
