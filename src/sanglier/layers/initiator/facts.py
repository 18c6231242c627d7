"""open-iscsi on one application server: files, records, sessions, disks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.layers.files import Files
from sanglier.layers.services import Units


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Portal:
    """One way to a target."""

    target: str
    """IQN."""
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of the kernel's initiator, /sys/class/iscsi_session."""

    portal: Portal
    state: str
    """LOGGED_IN, FAILED or FREE."""
    initiator: str
    """Name by which it logged in."""
    password_digest: str
    """SHA-256 of the CHAP password with which it would log in again."""
    name: str = ""
    """The kernel's, e.g. ``session1``."""
    timeouts: Mapping[str, int] = field(default_factory=dict)
    """Seconds in force, by their names in /sys/class/iscsi_session and iscsi_connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitiatorFacts:
    """What open-iscsi holds."""

    files: Files
    units: Units
    records: Mapping[Portal, Mapping[str, str]]
    """Node records, only the settings that matter (never a password)."""
    stale_passwords: frozenset[Portal]
    """Records whose CHAP password is not that of iscsid.conf."""
    sessions: tuple[Session, ...]
    disk_timeouts: Mapping[str, int]
    """SCSI command timeout of each LIO disk, seconds, by kernel name."""
