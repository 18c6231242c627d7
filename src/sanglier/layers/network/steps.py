"""No steps: a network is never changed from here, only judged."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.network.desired import Link, addresses_of, links_of
from sanglier.layers.network.facts import NetworkFacts
from sanglier.spec.cluster import Cluster, Host

CLOCK_SKEW_S = 5.0
"""Clocks further apart than this make logs of an outage unreadable."""


def _address(host: str, subject: str) -> Address:
    return Address(host=host, layer="network", subject=subject)


def _names(host: Host, now: NetworkFacts) -> Iterator[Problem]:
    if now.hostname != host.hostname:
        yield Problem(
            code="SG-NET-001",
            severity=Severity.BLOCKER,
            address=_address(host.name, "hostname"),
            what=f'the host calls itself "{now.hostname}", the file calls it "{host.hostname}"',
            why="DRBD and o2cb find their own entry by the kernel's hostname",
            fix=f"run `hostnamectl set-hostname {host.hostname}` there, "
            f"or write `hostname: {now.hostname}` in the file",
        )


def _addresses(cluster: Cluster, host: Host, now: NetworkFacts) -> Iterator[Problem]:
    for address in addresses_of(cluster, host.name):
        if address not in now.addresses:
            have = ", ".join(sorted(now.addresses)) or "none"
            yield Problem(
                code="SG-NET-002",
                severity=Severity.BLOCKER,
                address=_address(host.name, address),
                what=f"no interface bears the address {address}",
                why=f"the file gives it to this host; the host has: {have}",
                fix="configure the interface (sanglier never changes addresses), "
                "or correct the file",
            )


def _is_vital(link: Link, links: tuple[Link, ...], now: NetworkFacts) -> bool:
    """A dead SAN link is survivable while another one to the same server works.

    So is one of Corosync's two links, and a silent witness: the cluster layer tells of them.
    """
    if link.purpose in {"management", "witness"}:
        return False
    if link.purpose != "san":
        return True
    others = (x for x in links if x.purpose == "san" and x.peer_host == link.peer_host)
    return not any(now.reachable.get(x.peer, False) for x in others)


def _reachability(cluster: Cluster, host: Host, now: NetworkFacts) -> Iterator[Problem]:
    links = links_of(cluster, host.name)
    for link in links:
        if now.reachable.get(link.peer, True):
            continue
        vital = _is_vital(link, links, now)
        yield Problem(
            code="SG-NET-003" if vital else "SG-NET-004",
            severity=Severity.BLOCKER if vital else Severity.WARNING,
            address=_address(host.name, link.peer),
            what=f"{link.peer_host} does not answer at {link.peer} ({link.purpose})",
            why=f"a full-size ping from {link.source} that must not be fragmented came back "
            "neither at once nor on a second try: cable, switch port, VLAN, firewall or an "
            "MTU that the switch does not carry",
            fix=f"try `ping -M do -I {link.source} {link.peer}` on {host.name}, first plain, "
            "then with -s as large as the MTU less 28",
        )


def _mtu_pairs(cluster: Cluster, host: Host, facts: Facts) -> Iterator[tuple[Link, int, int]]:
    for link in links_of(cluster, host.name):
        if not facts.has(link.peer_host, NetworkFacts):
            continue
        mine = facts.of(host.name, NetworkFacts).addresses.get(link.source)
        theirs = facts.of(link.peer_host, NetworkFacts).addresses.get(link.peer)
        if mine and theirs and mine.mtu != theirs.mtu:
            yield link, mine.mtu, theirs.mtu


def _mtus(cluster: Cluster, host: Host, facts: Facts) -> Iterator[Problem]:
    for link, mine, theirs in _mtu_pairs(cluster, host, facts):
        yield Problem(
            code="SG-NET-005",
            severity=Severity.BLOCKER,
            address=_address(host.name, link.source),
            what=f"MTU {mine} here, {theirs} on {link.peer_host} ({link.peer}, {link.purpose})",
            why="unequal MTUs let small packets through and hang on large ones: logins work, "
            "writes stall",
            fix="set the same MTU on both ends and on the switch between them",
        )


def _clock(host: Host, now: NetworkFacts) -> Iterator[Problem]:
    ahead = now.clock_ahead_s
    if ahead is not None and abs(ahead) > CLOCK_SKEW_S:
        yield Problem(
            code="SG-NET-006",
            severity=Severity.WARNING,
            address=_address(host.name, "clock"),
            what=f"its clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} ours",
            why="the order of events in an outage is read from clocks, and file times mislead",
            fix="run a time service on every server (chrony or systemd-timesyncd)",
        )


def _judge(goal: Goal, facts: Facts, host: Host) -> tuple[Problem, ...]:
    now = facts.of(host.name, NetworkFacts)
    return (
        *_names(host, now),
        *_addresses(goal.cluster, host, now),
        *_reachability(goal.cluster, host, now),
        *_mtus(goal.cluster, host, facts),
        *_clock(host, now),
    )


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Judge every host; never a step."""
    hosts = [h for h in goal.cluster.hosts if facts.has(h.name, NetworkFacts)]
    return Proposal(problems=tuple(p for host in hosts for p in _judge(goal, facts, host)))
