"""Hosts, networks and addresses of a lab, computed from its name and size alone."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sanglier.lab.errors import refuse

NAME = re.compile(r"[a-z][a-z0-9-]{0,11}")
"""A lab's name: it becomes part of a network namespace's and of a directory's name."""

MAX_APPLICATIONS = 26
"""One letter each: srv-a to srv-z."""


class Role(StrEnum):
    """What a host is for; decides its networks, memory and disks."""

    STORAGE = "storage"
    APPLICATION = "application"
    WITNESS = "witness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One isolated Ethernet segment: a bridge inside the lab's namespace."""

    name: str
    octet: int
    """Third octet of 10.77.OCTET.0/24."""
    roles: frozenset[Role]

    def address(self, host: int) -> str:
        """Address of host number ``host`` in this network, without the prefix length."""
        return f"10.77.{self.octet}.{host}"


MANAGEMENT = Network(name="management", octet=0, roles=frozenset(Role))
NETWORKS = (
    MANAGEMENT,
    Network(name="replication", octet=1, roles=frozenset({Role.STORAGE})),
    Network(name="san-a", octet=2, roles=frozenset({Role.STORAGE, Role.APPLICATION})),
    Network(name="san-b", octet=3, roles=frozenset({Role.STORAGE, Role.APPLICATION})),
)
GATEWAY = MANAGEMENT.address(1)
"""The lab's own side of the management network (mirror)."""

BMC_OFFSET = 100
"""A host's BMC has the host's number plus this, in the management network."""

MEMORY_MIB = {Role.STORAGE: 768, Role.APPLICATION: 512, Role.WITNESS: 256}
"""Where the back end needs no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One network card of a host."""

    network: str
    device: str
    """Name inside the host."""
    tap: str
    """Name of the other end, inside the lab's namespace; at most 15 characters (IFNAMSIZ)."""
    address: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabHost:
    """One host of the lab."""

    name: str
    role: Role
    memory_mib: int
    interfaces: tuple[Interface, ...]
    bmc: str
    """Address of its power switch, IPMI over LAN (UDP port 623); not an interface of the host."""

    @property
    def address(self) -> str:
        """Address in the management network, where ssh answers."""
        return self.interfaces[0].address

    @property
    def data_disk(self) -> bool:
        """Whether the host has a data disk."""
        return self.role is Role.STORAGE

    def interface(self, network: str) -> Interface:
        """Find the card in ``network``; SG-LAB-021 if the host is not in it."""
        for interface in self.interfaces:
            if interface.network == network:
                return interface
        raise refuse(
            21,
            self.name,
            f"is not in a network called {network!r}",
            fix=f"its networks: {', '.join(i.network for i in self.interfaces)}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Every host of one lab."""

    lab: str
    hosts: tuple[LabHost, ...]

    def host(self, name: str) -> LabHost:
        """Find a host by name; SG-LAB-020 if there is none."""
        for host in self.hosts:
            if host.name == name:
                return host
        raise refuse(
            20,
            self.lab,
            f"has no host called {name!r}",
            fix=f"its hosts: {', '.join(host.name for host in self.hosts)}",
        )


def check_name(name: str) -> str:
    """Return a lab's name; SG-LAB-001 unless it is short and plain."""
    if NAME.fullmatch(name):
        return name
    raise refuse(
        1,
        "lab",
        f"{name!r} cannot be a lab's name",
        why="it becomes part of the names of a namespace and of directories",
        fix="a letter, then at most 11 letters, digits or dashes, in lower case",
    )


def build(lab: str, applications: int, memory_mib: Mapping[Role, int] = MEMORY_MIB) -> Topology:
    """Lay out the lab: disk-a, disk-b, srv-a..., witness."""
    check_name(lab)
    if not 0 <= applications <= MAX_APPLICATIONS:
        raise refuse(
            2, lab, f"cannot have {applications} application servers",
            fix=f"--applications 0 to {MAX_APPLICATIONS}",
        )  # fmt: skip
    letters = string.ascii_lowercase
    places = [(f"disk-{letters[i]}", Role.STORAGE, 11 + i) for i in range(2)]
    places += [
        (f"srv-{letters[i]}", Role.APPLICATION, _application_number(i)) for i in range(applications)
    ]
    places.append(("witness", Role.WITNESS, 31))
    hosts = tuple(_host(lab, *place, memory_mib[place[1]]) for place in places)
    return Topology(lab=lab, hosts=hosts)


def _application_number(index: int) -> int:
    """21 to 30, then 41 on: 31 is the witness."""
    return 21 + index if index < 10 else 31 + index


def _host(lab: str, name: str, role: Role, number: int, memory_mib: int) -> LabHost:
    networks = [network for network in NETWORKS if role in network.roles]
    interfaces = tuple(
        Interface(
            network=network.name,
            device=f"eth{index}",
            tap=f"{name}.{index}",
            address=network.address(number),
            mac=_mac(lab, network.octet, number),
        )
        for index, network in enumerate(networks)
    )
    return LabHost(
        name=name, role=role, memory_mib=memory_mib, interfaces=interfaces,
        bmc=MANAGEMENT.address(BMC_OFFSET + number),
    )  # fmt: skip


def _mac(lab: str, octet: int, number: int) -> str:
    """Locally administered, unicast (02), different in every lab (IEEE 802, U/L bit)."""
    salt = hashlib.sha256(lab.encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *salt[:3], octet, number))
