"""Races for a name: exactly one server may win each, cluster-wide.

Round N has two races.  All servers are told to create ``ball-N`` with O_CREAT and O_EXCL,
open(2): one succeeds, the others get EEXIST.  When *all* that were told have answered (a late
creation would find the name free again) and the winner's ball is durable, all are told to rename(2)
``ball-N`` to a name of their own: one succeeds, the others get ENOENT.  Each server is told at most
one thing at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sanglier.core.action import Script
from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Check
from sanglier.drill.workloads.base import Ask, Caller, Outstanding, Reading, gather, program

NAME = "races"
WON = "won"
NOBODY = "-"
"""Content of a ball whose creator was cut before it wrote its name."""

_WRITE = r"""
my ($writer) = @words;
my $place = place("races");
$orders{create} = sub {
    my ($op, $round) = @_;
    if (sysopen(my $ball, "$place/ball-$round", O_WRONLY | O_CREAT | O_EXCL)) {
        (syswrite($ball, $writer) || 0) == length $writer or fail($op);
        $ball->sync && settle($place) or fail($op);
        said("a", $op, "won");
    } else {
        $! == 17 or fail($op);
        said("a", $op, "lost");
    }
};
$orders{take} = sub {
    my ($op, $round) = @_;
    if (rename("$place/ball-$round", "$place/taken-$round-$writer")) {
        settle($place) or fail($op);
        said("a", $op, "won");
    } else {
        $! == 2 or fail($op);
        said("a", $op, "lost");
    }
};
heed(undef);
"""
_READ = r"""
for my $name (names("$directory/races")) {
    my $owner = slurp("$directory/races/$name");
    said($name, $owner =~ /^[\w.-]+$/ ? $owner : $owner eq "" ? "-" : "?");
}
print "end\n";
"""


@dataclass(slots=True, kw_only=True)
class Starter:
    """Starts one race at each call: a creation, then the taking of what was created."""

    period_s: float
    waiting: Outstanding = field(default_factory=Outstanding)
    round: int = 0
    owing: dict[str, set[str]] = field(default_factory=dict)
    """Creation -> who was told and has not answered."""
    won: set[str] = field(default_factory=set)
    """Creations that somebody won and whose ball was not offered yet."""

    def hear(self, writer: str, event: Event) -> None:
        """Learn who answered and who won."""
        if event.kind is Kind.ACK:
            self.waiting.answer(writer, event.op)
            self.owing.get(event.op, set()).discard(writer)
            if event.op.startswith("create-") and event.words[1] == WON:
                self.won.add(event.op)

    def call(self, writers: Sequence[str]) -> tuple[Ask, ...]:
        """Tell everyone that owes no answer."""
        idle = self.waiting.idle(writers)
        if not idle:
            return ()
        race, number = self._next(idle)
        op = f"{race}-{number}"
        for writer in idle:
            self.waiting.ask(writer, op)
        return tuple(Ask(writer=writer, words=(race, op, str(number))) for writer in idle)

    def _next(self, idle: Sequence[str]) -> tuple[str, int]:
        for op in sorted(self.won):
            if not self.owing[op]:
                self.won.remove(op)
                return "take", int(op.removeprefix("create-"))
        self.round += 1
        self.owing[f"create-{self.round}"] = set(idle)
        return "create", self.round


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """One race as it was told to us."""

    op: str
    asked: tuple[str, ...]
    winners: tuple[str, ...]
    unanswered: tuple[str, ...]

    @property
    def wrong(self) -> str:
        """What is wrong with it by itself; empty when nothing is."""
        if len(self.winners) > 1:
            return f"{self.op} was won by {' and '.join(self.winners)}"
        if not self.winners and not self.unanswered:
            return f"{self.op} was won by nobody of {', '.join(self.asked)}"
        return ""


def races(histories: Sequence[History]) -> tuple[Race, ...]:
    """Collect the races from what was asked and answered."""
    asked: dict[str, list[str]] = {}
    answers: dict[tuple[str, str], str] = {}
    for history in histories:
        for event in history.events:
            if event.kind is Kind.ASK:
                asked.setdefault(event.words[1], []).append(history.writer)
            elif event.kind is Kind.ACK:
                answers[event.op, history.writer] = event.words[1]
    return tuple(
        Race(
            op=op,
            asked=tuple(who),
            winners=tuple(w for w in who if answers.get((op, w)) == WON),
            unanswered=tuple(w for w in who if (op, w) not in answers),
        )
        for op, who in asked.items()
    )


def balls(lines: Iterable[str]) -> Mapping[int, Mapping[str, str]]:
    """Round -> name -> owner, of what a reader printed."""
    found: dict[int, dict[str, str]] = {}
    for line in lines:
        name, _, owner = line.partition(" ")
        number = name.split("-")[1:2]
        if number and number[0].isdigit():
            found.setdefault(int(number[0]), {})[name] = owner
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What must be there at the end of one round."""

    number: int
    create: Race
    take: Race | None

    def _names(self) -> frozenset[str]:
        """Names one of which must be there; the empty one is nothing at all."""
        taken = self.take.winners if self.take else ()
        if taken:
            return frozenset(f"taken-{self.number}-{writer}" for writer in taken)
        perhaps = self.take.unanswered if self.take else ()
        names = {f"taken-{self.number}-{writer}" for writer in perhaps} | {f"ball-{self.number}"}
        return frozenset(names if self.create.winners else names | {""})

    def _owners(self) -> frozenset[str]:
        if self.create.winners:
            return frozenset(self.create.winners)
        return frozenset({NOBODY, *self.create.unanswered})

    def wrong(self, found: Mapping[str, str]) -> str:
        """Say what is wrong with what is there; empty when nothing is."""
        if len(found) > 1:
            return f"round {self.number}: {' and '.join(sorted(found))} are both there"
        name, owner = next(iter(found.items()), ("", ""))
        if name not in self._names():
            wanted = " or ".join(sorted(filter(None, self._names())))
            return f"round {self.number}: {name or 'nothing'} is there, not {wanted}"
        if name and owner not in self._owners():
            wanted = " or ".join(sorted(self._owners()))
            return f"round {self.number}: {name} holds {owner!r}, not {wanted}"
        return ""


