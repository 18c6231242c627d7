"""What each host says about who has which number."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """What a number is."""

    NODE = "o2cb node number"
    MINOR = "DRBD minor"
    PORT = "replication port"
    SIDE = "place among the two storage servers"


class Rank(IntEnum):
    """How much a claim counts: the lower, the more; claims of one rank must agree."""

    MOUNTED = 0
    """o2cb's, on a server that has an OCFS2 filesystem mounted."""
    RUNNING = 1
    """A kernel's or a daemon's."""
    BUILT = 2
    """The target's, which follows the others when it is built."""
    STORED = 3
    """A file's, for the next start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something on a host gives a name a number."""

    kind: Kind
    name: str
    """A hostname, or a DRBD resource, which is called as its volume."""
    number: int
    rank: Rank
    where: str
    """In words, with the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumbersFacts:
    """Every claim of one host."""

    claims: tuple[Claim, ...] = ()
    deciding: str = ""
    """The volume by which the fence-peer handler decides who shoots first."""
