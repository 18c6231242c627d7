"""Numbers on which the hosts, or the hosts and the file, do not agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.problem import Problem, Severity
from sanglier.layers.base import Goal
from sanglier.layers.numbers.desired import KEYS, Held, InForce, in_force, names_of, shared
from sanglier.layers.numbers.facts import Kind, Rank
from sanglier.spec.cluster import Cluster

WHY: Mapping[Kind, str] = {
    Kind.NODE: "two servers that take one another's number write to each other's heartbeat slot "
    "and journal, and destroy the filesystem",
    Kind.MINOR: "a volume's device, target and arbitration go by it: another volume's data would "
    "stand under its name",
    Kind.PORT: "DRBD refuses to change it while connected, and after the next reboot of one side "
    "the mirror never comes back",
    Kind.SIDE: "Corosync's node ids and the ALUA group ids go by it, on both servers",
}


def _problem(host: str, subject: str, code: str, what: str, why: str, fix: str) -> Problem:
    return Problem(
        code=code,
        severity=Severity.BLOCKER,
        address=Address(host=host, layer="numbers", subject=subject),
        what=what,
        why=why,
        fix=fix,
    )


def _place(cluster: Cluster, kind: Kind, name: str) -> tuple[str, str]:
    """Give the host and the section of the file that a name of the file belongs to."""
    match kind:
        case Kind.NODE:
            server = next(s.name for s in cluster.applications if s.hostname == name)
            return server, f"`applications: {server}:`"
        case Kind.SIDE:
            server = next(s.name for s in cluster.storage if s.hostname == name)
            return server, f"`storage: {server}:`"
        case _:
            return cluster.storage[0].name, f"`volumes: {name}:`"


def _number_now(cluster: Cluster, kind: Kind, name: str) -> int:
    """Give the number that the kept cluster has: what is in force, or else a free one."""
    if kind is Kind.NODE:
        return next(s.node for s in cluster.applications if s.hostname == name)
    volume = next(v for v in cluster.volumes if v.name == name)
    return volume.minor if kind is Kind.MINOR else volume.port


def _told(places: tuple[str, ...]) -> str:
    return ", ".join(places)


def _settled(kind: Kind, held: Held, written: int) -> bool:
    """Whether this is no contradiction, or one that is told elsewhere.

    The mirror's layer compares a port with the kernel's, and says when it may change.
    """
    return kind is Kind.PORT or held.disputed or held.number == written


def _written(cluster: Cluster, kind: Kind, found: InForce) -> Iterator[Problem]:
    """Compare what the file writes with what is in force."""
    key = KEYS.get(kind, "")
    for name, numbers in names_of(cluster, kind).items():
        written, held = numbers.get(key), found.ours.get(name)
        if written is None or (held and _settled(kind, held, written)):
            continue
        now = _number_now(cluster, kind, name)
        host, section = _place(cluster, kind, name)
        fix = f"write `{key}: {now}` under {section}, or leave the line out"
        if held:
            yield _problem(
                host, name, "SG-NUM-001",
                f"the file says `{key}: {written}`; in force is {held.number} "
                f"({_told(held.places[held.number])})",
                f"what is in force is kept: {WHY[kind]}", fix,
            )  # fmt: skip
        elif sharers := found.sharers(written):
            yield _problem(
                host, name, "SG-NUM-003",
                f"the file says `{key}: {written}`, which {_owners(sharers)}",
                WHY[kind], fix,
            )  # fmt: skip


def _owners(sharers: tuple[tuple[str, str], ...]) -> str:
    return " and ".join(f"{name} has ({where})" for name, where in sharers)


def _disputed(cluster: Cluster, kind: Kind, found: InForce) -> Iterator[Problem]:
    for name, held in found.ours.items():
        if held.disputed:
            host, section = _place(cluster, kind, name)
            told = " and ".join(f"{number} ({_told(who)})" for number, who in held.places.items())
            yield _problem(
                host, name, "SG-NUM-002", f"its {kind} is {told}", WHY[kind],
                _remedy(kind, held, section),
            )  # fmt: skip


def _remedy(kind: Kind, held: Held, section: str) -> str:
    if held.rank is Rank.STORED and kind in KEYS:
        return f"write the one that is right under {section}: `{KEYS[kind]}: {held.number}`"
    if kind is Kind.NODE:
        return (
            "at once: unmount the volumes on all application servers but one, take o2cb offline "
            "there (`systemctl stop o2cb`), then apply; check the filesystem (fsck.ocfs2 -n) if "
            "two were mounted so"
        )
    return "make the side that is wrong equal to the other, by hand, then apply"


def _shared(cluster: Cluster, kind: Kind, found: InForce) -> Iterator[Problem]:
    for name, held in shared(found):
        host, section = _place(cluster, kind, name)
        what = f"two names have one {kind}: {held.number}, which "
        yield _problem(
            host, name, "SG-NUM-003", what + _owners(found.sharers(held.number)), WHY[kind],
            _remedy(kind, held, section),
        )  # fmt: skip


def problems(goal: Goal, facts: Facts) -> tuple[Problem, ...]:
    """Judge every kind of number."""
    cluster = goal.cluster
    found: list[Problem] = []
    for kind in Kind:
        known = in_force(cluster, facts, kind)
        for judged in (_written, _disputed, _shared):
            found += judged(cluster, kind, known)
    return tuple(found)