def rounds(found: Sequence[Race]) -> tuple[Round, ...]:
    """Put the two races of each round together."""
    named = {race.op: race for race in found}
    return tuple(
        Round(
            number=int(race.op.removeprefix("create-")),
            create=race,
            take=named.get(race.op.replace("create-", "take-")),
        )
        for race in found
        if race.op.startswith("create-")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Races:
    """The workload; ``rate_hz`` races a second, all servers in each."""

    rate_hz: float = 2.0
    name: str = NAME

    def writer(self, directory: str, writer: str) -> Script:
        """Race when told to."""
        return program(_WRITE, directory, writer)

    def reader(self, directory: str) -> Script:
        """Give every name and the owner in it."""
        return program(_READ, directory)

    def caller(self) -> Caller | None:
        """Start the races."""
        return Starter(period_s=1 / self.rate_hz)

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Ask for races with two winners or none, and for names that do not tell the winner."""
        evidence = gather(NAME, histories, readings)
        found = races(evidence.histories)
        wrong = [race.wrong for race in found if race.wrong]
        for reading in evidence.readings:
            there = balls(reading.lines)
            told = (one.wrong(there.get(one.number, {})) for one in rounds(found))
            wrong += [f"{words}, read on {reading.reader}" for words in told if words]
        contested = sum(len(race.asked) > 1 for race in found)
        good = f"{len(found)} races, {contested} with rivals, none with two winners"
        numbers = {
            "acknowledged": evidence.acknowledged,
            "races": len(found),
            "contested": contested,
        }
        return (evidence.judge("races", wrong, good, numbers),)
