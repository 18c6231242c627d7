"""A counter under flock(2), which is cluster-wide on OCFS2 with o2cb.

Each server adds one when told to: lock, read, write one more with O_DSYNC, unlock, acknowledge the
value written.  An update lost to a broken lock or a stale page shows as one value given twice.  A
server is told again only after it answered, so that at most one addition of each incarnation is
uncertain, however it ended.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sanglier.core.action import Script
from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Check
from sanglier.drill.workloads.base import Ask, Caller, Outstanding, Reading, gather, program

NAME = "counters"
GARBAGE = "garbage"

_WRITE = r"""
my $path = place("counters") . "/counter";
sysopen(my $file, $path, O_RDWR | O_CREAT | O_DSYNC) or fail(0);
$orders{add} = sub {
    my ($op) = @_;
    flock($file, LOCK_EX) or fail($op);
    sysseek($file, 0, SEEK_SET);
    defined sysread($file, my $text, 64) or fail($op);
    if ($text !~ /^([0-9]{20}\n)?$/) { said("f", $op, 0, "garbage"); exit 1 }
    my $value = ($text || 0) + 1;
    sysseek($file, 0, SEEK_SET);
    (syswrite($file, sprintf("%020d\n", $value)) || 0) == 21 or fail($op);
    flock($file, LOCK_UN) or fail($op);
    said("a", $op, $value);
};
heed(undef);
"""
_READ = r"""
my $text = slurp("$directory/counters/counter");
said("value", $text =~ /^([0-9]{20})\n$/ ? $1 + 0 : "garbage");
print "end\n";
"""


@dataclass(slots=True, kw_only=True)
class Adder:
    """Tells every server that owes no answer to add one."""

    period_s: float
    waiting: Outstanding = field(default_factory=Outstanding)
    count: int = 0

    def hear(self, writer: str, event: Event) -> None:
        """Learn what was added."""
        if event.kind is Kind.ACK:
            self.waiting.answer(writer, event.op)

    def call(self, writers: Sequence[str]) -> tuple[Ask, ...]:
        """Tell them."""
        asks = []
        for writer in self.waiting.idle(writers):
            self.count += 1
            self.waiting.ask(writer, str(self.count))
            asks.append(Ask(writer=writer, words=("add", str(self.count))))
        return tuple(asks)


def values(history: History) -> tuple[int, ...]:
    """Give the values that one writer acknowledged, in its own order."""
    return tuple(int(ack.words[1]) for ack in history.acks)


def uncertain(history: History) -> int:
    """Count the additions asked for and never acknowledged."""
    return sum(event.kind is Kind.ASK for event in history.events) - len(history.acks)


def wrong_values(histories: Sequence[History]) -> list[str]:
    """Find values given twice, or out of order on one server, and garbage."""
    wrong, owners = [], defaultdict(list)
    for history in histories:
        given = values(history)
        for value in given:
            owners[value].append(history.writer)
        wrong += [
            f"{history.writer} was given {after} after {before}"
            for before, after in itertools.pairwise(given)
            if after <= before
        ]
        if any(e.kind is Kind.FAIL and GARBAGE in e.words for e in history.events):
            wrong.append(f"{history.writer} read garbage in the counter")
    twice = {value: who for value, who in owners.items() if len(who) > 1}
    wrong += [f"{value} was given to {' and '.join(who)}" for value, who in sorted(twice.items())]
    return wrong


def wrong_end(histories: Sequence[History], reading: Reading) -> str:
    """Say what is wrong with the final value as one server reads it; empty when nothing is.

    Every addition adds one to the last, so the value is the number of additions.
    """
    word = reading.lines[0].removeprefix("value ")
    if not word.isdigit():
        return f"{reading.reader} reads {word}"
    count = sum(len(history.acks) for history in histories)
    least = max((count, *(value for history in histories for value in values(history))))
    most = count + sum(uncertain(history) for history in histories)
    if not least <= int(word) <= most:
        return f"{reading.reader} reads {word}, not {least} to {most}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The workload; each server adds ``rate_hz`` times a second at most."""

    rate_hz: float = 4.0
    name: str = NAME

    def writer(self, directory: str, writer: str) -> Script:
        """Add when told to."""
        return program(_WRITE, directory, writer)

    def reader(self, directory: str) -> Script:
        """Give the value."""
        return program(_READ, directory)

    def caller(self) -> Caller | None:
        """Tell servers to add."""
        return Adder(period_s=1 / self.rate_hz)

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Ask for updates that were lost."""
        evidence = gather(NAME, histories, readings)
        wrong = wrong_values(evidence.histories)
        ends = (wrong_end(evidence.histories, reading) for reading in evidence.readings)
        wrong += filter(None, ends)
        count = evidence.acknowledged
        good = f"{count} additions acknowledged, each counted once"
        return (evidence.judge("counter", wrong, good, {"acknowledged": count}),)
