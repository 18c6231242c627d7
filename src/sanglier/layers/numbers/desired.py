"""The numbers that are in force, out of everything that claims one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sanglier.core.facts import Facts
from sanglier.layers.numbers.facts import Claim, Kind, NumbersFacts, Rank
from sanglier.spec.cluster import Cluster
from sanglier.spec.keep import Numbers

Places = Mapping[int, tuple[str, ...]]
"""Number -> who says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is said of one name, by those who count most."""

    rank: Rank
    places: Places

    @property
    def number(self) -> int:
        """The number; the lowest of those that are disputed."""
        return next(iter(self.places))

    @property
    def disputed(self) -> bool:
        """Whether those who count most do not agree."""
        return len(self.places) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """Everything of one kind."""

    ours: Mapping[str, Held] = field(default_factory=dict)
    """Of names in the file."""
    others: Mapping[int, Claim] = field(default_factory=dict)
    """Number -> the claim of a name that the file does not have."""

    def sharers(self, number: int) -> tuple[tuple[str, str], ...]:
        """Give who has ``number`` just now, and who says so."""
        ours = (
            (n, ", ".join(h.places[number])) for n, h in self.ours.items() if number in h.places
        )
        other = self.others.get(number)
        return (*ours, *(((other.name, other.where),) if other else ()))


def names_of(cluster: Cluster, kind: Kind) -> Mapping[str, Mapping[str, int]]:
    """Give every name that has a number of this kind, with the numbers that the file writes."""
    match kind:
        case Kind.NODE:
            return {server.hostname: server.written for server in cluster.applications}
        case Kind.SIDE:
            return {server.hostname: {} for server in cluster.storage}
        case _:
            return {volume.name: volume.written for volume in cluster.volumes}


KEYS: Mapping[Kind, str] = {Kind.NODE: "node", Kind.MINOR: "minor", Kind.PORT: "port"}
"""Keys of the file by which a number is written."""


def claims_of(cluster: Cluster, facts: Facts) -> tuple[Claim, ...]:
    """Collect what all hosts say."""
    hosts = (host.name for host in cluster.hosts if facts.has(host.name, NumbersFacts))
    return tuple(claim for host in hosts for claim in facts.of(host, NumbersFacts).claims)


def in_force(cluster: Cluster, facts: Facts, kind: Kind) -> InForce:
    """Find who has which number of this kind.

    A number that only a file gives does not count where a kernel has given it to another name.
    """
    claims = [claim for claim in claims_of(cluster, facts) if claim.kind is kind]
    written = names_of(cluster, kind)
    ours = {name: _held(claims, name, written[name].get(KEYS.get(kind, ""))) for name in written}
    held = {name: found for name, found in ours.items() if found}
    theirs = (claim for claim in claims if claim.name not in written)
    others = {c.number: c for c in sorted(theirs, key=lambda claim: claim.rank, reverse=True)}
    best = _best_ranks((*held.values(), *others.values()))
    return InForce(
        ours={n: h for n, h in held.items() if h.disputed or h.rank == best[h.number]},
        others=others,
    )


def _held(claims: Iterable[Claim], name: str, written: int | None) -> Held | None:
    mine = [claim for claim in claims if claim.name == name]
    if not mine:
        return None
    rank = min(claim.rank for claim in mine)
    places: dict[int, tuple[str, ...]] = {}
    for claim in mine:
        if claim.rank == rank:
            places[claim.number] = (*places.get(claim.number, ()), claim.where)
    if rank is Rank.STORED and written in places:
        places = {written: places[written]}
    return Held(rank=rank, places=dict(sorted(places.items())))


def _best_ranks(held: Iterable[Held | Claim]) -> dict[int, Rank]:
    best: dict[int, Rank] = {}
    for found in held:
        best[found.number] = min(found.rank, best.get(found.number, found.rank))
    return best


def shared(found: InForce) -> Iterator[tuple[str, Held]]:
    """Give what two names have at once, by the first of the file's; a file's word is weak here."""
    seen: set[int] = set()
    for name, held in found.ours.items():
        other = found.others.get(held.number)
        rival = other is not None and other.rank == held.rank < Rank.STORED
        several = sum(held.number == each.number for each in found.ours.values()) > 1
        if (rival or several) and held.number not in seen:
            seen.add(held.number)
            yield name, held


def numbers(cluster: Cluster, facts: Facts) -> Numbers:
    """Give what is in force, as the cluster is to keep it."""
    return Numbers(
        nodes=_numbers(in_force(cluster, facts, Kind.NODE)),
        minors=_numbers(in_force(cluster, facts, Kind.MINOR)),
        ports=_numbers(in_force(cluster, facts, Kind.PORT)),
        sides=_numbers(in_force(cluster, facts, Kind.SIDE)),
        deciding=_deciding(cluster, facts),
    )


def _numbers(found: InForce) -> dict[str, int]:
    """Map names to numbers; another's, of which there may be several, by name and number."""
    others = {f"{claim.name}/{number}": number for number, claim in found.others.items()}
    return {**others, **{name: held.number for name, held in found.ours.items()}}


def _deciding(cluster: Cluster, facts: Facts) -> str:
    """Give the volume that the handlers go by, if those that there are agree."""
    hosts = (s.name for s in cluster.storage if facts.has(s.name, NumbersFacts))
    named = {facts.of(host, NumbersFacts).deciding for host in hosts} - {""}
    return named.pop() if len(named) == 1 else ""
