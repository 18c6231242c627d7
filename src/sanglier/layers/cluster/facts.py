"""Corosync and Pacemaker as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.layers.cluster.certificates import Certificate
from sanglier.layers.cluster.cib import Form
from sanglier.layers.files import Files
from sanglier.layers.services import Units


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A storage server as Pacemaker sees it, crm_mon(8)."""

    online: bool = False
    unclean: bool = False
    """Lost and not yet killed: nothing of it may run elsewhere."""
    standby: bool = False
    """Emptied for maintenance."""

    @property
    def works(self) -> bool:
        """Whether it may run anything."""
        return self.online and not self.standby


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What runs where."""

    coordinator: str = ""
    """The node that decides (DC)."""
    quorate: bool = False
    nodes: Mapping[str, Node] = field(default_factory=dict)
    running: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Primitive -> node -> role (Started, Promoted, Unpromoted)."""
    failed: tuple[str, ...] = ()
    """Sentences about operations that failed and are remembered."""

    def watched(self, hostname: str) -> bool:
        """Whether another server works, which could try the power switch of ``hostname``."""
        return any(node.works for name, node in self.nodes.items() if name != hostname)

    def where(self, primitive: str, role: str = "") -> tuple[str, ...]:
        """Nodes on which a primitive runs (in ``role``), in order."""
        found = self.running.get(primitive, {})
        return tuple(sorted(n for n, r in found.items() if role in {"", r}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A storage server's end of the link to the witness."""

    now: int = 0
    """The server's clock, seconds since 1970."""
    database: bool = False
    """There is an NSS database, whatever is in it."""
    authority: Certificate | None = None
    """The witness's authority, as this server knows it."""
    certificate: Certificate | None = None
    tls: str = ""
    """With which setting the quorum device runs (Required, Supported, Unsupported); empty when it
    does not run.  It reads its configuration and its database when it starts, and then never."""
    encrypted: bool | None = None
    """Whether its connection is; ``None`` when it has none."""
    outdated: bool = False
    """A certificate came since the quorum device was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A quorum device that is connected to the witness, corosync-qnetd-tool(8)."""

    cluster: str
    encrypted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """The cluster engine on one storage server."""

    files: Files
    units: Units
    values: Mapping[str, str]
    """Values in force, by their names in corosync-cmapctl(8)."""
    device_votes: bool = False
    """The quorum device on the witness gives its vote."""
    configuration: Form | None = None
    state: State | None = None
    link: Link = field(default_factory=Link)


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessFacts:
    """The quorum device's server on the witness."""

    units: Units
    now: int = 0
    """The witness's clock, seconds since 1970."""
    files: Files = field(default_factory=dict)
    authority: Certificate | None = None
    certificate: Certificate | None = None
    tls: str = ""
    """What the daemon asks of its clients (Required, Supported, Unsupported); empty when it does
    not run."""
    clients: tuple[Client, ...] = ()
