"""Overwritten blocks with versions: a late write that undoes a newer one is seen here.

Each writer has a file of ``blocks`` blocks of 4 KiB and writes one version after the other, round
robin.  A block is one record, ``WRITER BLOCK VERSION``, repeated 32 times: a torn block shows two
of them.  Even blocks are written with O_DIRECT, odd ones through the page cache, with
fdatasync(2) after each; a block is a page, so the two never share one.

What servers read of each other meanwhile is in :mod:`cross_reads`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.drill.history import History
from sanglier.drill.result import Check
from sanglier.drill.workloads.base import Caller, Reading, gather, period, program
from sanglier.drill.workloads.blocks import BLOCKS
from sanglier.drill.workloads.cross_reads import (
    CrossReads,
    Register,
    below,
    cross_reads,
    in_pieces,
)

NAME = "registers"
LINE = re.compile(r"register (?P<writer>\S+) (?P<block>[0-9]+) (?P<versions>\S+)")

_WRITE = r"""
my ($writer, $period, $blocks) = @words;
my $place = place("registers");
sysopen(my $made, "$place/$writer", O_WRONLY | O_CREAT | O_EXCL) or fail(0);
for my $block (0 .. $blocks - 1) {
    (syswrite($made, record($writer, $block, 0) x 32) || 0) == 4096 or fail(0);
}
$made->sync && settle($place) or fail(0);
my %opened;
sub opened {
    my ($whose, $buffered) = @_;
    my $how = $buffered ? 0 : $o_direct;
    return $opened{"$whose $how"} if $opened{"$whose $how"};
    sysopen(my $file, "$place/$whose", O_RDONLY | $how) or return undef;
    return $opened{"$whose $how"} = $file;
}
$orders{read} = sub {
    my ($token, $whose, $block) = @_;
    answer($token, opened($whose, $block % 2), $block, "$whose $block");
};
sysopen(my $direct, "$place/$writer", O_WRONLY | $o_direct) or fail(0);
sysopen(my $cached, "$place/$writer", O_WRONLY) or fail(0);
for (my $version = 1; ; $version++) {
    my $block = $version % $blocks;
    my $text = record($writer, $block, $version) x 32;
    said("i", $version, $block);
    keep($block % 2 ? $cached : $direct, $block, $text) or fail($version);
    said("a", $version, $block);
    heed($period);
}
"""
_READ = r"""
my ($blocks) = @words;
for my $name (names("$directory/registers")) {
    sysopen(my $file, "$directory/registers/$name", O_RDONLY | $o_direct) or die "$name: $!\n";
    for my $block (0 .. $blocks - 1) {
        my $text = fetch($file, $block);
        die "$name $block: $!\n" if !defined $text;
        said("register", $name, $block, versions($text, "$name $block"));
    }
}
print "end\n";
"""


def acknowledged(history: History) -> Mapping[int, int]:
    """Block -> newest acknowledged version of one writer."""
    return {int(ack.words[1]): int(ack.op) for ack in history.acks}


def contents(lines: Iterable[str]) -> Mapping[Register, str]:
    """Read what a reader printed."""
    matches = (LINE.fullmatch(line) for line in lines)
    return {(m["writer"], int(m["block"])): m["versions"] for m in matches if m}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong with the registers as one server reads them."""

    stale: tuple[str, ...]
    torn: tuple[str, ...]


def compare(history: History, reading: Reading) -> Wrong:
    """Check one writer's registers.

    A block may show a newer version than the acknowledged one, or be in pieces of it and newer
    ones, when its writer was cut; never anything older.
    """
    found, stale, torn = contents(reading.lines), [], []
    for block, least in sorted(acknowledged(history).items()):
        versions = found.get((history.writer, block), "nothing")
        where = f"{history.writer} block {block}, read on {reading.reader}: {versions}"
        if versions == "nothing" or below(versions, least):
            stale.append(f"{where}, acknowledged {least}")
        if in_pieces(versions, clean=history.clean):
            torn.append(where)
    return Wrong(stale=tuple(stale), torn=tuple(torn))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """The workload, and ``read_hz`` cross reads on each server."""

    rate_hz: float = 10.0
    read_hz: float = 2.0
    blocks: int = 16
    name: str = NAME

    def writer(self, directory: str, writer: str) -> Script:
        """Write versions until told to stop; read when asked."""
        words = (writer, period(self.rate_hz), str(self.blocks))
        return program(BLOCKS + _WRITE, directory, *words)

    def reader(self, directory: str) -> Script:
        """Give the versions in every block, read with O_DIRECT."""
        return program(BLOCKS + _READ, directory, str(self.blocks))

    def caller(self) -> Caller | None:
        """Cross reads."""
        return CrossReads(period_s=1 / self.read_hz)

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Ask for versions that are too old, and for blocks in pieces."""
        evidence = gather(NAME, histories, readings)
        reads = cross_reads(evidence.histories)
        wrong = [compare(h, r) for h in evidence.histories for r in evidence.readings]
        stale = [words for one in wrong for words in one.stale]
        stale += [str(read) for read in reads if read.stale]
        torn = [words for one in wrong for words in one.torn]
        torn += [str(read) for read in reads if read.torn]
        count = evidence.acknowledged
        good = f"{count} versions acknowledged; nothing older at the end nor in {len(reads)} reads"
        numbers = {"acknowledged": count, "stale": len(stale), "cross_reads": len(reads)}
        return (
            evidence.judge("stale", stale, good, numbers),
            evidence.judge("torn", torn, "every block is whole", {"torn": len(torn)}),
        )
