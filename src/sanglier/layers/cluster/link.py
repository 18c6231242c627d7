"""The link between the storage servers and the witness: TLS, both ends proven by certificates.

The witness is changed first, and takes both kinds of clients; then the storage servers, one after
the other, each while the other has its vote; at last the witness refuses clients without TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Step
from sanglier.layers.base import Goal
from sanglier.layers.cluster import exchange, moves
from sanglier.layers.cluster.certificates import Certificate
from sanglier.layers.cluster.desired import QNETD_UNIT, REQUIRED, requiring_file
from sanglier.layers.cluster.facts import Client, ClusterFacts, Link, WitnessFacts
from sanglier.layers.cluster.moves import Phase
from sanglier.layers.files import differs
from sanglier.layers.services import Unit
from sanglier.spec.cluster import Cluster, StorageServer, Witness


def _day(certificate: Certificate) -> str:
    return datetime.fromtimestamp(certificate.ends, UTC).date().isoformat()


def _unusable(certificate: Certificate | None, now: int, what: str) -> str:
    """Tell why a certificate must be made; empty when it need not."""
    if certificate is None:
        return f"there is no {what}"
    return f"the {what} ends on {_day(certificate)}" if certificate.ends_soon(now) else ""


def authority_lacks(now: WitnessFacts) -> str:
    """Tell why the witness needs a new authority; empty when it does not."""
    authority = _unusable(now.authority, now.now, "authority of the witness's link")
    return authority or _unusable(now.certificate, now.now, "certificate of corosync-qnetd")


def certificate_lacks(cluster: Cluster, link: Link, witness: WitnessFacts) -> str:
    """Tell why a storage server needs a new certificate; empty when it does not."""
    if authority_lacks(witness):
        return "the authority of the witness's link is made anew"
    reason = _unusable(link.certificate, link.now, "certificate for the link to the witness")
    if reason or link.certificate is None:
        return reason
    if link.certificate.name != cluster.name:
        return f"its certificate is for cluster {link.certificate.name}"
    return "" if link.authority == witness.authority else "its certificate is of another authority"


def _reconnects(link: Link, lacking: str) -> str:
    """Tell why a quorum device that runs must be started anew; empty when it need not."""
    if not link.tls:
        return ""
    if link.tls != REQUIRED:
        return f"TLS is {link.tls.lower()} in the quorum device that runs"
    return lacking or ("it does not use its newest certificate yet" if link.outdated else "")


def _witness(goal: Goal, facts: Facts) -> Witness | None:
    """Give the witness, when it was read."""
    witness = goal.cluster.witness
    return witness if witness is not None and facts.has(witness.name, WitnessFacts) else None


def _strangers(goal: Goal, now: WitnessFacts) -> tuple[Client, ...]:
    """Give the clients of other clusters that do without TLS."""
    return tuple(c for c in now.clients if not c.encrypted and c.cluster != goal.cluster.name)


def _links(goal: Goal, facts: Facts) -> Iterator[tuple[StorageServer, Link]]:
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            yield server, facts.of(server.name, ClusterFacts).link


def steps(goal: Goal, facts: Facts) -> Iterator[Step]:
    """Give the witness and the storage servers what they lack, in an order that keeps votes."""
    witness = _witness(goal, facts)
    if witness is None:
        return
    now = facts.of(witness.name, WitnessFacts)
    yield from _first(goal, facts, witness.name, now)
    for number, (server, link) in enumerate(_links(goal, facts)):
        lacking = certificate_lacks(goal.cluster, link, now)
        if lacking:
            yield from exchange.certify(server.name, witness.name, goal, lacking, Phase.REQUEST)
        if reason := _reconnects(link, lacking):
            yield exchange.renew(server.name, goal, reason, Phase.RECONNECT + number)


def _first(goal: Goal, facts: Facts, host: str, now: WitnessFacts) -> Iterator[Step]:
    """Yield the witness's own steps."""
    lacking = authority_lacks(now)
    if lacking:
        yield exchange.make_authority(host, goal, lacking, Phase.FILES)
    if reason := _open_to_plain(goal, now, stopped=bool(lacking)):
        plain = any(link.tls not in {"", REQUIRED} for _, link in _links(goal, facts))
        yield exchange.require(host, reason, Phase.REQUIRE if plain else Phase.FILES)
    unit = now.units.get(QNETD_UNIT, Unit())
    if lacking or not (unit.is_active and unit.is_enabled):
        yield moves.start_witness(host, "it is stopped for a new authority" if lacking else "")
    if any(certificate_lacks(goal.cluster, link, now) for _, link in _links(goal, facts)):
        yield exchange.hand_out(host, Phase.FILES)


def _open_to_plain(goal: Goal, now: WitnessFacts, *, stopped: bool) -> str:
    """Tell why corosync-qnetd must be told to require TLS; empty when it need not, or cannot."""
    if _strangers(goal, now):
        return ""
    if differs(requiring_file(), now.files):
        return "it takes clients without TLS"
    running = now.tls and not stopped
    return f"TLS is {now.tls.lower()} in force" if running and now.tls != REQUIRED else ""


def _problem(host: str, subject: str, code: str, what: str, why: str, fix: str) -> Problem:
    address = Address(host=host, layer="cluster", subject=subject)
    return Problem(
        code=code, severity=Severity.WARNING, address=address, what=what, why=why, fix=fix
    )


def problems(goal: Goal, facts: Facts) -> Iterator[Problem]:
    """Warn of certificates that end soon, and of other clusters' clients that do without TLS."""
    witness = _witness(goal, facts)
    ends = [(server.name, link.certificate, link.now) for server, link in _links(goal, facts)]
    if witness is not None:
        now = facts.of(witness.name, WitnessFacts)
        ends += [(witness.name, now.authority, now.now), (witness.name, now.certificate, now.now)]
        if found := _strangers(goal, now):
            names = " and ".join(sorted({client.cluster for client in found}))
            yield _problem(
                witness.name, "encryption", "SG-CLU-012",
                f"it also takes clients without TLS: cluster {names} uses it so",
                "whoever can reach its port may pretend to be a server of this cluster, too, and "
                "take part in the vote",
                f"give cluster {names} certificates (corosync-qdevice-net-certutil(8)), or "
                "another witness; then `sanglier apply`",
            )  # fmt: skip
    for host, certificate, clock in ends:
        if certificate is not None and certificate.ends_soon(clock):
            yield _problem(
                host, "certificate", "SG-CLU-011",
                f"the certificate of {certificate.name} for the witness's link ends on "
                f"{_day(certificate)}",
                "afterwards the storage servers have no vote of the witness: the loss of one "
                "stops the volumes",
                "`sanglier apply` renews it",
            )  # fmt: skip


def status(host: str, link: Link) -> StatusLine | None:
    """Tell how a storage server's quorum device is connected; nothing when it does not run."""
    if not link.tls:
        return None
    words = {True: "TLS", False: "NOT ENCRYPTED", None: "NOT CONNECTED"}[link.encrypted]
    valid = link.certificate is not None and not link.certificate.ends_soon(link.now)
    until = f"certificate until {_day(link.certificate)}" if link.certificate else "no certificate"
    return StatusLine(
        host=host, layer="cluster", subject="link", healthy=link.encrypted is True and valid,
        text=f"{words}, {until}",
    )  # fmt: skip
