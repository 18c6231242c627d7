"""What a workload did, and when: recorded by us, outside the cluster, as the words arrive.

Pure.  Times are seconds on the monotonic clock of the machine that drives the drill, taken when
a line *arrives*; so an acknowledgement recorded before something of ours began was given before.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

CUT = "its recording stops here"
"""End of a history whose recorder was cut."""


class Kind(StrEnum):
    """First word of a writer's line; ``ASK`` is ours and is recorded before it is sent."""

    ASK = "q"
    INVOKE = "i"
    ACK = "a"
    ANSWER = "r"
    FAIL = "f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a writer, or one of ours to it."""

    at_s: float
    kind: Kind
    words: tuple[str, ...]

    @property
    def op(self) -> str:
        """Identity of the operation within its writer: number, token or name."""
        return self.words[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that one incarnation of a writer did, in the order in which it reached us."""

    workload: str
    server: str
    writer: str
    """Name of the incarnation: the server's, with ``.2`` and so on after a restart."""
    events: tuple[Event, ...]
    end: str = ""
    """How the writer ended when it did not end as asked; empty when it did."""

    @property
    def clean(self) -> bool:
        """Whether it ended as asked: every word of it has then reached us."""
        return not self.end

    @property
    def acks(self) -> tuple[Event, ...]:
        """The acknowledgements."""
        return tuple(event for event in self.events if event.kind is Kind.ACK)

    @property
    def numbers(self) -> frozenset[int]:
        """Identities of the acknowledged operations, where they are numbers."""
        return frozenset(int(ack.op) for ack in self.acks)

    def stall_s(self, since_s: float = 0.0) -> float:
        """Longest time without an acknowledgement after ``since_s``, in seconds."""
        times = [ack.at_s for ack in self.acks if ack.at_s >= since_s]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        return max(gaps, default=0.0)

    def rate(self) -> float:
        """Acknowledgements per second over the whole time."""
        times = [ack.at_s for ack in self.acks]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def parse(line: str, at_s: float) -> Event | None:
    """Read one line of a writer; ``None`` when it is none of the protocol."""
    kind, *words = line.split()[:8] or [""]
    if kind not in frozenset(Kind) or not words:
        return None
    return Event(at_s=at_s, kind=Kind(kind), words=tuple(words))


def encode_head(workload: str, server: str, writer: str) -> str:
    """Give the first line of a recording (JSON lines)."""
    return json.dumps({"workload": workload, "server": server, "writer": writer})


def encode_event(event: Event) -> str:
    """Give one line of a recording."""
    return json.dumps({"at": event.at_s, "kind": event.kind, "words": event.words})


def encode_end(end: str) -> str:
    """Give the last line of a recording."""
    return json.dumps({"end": end})


def _entries(lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """Give the entries; a last line that was cut is none."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return


def decode(lines: Iterable[str]) -> History:
    """Read a recording, also one that was cut.

    Raises ``ValueError`` when it does not begin as one.
    """
    entries = _entries(lines)
    head = next(entries, {})
    if not {"workload", "server", "writer"} <= head.keys():
        raise ValueError("not a recording of a workload")
    events, end = [], CUT
    for entry in entries:
        if "end" in entry:
            end = str(entry["end"])
        else:
            events.append(_event(entry))
    return History(
        workload=str(head["workload"]),
        server=str(head["server"]),
        writer=str(head["writer"]),
        events=tuple(events),
        end=end,
    )


def _event(entry: dict[str, object]) -> Event:
    words = entry["words"]
    assert isinstance(words, list)
    return Event(
        at_s=float(str(entry["at"])), kind=Kind(str(entry["kind"])), words=tuple(map(str, words))
    )
