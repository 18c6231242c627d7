"""The two sides of a mirror hold the same: /proc/drbd of both after an online verify.

``drbdadm verify`` compares every block; those that differ are counted in ``oos:`` (KiB) from then
on, drbdsetup-verify(8).  DRBD does not mend them by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sanglier.drill.result import Check, Verdict
from sanglier.layers.drbd.facts import UP_TO_DATE
from sanglier.layers.drbd.probe import PROC

_OUT_OF_SYNC = re.compile(r"\boos:(?P<kib>[0-9]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side as its kernel tells."""

    connection: str
    disk: str
    peer_disk: str
    out_of_sync_kib: int

    @property
    def settled(self) -> bool:
        """Whether both sides are there, connected, up to date and doing nothing else."""
        return (self.connection, self.disk, self.peer_disk) == ("Connected", UP_TO_DATE, UP_TO_DATE)


def parse_side(text: str, minor: int) -> Side | None:
    """Read one device from /proc/drbd; ``None`` when it is not there."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = PROC.match(line)
        counts = _OUT_OF_SYNC.search(" ".join(lines[number + 1 : number + 2]))
        if match and int(match["minor"]) == minor and counts:
            return Side(
                connection=match["cs"],
                disk=match["disk"] or "",
                peer_disk=match["peer_disk"] or "",
                out_of_sync_kib=int(counts["kib"]),
            )
    return None


def check_mirror(volume: str, sides: Mapping[str, Side | None], *, verified: bool) -> Check:
    """Judge both sides of a volume; ``verified``: an online verify was seen to finish.

    INVALID needs two sides that are connected, say that they are up to date, and differ.
    """
    told = tuple(f"{host}: {_tell(side)}" for host, side in sorted(sides.items()))
    found = [side for side in sides.values() if side]
    worst = max((side.out_of_sync_kib for side in found), default=0)
    settled = len(found) == 2 and all(side.settled for side in found)
    if settled and worst:
        verdict, summary = Verdict.INVALID, f"{worst} KiB differ between sides that are UpToDate"
    elif not settled:
        verdict, summary = Verdict.UNKNOWN, "; ".join(told) or "no side was read"
    elif not verified:
        verdict, summary = Verdict.UNKNOWN, "the online verify was not seen to finish"
    else:
        verdict, summary = Verdict.VALID, "online verify found 0 blocks out of sync"
    return Check(
        name="divergent",
        subject=volume,
        verdict=verdict,
        summary=summary,
        details=told,
        numbers={"out_of_sync_kib": worst},
    )


def _tell(side: Side | None) -> str:
    if side is None:
        return "not there"
    return f"{side.connection} {side.disk}/{side.peer_disk} oos:{side.out_of_sync_kib}"
