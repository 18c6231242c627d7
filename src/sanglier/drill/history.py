"""What a workload acknowledged, and when: recorded by us, outside the cluster."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One acknowledged write."""

    number: int
    """Identity of the record in its writer's file, from 1."""
    at_s: float
    """When the word of it reached us, seconds on the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All acknowledgements of one writer, in the order in which they came."""

    writer: str
    acks: tuple[Ack, ...]
    end: str = ""
    """How the writer ended when it did not end as asked."""

    @property
    def numbers(self) -> frozenset[int]:
        """Identities of the acknowledged records."""
        return frozenset(ack.number for ack in self.acks)

    def stall_s(self, since_s: float = 0.0) -> float:
        """Longest time without an acknowledgement after ``since_s``, in seconds."""
        times = [ack.at_s for ack in self.acks if ack.at_s >= since_s]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        return max(gaps, default=0.0)

    def rate(self) -> float:
        """Acknowledgements per second over the whole time."""
        if len(self.acks) < 2:
            return 0.0
        return (len(self.acks) - 1) / (self.acks[-1].at_s - self.acks[0].at_s)
