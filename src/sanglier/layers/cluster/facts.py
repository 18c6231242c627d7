"""Corosync and Pacemaker as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessFacts:
    """The quorum device's server on the witness."""

    units: Units
