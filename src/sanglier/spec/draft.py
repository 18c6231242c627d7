"""The valid parts of a file, defaults filled in, for the rules to look at.

A draft is made from any tree, however wrong: what has the wrong type is left out
here (the model reports it), so that every rule runs on everything that is there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sanglier.spec import defaults
from sanglier.spec.budget import turns
from sanglier.spec.cluster import Access
from sanglier.spec.document import Tree
from sanglier.spec.mistake import FieldPath

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A value and where it stands; ``written`` is false for a default."""

    value: T
    path: FieldPath
    written: bool = True


Text = Placed[str]
Number = Placed[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftHost:
    """What all servers have."""

    name: Text
    """The path is that of the server itself."""
    ssh: Text | None
    hostname: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFence:
    """One way to switch a storage server off."""

    path: FieldPath
    agent: Text | None
    parameters: tuple[Placed[Tree], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftStorage(DraftHost):
    """A storage server."""

    replication: Text | None
    san: tuple[Text, ...]
    management: Text | None
    lacks_management: bool
    """Whether none was written, not even a wrong one."""
    fence: tuple[tuple[DraftFence, ...], ...]
    """As many levels as were written, each with as many devices, whatever their type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftApplication(DraftHost):
    """An application server."""

    san: tuple[Text, ...]
    interconnect: Text | None
    node: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftWitness(DraftHost):
    """The witness, a host of its own or ``on`` an application server."""

    on: Text | None
    address: Text | None
    lacks_address: bool
    """Whether none was written, not even a wrong one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftVolume:
    """A volume."""

    name: Text
    on: tuple[Text, ...] | None
    """Devices; the last part of each path is the server.  ``None`` when not a mapping."""
    prefer: Text | None
    label: Text | None
    mount: Text | None
    size: Text | None
    slots: Number | None
    minor: Number
    port: Number
    serial: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The file as far as it can be read.  ``None`` for a section: not a mapping."""

    cluster: Text | None
    iqn: Text | None
    secrets: Text | None
    timings: Text | None
    """The set that is named."""
    stall: Text | None
    """Of timings that are to be solved."""
    stall_fence: Text | None
    """How long fencing may take, of the same."""
    guarded: bool
    """Whether the file asks for ``access: guarded``, or for nothing."""
    storage: tuple[DraftStorage, ...] | None
    applications: tuple[DraftApplication, ...] | None
    witness: DraftWitness | None
    lacks_witness: bool
    """Whether no witness was written, not even a wrong one."""
    volumes: tuple[DraftVolume, ...] | None

    @property
    def fence_turns(self) -> int:
        """The most turns that the fencing of a storage server may take."""
        return max((1, *(turns(map(len, server.fence)) for server in self.storage or ())))

    @property
    def servers(self) -> tuple[DraftStorage | DraftApplication, ...]:
        """Storage and application servers."""
        return (*(self.storage or ()), *(self.applications or ()))

    @property
    def hosts(self) -> tuple[DraftHost, ...]:
        """Every host that the file describes; not the witness that is on another host."""
        witness = self.witness
        own = (witness,) if witness is not None and witness.on is None else ()
        return (*self.servers, *own)


def make_draft(tree: dict[str, Tree]) -> Draft:
    """Take what is usable out of ``tree``."""
    top = _At(tree, ())
    wish = _At(tree.get("timings"), ("timings",))
    cluster = top.text("cluster")
    applications = _section(tree, "applications")
    slots = defaults.slots(len(applications)) if applications is not None else None
    storage = _section(tree, "storage")
    volumes = _section(tree, "volumes")
    first = storage[0][0] if storage else None
    return Draft(
        cluster=cluster,
        iqn=top.text("iqn"),
        secrets=top.text("secrets"),
        timings=top.text("timings"),
        stall=wish.text("stall"),
        stall_fence=wish.text("fence"),
        guarded=tree.get("access") in (None, Access.GUARDED),
        storage=None if storage is None else tuple(_storage(k, at) for k, at in storage),
        applications=None
        if applications is None
        else tuple(
            _application(node, k, at)
            for node, (k, at) in zip(_numbers(applications, "node"), applications, strict=True)
        ),
        witness=_witness(tree.get("witness")),
        lacks_witness=tree.get("witness") is None,
        volumes=None
        if volumes is None
        else tuple(
            _volume(numbers, k, at, cluster.value if cluster else "", slots, first)
            for numbers, (k, at) in zip(_minors_and_ports(volumes), volumes, strict=True)
        ),
    )


class _At:
    """Reads typed values out of one mapping of the tree."""

    def __init__(self, mapping: Tree, path: FieldPath) -> None:
        self.path = path
        self.mapping = mapping if isinstance(mapping, dict) else {}

    def text(self, key: str) -> Text | None:
        value = self.mapping.get(key)
        return Placed(value, (*self.path, key)) if isinstance(value, str) else None

    def lacks(self, key: str) -> bool:
        return self.mapping.get(key) is None

    def text_or(self, key: str, default: str) -> Text:
        return self.text(key) or Placed(default, (*self.path, key), written=False)

    def number(self, key: str) -> Number | None:
        value = self.mapping.get(key)
        usable = isinstance(value, int) and not isinstance(value, bool)
        return Placed(int(value), (*self.path, key)) if usable else None  # type: ignore[arg-type]

    def number_or(self, key: str, default: int) -> Number:
        return self.number(key) or Placed(default, (*self.path, key), written=False)

    def texts(self, key: str) -> tuple[Text, ...]:
        return tuple(_texts((*self.path, key), self._pairs(key)))

    def _pairs(self, key: str) -> Iterable[tuple[str | int, Tree]]:
        value = self.mapping.get(key)
        if isinstance(value, dict):
            return value.items()
        return enumerate(value) if isinstance(value, list) else ()


def _texts(path: FieldPath, pairs: Iterable[tuple[str | int, Tree]]) -> Iterable[Text]:
    return (Placed(value, (*path, key)) for key, value in pairs if isinstance(value, str))


def _section(tree: dict[str, Tree], key: str) -> list[tuple[str, _At]] | None:
    value = tree.get(key)
    if not isinstance(value, dict):
        return None
    return [(name, _At(item, (key, name))) for name, item in value.items()]


def _numbers(items: list[tuple[str, _At]], key: str, first: int = 0) -> list[int]:
    """Give each item its number: the written one, or the default."""
    written = (at.number(key) for _, at in items)
    return defaults.allot([at.value if at else None for at in written], first)


def _minors_and_ports(volumes: list[tuple[str, _At]]) -> Iterable[tuple[int, int]]:
    ports = _numbers(volumes, "port", defaults.FIRST_PORT)
    return zip(_numbers(volumes, "minor"), ports, strict=True)


def _storage(name: str, at: _At) -> DraftStorage:
    return DraftStorage(
        name=Placed(name, at.path),
        ssh=at.text("ssh"),
        hostname=at.text_or("hostname", name),
        replication=at.text("replication"),
        san=at.texts("san"),
        management=at.text("management"),
        lacks_management=at.lacks("management"),
        fence=_levels(at.mapping.get("fence"), (*at.path, "fence")),
    )


def _levels(fence: Tree, path: FieldPath) -> tuple[tuple[DraftFence, ...], ...]:
    levels = () if fence is None else _items(fence, path)
    return tuple(
        tuple(_fence(_At(device, where)) for device, where in _items(level, at))
        for level, at in levels
    )


def _items(value: Tree, path: FieldPath) -> tuple[tuple[Tree, FieldPath], ...]:
    """Give what a list holds, or the one thing that stands for a list of one."""
    if isinstance(value, list):
        return tuple((item, (*path, i)) for i, item in enumerate(value))
    return ((value, path),)


def _fence(at: _At) -> DraftFence:
    parameters = (item for item in at.mapping.items() if item[0] not in defaults.FENCE_KEYS)
    return DraftFence(
        path=at.path,
        agent=at.text("agent"),
        parameters=tuple(Placed(value, (*at.path, key)) for key, value in parameters),
    )


def _application(node: int, name: str, at: _At) -> DraftApplication:
    san = at.texts("san")
    first = Placed(san[0].value, (*at.path, "interconnect"), written=False) if san else None
    return DraftApplication(
        name=Placed(name, at.path),
        ssh=at.text("ssh"),
        hostname=at.text_or("hostname", name),
        san=san,
        interconnect=at.text("interconnect") or first,
        node=at.number_or("node", node),
    )


def _witness(value: Tree) -> DraftWitness | None:
    if not isinstance(value, dict):
        return None
    at = _At(value, ("witness",))
    return DraftWitness(
        name=Placed(defaults.WITNESS_NAME, at.path, written=False),
        ssh=at.text("ssh"),
        hostname=at.text_or("hostname", defaults.WITNESS_NAME),
        on=at.text("on"),
        address=at.text("address"),
        lacks_address=at.lacks("address"),
    )


def _volume(
    numbers: tuple[int, int],
    name: str,
    at: _At,
    cluster: str,
    slots: int | None,
    first: str | None,
) -> DraftVolume:
    written_on = isinstance(at.mapping.get("on"), dict)
    prefer = at.text("prefer")
    if prefer is None and first is not None:
        prefer = Placed(first, (*at.path, "prefer"), written=False)
    default_slots = None if slots is None else Placed(slots, (*at.path, "slots"), written=False)
    return DraftVolume(
        name=Placed(name, at.path),
        on=at.texts("on") if written_on else None,
        prefer=prefer,
        label=at.text_or("label", defaults.label(name)),
        mount=at.text("mount"),
        size=at.text("size"),
        slots=at.number("slots") or default_slots,
        minor=at.number_or("minor", numbers[0]),
        port=at.number_or("port", numbers[1]),
        serial=at.text_or("serial", defaults.serial(cluster, name)),
    )
