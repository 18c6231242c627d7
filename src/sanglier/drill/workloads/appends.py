"""Synchronous appends: each record has an identity and is acknowledged once.

Each incarnation of a writer has a file of its own, opened with O_DSYNC and O_APPEND, open(2), and
writes a record with one write(2).  (Two servers that append to *one* file would lose records on
OCFS2, docs/explanation/corrections.md.)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.drill.history import History
from sanglier.drill.result import Check, Verdict
from sanglier.drill.workloads.base import (
    RECORD_BYTES,
    WHOLE,
    Caller,
    Reading,
    gather,
    period,
    program,
)

NAME = "appends"
RECORD = re.compile(r"(?P<writer>\S+) (?P<number>[0-9]+) \.*")

_WRITE = r"""
my ($writer, $period) = @words;
my $path = place("appends") . "/$writer";
sysopen(my $file, $path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_DSYNC) or fail(0);
for (my $number = 1; ; $number++) {
    my $done = syswrite($file, record($writer, $number));
    fail($number) if !defined $done;
    if ($done != 128) { said("f", $number, 0, "short write of $done"); exit 1 }
    said("a", $number);
    heed($period);
}
"""
_READ = r"""
for my $name (names("$directory/appends")) {
    print "file $name\n";
    print "|$_\n" for split /\n/, slurp("$directory/appends/$name");
}
print "end\n";
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendCheck:
    """One writer's file as one server reads it."""

    writer: str
    reader: str
    acknowledged: int
    present: int
    lost: tuple[int, ...]
    duplicated: tuple[int, ...]
    torn: tuple[str, ...]
    disordered: bool

    @property
    def verdict(self) -> Verdict:
        """VALID only when something was acknowledged and nothing is wrong."""
        if self.lost or self.duplicated or self.torn or self.disordered:
            return Verdict.INVALID
        return Verdict.VALID if self.acknowledged else Verdict.UNKNOWN

    def wrong(self, what: str, items: Iterable[object]) -> list[str]:
        """Say where each item was found to be wrong."""
        return [f"{self.writer} {item} is {what}, read on {self.reader}" for item in items]


def compare(history: History, reader: str, lines: Sequence[str]) -> AppendCheck:
    """Check one writer's file.

    A record that was never acknowledged may be there (its writer was cut before the word reached
    us), and the very last one may then be in pieces; an acknowledged one must be there, exactly
    once, whole and in order.
    """
    numbers, torn = [], []
    for place, line in enumerate(lines):
        match = RECORD.fullmatch(line)
        if match and match["writer"] == history.writer and len(line) == RECORD_BYTES - 1:
            numbers.append(int(match["number"]))
        elif history.clean or place != len(lines) - 1:
            torn.append(line[:40])
    counts = Counter(numbers)
    return AppendCheck(
        writer=history.writer,
        reader=reader,
        acknowledged=len(history.numbers),
        present=len(counts),
        lost=tuple(sorted(history.numbers - counts.keys())),
        duplicated=tuple(sorted(n for n, count in counts.items() if count > 1)),
        torn=tuple(torn),
        disordered=numbers != sorted(numbers),
    )


def files(lines: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Split a reading into the lines of every writer's file."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line.startswith("|"):
            found[name].append(line[1:])
        elif line != WHOLE:
            name = line.removeprefix("file ")
            found[name] = []
    return {name: tuple(content) for name, content in found.items()}


def compare_all(
    histories: Sequence[History], readings: Sequence[Reading]
) -> tuple[AppendCheck, ...]:
    """Check the file of every writer as every server reads it."""
    checks = []
    for reading in readings:
        found = files(reading.lines)
        checks += [compare(h, reading.reader, found.get(h.writer, ())) for h in histories]
    return tuple(checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appends:
    """The workload; ``rate_hz`` 0 is as fast as it goes."""

    rate_hz: float = 20.0
    name: str = NAME

    def writer(self, directory: str, writer: str) -> Script:
        """Append until told to stop."""
        return program(_WRITE, directory, writer, period(self.rate_hz))

    def reader(self, directory: str) -> Script:
        """Give every line of every file."""
        return program(_READ, directory)

    def caller(self) -> Caller | None:
        """Nobody needs to ask."""
        return None

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Ask for what is lost, torn, there twice, or out of order."""
        evidence = gather(NAME, histories, readings)
        seen = compare_all(evidence.histories, evidence.readings)
        lost = [words for check in seen for words in check.wrong("lost", check.lost)]
        torn = [words for check in seen for words in check.wrong("torn", map(repr, check.torn))]
        twice = [words for check in seen for words in check.wrong("there twice", check.duplicated)]
        disorder = [f"{c.writer}'s file, read on {c.reader}" for c in seen if c.disordered]
        count = evidence.acknowledged
        gone = {(check.writer, number) for check in seen for number in check.lost}
        numbers = {"acknowledged": count, "lost": len(gone)}
        return (
            evidence.judge("lost", lost, f"{count} acknowledged, none is lost", numbers),
            evidence.judge("torn", torn, "every record is whole", {"torn": len(torn)}),
            evidence.judge("duplicated", twice, "none is there twice", {"duplicated": len(twice)}),
            evidence.judge("disordered", disorder, "all are in order", {}),
        )
