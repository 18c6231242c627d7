"""Rules about IP addresses: each names one server in one role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from sanglier.spec.draft import Draft, DraftApplication, DraftStorage, Text
from sanglier.spec.mistake import FieldPath, Found, dotted, show
from sanglier.spec.rules.base import rule

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Use:
    """One address in one role of one server."""

    at: Text
    address: IPAddress
    role: str
    server: str


def literal(text: str) -> IPAddress | None:
    """Read an address; ``None`` for names, and for zones such as ``fe80::1%eth0``."""
    try:
        return None if "%" in text else ip_address(text)
    except ValueError:
        return None


def written_addresses(draft: Draft) -> Iterator[tuple[Text, str, str]]:
    """Give every address of the file with its role and its server."""
    for server in draft.servers:
        name = server.name.value
        for address in server.san:
            yield address, "san", name
        if isinstance(server, DraftStorage) and server.replication:
            yield server.replication, "replication", name
        if isinstance(server, DraftStorage) and server.management:
            yield server.management, "management", name
        if isinstance(server, DraftApplication):
            own = server.interconnect
            if own and own.written:
                yield own, "interconnect", name
    witness = draft.witness
    if witness and witness.address:
        yield witness.address, "witness", witness.on.value if witness.on else witness.name.value


def uses(draft: Draft) -> Iterator[Use]:
    """Give every address that is one."""
    for at, role, server in written_addresses(draft):
        address = literal(at.value)
        if address is not None:
            yield Use(at, address, role, server)


@rule("SG-SPEC-040")
def address_form(draft: Draft) -> Iterator[Found]:
    """An address is an IPv4 or IPv6 literal

    Names are not resolved: a storage cluster must not depend on a name server. No netmask, no
    port and no zone (`%eth0`). Four decimal numbers without leading zeros, or IPv6.
    """
    for at, _, _ in written_addresses(draft):
        if literal(at.value) is None:
            fix = "write an address such as 10.77.2.11, without netmask or port"
            yield Found(at.path, f"not an IP address: {show(at.value)}", fix)


@rule("SG-SPEC-041")
def address_usable(draft: Draft) -> Iterator[Found]:
    """An address can be reached from another server

    Loopback, multicast, unspecified, broadcast, link-local IPv6 (it needs a zone) and reserved
    addresses are never the address of a server in a network. IPv4 addresses are written as such
    and not inside IPv6.
    """
    for use in uses(draft):
        kind = unusable(use.address)
        if kind:
            fix = "write the server's own address in that network"
            yield Found(use.at.path, f"{show(use.at.value)} is {kind}", fix)


def unusable(address: IPAddress) -> str:
    """Say why no server can have ``address``; empty when one can."""
    kinds = (
        (getattr(address, "ipv4_mapped", None) is not None, "an IPv4 address inside IPv6"),
        (address.is_unspecified, "the unspecified address"),
        (address.is_loopback, "a loopback address"),
        (address.is_multicast, "a multicast address"),
        (address == IPv4Address("255.255.255.255"), "the broadcast address"),
        (address.is_reserved, "a reserved address"),
        (_this_network(address), "no address of a host"),
        (address.version == 6 and address.is_link_local, "a link-local address"),
    )
    return next((name for applies, name in kinds if applies), "")


def _this_network(address: IPAddress) -> bool:
    """Tell whether ``address`` is in 0.0.0.0/8, RFC 1122 3.2.1.3."""
    return address.version == 4 and int(address) < 1 << 24


@rule("SG-SPEC-042")
def address_twice(draft: Draft) -> Iterator[Found]:
    """An address belongs to one server

    Every portal, replication end and interconnect end has an address of its own. The same
    address twice is a mistake of copying, and would make two servers answer for each other.
    """
    for use, first in _pairs(draft):
        if use.role == first.role:
            what = f"{show(use.at.value)} is used by {dotted(first.at.path)} too"
            yield Found(use.at.path, what, "write the address of this server in this network")


@rule("SG-SPEC-043")
def address_in_two_roles(draft: Draft) -> Iterator[Found]:
    """An address has one role

    Replication and storage traffic are apart, so that a full storage network never delays the
    mirror, and so that cutting one for maintenance or a drill does not cut the other. The storage
    servers watch each other over the replication and the management network, so that one failed
    switch never looks like a dead server. Only an application server may use one of its own
    addresses for several things: `san`, `interconnect`, and `address` of a witness on it.
    """
    for use, first in _pairs(draft):
        shared = use.server == first.server and {use.role, first.role} <= _SHARED
        if use.role != first.role and not shared:
            what = f"{show(use.at.value)} is {dotted(first.at.path)} already"
            yield Found(use.at.path, what, f"write an address only for {use.role}")


_SHARED = {"san", "interconnect", "witness"}


def _pairs(draft: Draft) -> Iterator[tuple[Use, Use]]:
    seen: dict[IPAddress, Use] = {}
    for use in uses(draft):
        if use.address in seen:
            yield use, seen[use.address]
        seen.setdefault(use.address, use)


@rule("SG-SPEC-044")
def san_count(draft: Draft) -> Iterator[Found]:
    """Every server has an address in every storage network

    The first addresses of all `san` lists form the first network, the second ones the second.
    A server with fewer would have fewer paths than the others, and one switch could cut it off.
    """
    servers = [server for server in draft.servers if server.san]
    for server in servers[1:]:
        expected, got = len(servers[0].san), len(server.san)
        if got != expected:
            what = f"{got} addresses, but {dotted(servers[0].name.path)} has {expected}"
            fix = "give every server one address for each storage network, in the same order"
            yield Found((*server.name.path, "san"), what, fix)


@rule("SG-SPEC-045")
def address_families(draft: Draft) -> Iterator[Found]:
    """Addresses that talk to each other are of one family

    Both replication addresses are IPv4, or both are IPv6; the same for both management
    addresses, and for all addresses at one position of `san`.
    """
    for network in _networks(draft):
        for use in network[1:]:
            if use.address.version != network[0].address.version:
                what = (
                    f"IPv{use.address.version}, but {dotted(network[0].at.path)} is "
                    f"IPv{network[0].address.version}"
                )
                yield Found(use.at.path, what, "write addresses of one family")


def _networks(draft: Draft) -> Iterator[list[Use]]:
    """Give the addresses that should be in one network, network by network."""
    networks: dict[FieldPath, list[Use]] = {}
    for use in uses(draft):
        if use.role not in ("interconnect", "witness"):
            networks.setdefault(use.at.path[2:], []).append(use)
    yield from networks.values()


@rule("SG-SPEC-046")
def interconnect_family(draft: Draft) -> Iterator[Found]:
    """The interconnect is IPv4

    o2cb knows IPv4 only (ocfs2.cluster.conf(5): `ip_address` is an IPv4 address). Where `san` is
    IPv6, write an IPv4 address as `interconnect`.
    """
    for server in draft.applications or ():
        at = server.interconnect
        address = literal(at.value) if at else None
        if at and address is not None and address.version == 6:
            what = f"{show(at.value)} is IPv6, which o2cb does not know"
            yield Found(at.path, what, "add `interconnect:` with an IPv4 address of the server")


@rule("SG-SPEC-080", warning=True)
def one_san(draft: Draft) -> Iterator[Found]:
    """A single storage network is a single point of failure

    With one address per server, one switch or cable cuts an application server from both
    targets, or a target from all application servers. Two networks on separate switches keep
    both targets reachable.
    """
    for server in draft.servers:
        if len(server.san) == 1:
            fix = "add a second network on another switch, if you can"
            yield Found((*server.name.path, "san"), "only one storage network", fix)


@rule("SG-SPEC-081", warning=True)
def san_far_apart(draft: Draft) -> Iterator[Found]:
    """Addresses at one position of `san` look like one network

    The file has no netmasks, so this is only a suspicion: addresses that should be in one
    network differ in their first 16 bits (IPv6: first 32). Perhaps a list is in another order.
    """
    for network in _networks(draft):
        for use in network[1:]:
            if _far(use.address, network[0].address):
                what = f"{show(use.at.value)} looks far from {show(network[0].at.value)}"
                fix = f"check that {dotted(network[0].at.path)} is in the same network"
                yield Found(use.at.path, what, fix)


def _far(one: IPAddress, other: IPAddress) -> bool:
    if one.version != other.version:
        return False
    shift = 16 if one.version == 4 else 96
    return int(one) >> shift != int(other) >> shift


@rule("SG-SPEC-082", warning=True)
def same_san(draft: Draft) -> Iterator[Found]:
    """Two storage networks look like one

    Two `san` addresses of a server agree in their first 24 bits (IPv6: 64), so they are probably
    in one network. Linux then sends both over one interface, and one switch is enough to cut
    every path.
    """
    for server in draft.servers:
        seen: dict[tuple[int, int], Text] = {}
        for at in server.san:
            address = literal(at.value)
            if address is None:
                continue
            near = seen.setdefault(_subnet(address), at)
            if near is not at and near.value != at.value:
                what = f"{show(at.value)} looks like the network of {show(near.value)}"
                yield Found(at.path, what, "use a network of its own for each position of `san`")


@rule("SG-SPEC-084", warning=True)
def same_links(draft: Draft) -> Iterator[Found]:
    """The management network looks like the replication network

    The file has no netmasks, so this is only a suspicion: the two addresses of a storage server
    agree in their first 24 bits (IPv6: 64). Over one network, one switch cuts mirror and cluster
    traffic at once: each storage server then takes the other for dead and tries to switch it off.
    """
    for server in draft.storage or ():
        at, other = server.management, server.replication
        if at and other and _alike(literal(at.value), literal(other.value)):
            what = f"{show(at.value)} looks like the network of {show(other.value)}"
            yield Found(at.path, what, "write addresses of two networks on separate switches")


def _alike(one: IPAddress | None, other: IPAddress | None) -> bool:
    if one is None or other is None or one == other:
        return False
    return _subnet(one) == _subnet(other)


def _subnet(address: IPAddress) -> tuple[int, int]:
    return address.version, int(address) >> (8 if address.version == 4 else 64)


RULES = (
    address_form,
    address_usable,
    address_twice,
    address_in_two_roles,
    san_count,
    address_families,
    interconnect_family,
    one_san,
    san_far_apart,
    same_san,
    same_links,
)
