"""Blocks written twice and then never again: a late write that comes at any time stays to be seen.

A late write puts an old block back over a newer, acknowledged one.  Where a block is overwritten
again soon, it leaves no trace.  Here version 1 is followed at once by version 2, which is the last:
whoever sees less later has found a late write, or a lost one.

Each writer has ``lanes`` processes with a file each (OCFS2 lets one write at a time into a file, as
ocfs2_file_write_iter() holds the inode's lock), all with O_DIRECT and fdatasync(2): when the volume
stands still, each has a first version under way.  After its second version a block is read back by
its own server, and now and then by another one, asked at random.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sanglier.core.action import Script
from sanglier.drill.history import Event, History, Kind
from sanglier.drill.result import Check
from sanglier.drill.workloads.base import Ask, Caller, Outstanding, Reading, gather, period, program
from sanglier.drill.workloads.blocks import BLOCKS
from sanglier.drill.workloads.cross_reads import NO_SUCH_FILE, below, in_pieces

NAME = "retired"
LAST = 2
"""The version that a block keeps for ever."""
OWN = "own"
"""How the token begins of what a writer read back by itself."""

_WRITE = r"""
my ($writer, $pause, $lanes) = @words;
my ($parent, $sheet) = (place("retired"), 16);
my $place = "$parent/$writer";
mkdir $place or fail(0);
sub room {
    my ($file, $lane, $from) = @_;
    for my $block ($from .. $from + $sheet - 1) {
        (syswrite($file, record($writer, $lane, $block, 0) x 32) || 0) == 4096 or return 0;
    }
    return 1;
}
for my $lane (0 .. $lanes - 1) {
    sysopen(my $made, "$place/$lane", O_WRONLY | O_CREAT | O_EXCL) or fail(0);
    room($made, $lane, 0) && $made->sync or fail(0);
}
settle($place, $parent) or fail(0);
sub lane {
    my ($lane) = @_;
    sysopen(my $file, "$place/$lane", O_RDWR | $o_direct) or fail("$lane:0:0");
    sysopen(my $end, "$place/$lane", O_WRONLY | O_APPEND) or fail("$lane:0:0");
    heed(rand(2 * $pause));
    for (my $block = 0; ; $block++) {
        if ($block && $block % $sheet == 0) {
            room($end, $lane, $block) && $end->sync or fail("$lane:$block:0");
        }
        for my $version (1, 2) {
            my $op = "$lane:$block:$version";
            said("i", $op);
            keep($file, $block, record($writer, $lane, $block, $version) x 32) or fail($op);
            said("a", $op);
        }
        my $text = fetch($file, $block);
        said("r", "own:$lane:$block",
            defined $text ? versions($text, "$writer $lane $block") : ("error", $! + 0));
        heed(rand(2 * $pause));
    }
}
pipe(my $ears, my $mouth) or fail(0);
sub finish {
    my ($status) = @_;
    $SIG{CHLD} = "DEFAULT";
    close $mouth;
    1 while wait() > 0;
    print "stopped\n" if !$status;
    exit $status;
}
$SIG{CHLD} = sub { finish(1) };
for my $lane (0 .. $lanes - 1) {
    my $pid = fork;
    fail(0) if !defined $pid;
    next if $pid;
    $SIG{CHLD} = "DEFAULT";
    close $mouth;
    open(STDIN, "<&", $ears) or fail("$lane:0:0");
    $orders{stop} = sub { exit 0 };
    srand;
    lane($lane);
}
close $ears;
$orders{stop} = sub { finish(0) };
my %opened;
sub opened {
    my ($name) = @_;
    return $opened{$name} if $opened{$name};
    sysopen(my $file, "$parent/$name", O_RDONLY | $o_direct) or return undef;
    return $opened{$name} = $file;
}
$orders{read} = sub {
    my ($token, $whose, $lane, $block) = @_;
    answer($token, opened("$whose/$lane"), $block, "$whose $lane $block");
};
heed(undef);
"""
_READ = r"""
sub found {
    my ($text, @identity) = @_;
    return 2 if $text eq record(@identity, 2) x 32;
    return versions($text, join(" ", @identity));
}
for my $whose (names("$directory/retired")) {
    for my $lane (names("$directory/retired/$whose")) {
        my ($path, @found) = ("$directory/retired/$whose/$lane");
        sysopen(my $file, $path, O_RDONLY | $o_direct) or die "$path: $!\n";
        while (1) {
            my $text = fetch($file, scalar @found, 16);
            die "$path: $!\n" if !defined $text;
            push @found, found($1, $whose, $lane, scalar @found) while $text =~ /\G(.{1,4096})/gs;
            last if length $text < 65536;
        }
        said("lane", $whose, $lane, @found);
    }
}
print "end\n";
"""

Block = tuple[str, int, int]
"""Writer, lane, number."""


def _own(event: Event, writer: str) -> Block | None:
    """Give the block that a writer has read back by itself."""
    word, *numbers = event.op.split(":")
    if event.kind is not Kind.ANSWER or word != OWN or len(numbers) != 2:
        return None
    return writer, int(numbers[0]), int(numbers[1])


@dataclass(slots=True, kw_only=True)
class RetiredReads:
    """Asks each server for a block that another one has left alone for good, at random."""

    period_s: float
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    blocks: dict[str, list[Block]] = field(default_factory=dict)
    waiting: Outstanding = field(default_factory=Outstanding)
    count: int = 0

    def hear(self, writer: str, event: Event) -> None:
        """Learn which blocks are retired, as their own server has seen, and what is answered."""
        block = _own(event, writer)
        if block is not None:
            if event.words[1:] == (str(LAST),):
                self.blocks.setdefault(writer, []).append(block)
        elif event.kind is Kind.ANSWER:
            self.waiting.answer(writer, event.op)

    def call(self, writers: Sequence[str]) -> tuple[Ask, ...]:
        """Ask everyone that owes no answer."""
        return self.waiting.asks(writers, self._ask)

    def _ask(self, reader: str) -> Ask | None:
        others = [name for name in sorted(self.blocks) if name != reader]
        if not others:
            return None
        self.count += 1
        writer, lane, number = self.chance.choice(self.blocks[self.chance.choice(others)])
        token = str(self.count)
        self.waiting.ask(reader, token)
        return Ask(writer=reader, words=("read", token, writer, str(lane), str(number)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of all blocks while they were written."""

    acknowledged: Mapping[Block, int]
    """Newest acknowledged version."""
    seen: frozenset[Block]
    """Those that their own server has read in their last version."""
    early: tuple[str, ...]
    """What it read that was older than acknowledged, or nothing at all."""

    def wrong(self, block: Block, versions: str) -> bool:
        """Whether a block shows less than was acknowledged."""
        least = self.acknowledged.get(block, 0)
        return bool(least) and (not versions or below(versions, least))


def known(histories: Sequence[History]) -> Known:
    """Gather what the writers said."""
    acknowledged: dict[Block, int] = {}
    seen: set[Block] = set()
    early: list[str] = []
    for history in histories:
        for ack in history.acks:
            lane, number, version = map(int, ack.op.split(":"))
            acknowledged[history.writer, lane, number] = version
        for event in history.events:
            block = _own(event, history.writer)
            if block is None or event.words[1] == "error":
                continue
            if event.words[1] == str(LAST):
                seen.add(block)
            else:
                early.append(f"{_told(block)}, read on its own server: {event.words[1]}")
    return Known(acknowledged=acknowledged, seen=frozenset(seen), early=tuple(early))


def _told(block: Block) -> str:
    writer, lane, number = block
    return f"{writer} lane {lane} block {number}"


def contents(lines: Iterable[str]) -> Mapping[Block, str]:
    """Read what a reader printed."""
    found: dict[Block, str] = {}
    for word, *words in (line.split() for line in lines if line):
        if word == "lane":
            writer, lane, *versions = words
            found |= {(writer, int(lane), n): one for n, one in enumerate(versions)}
    return found


Seen = tuple[str, Block, str]
"""Reader, block, and the versions that it read; empty for a file that was not there."""


def reads(histories: Sequence[History], readings: Sequence[Reading]) -> Iterator[Seen]:
    """Give whatever was read of retired blocks by another server meanwhile, and by all at the end.

    An answer that is an error is none, but for a file that is gone.
    """
    for history in histories:
        answers = {e.op: e.words[1:] for e in history.events if e.kind is Kind.ANSWER}
        asks = (e.words for e in history.events if e.kind is Kind.ASK)
        for _, token, writer, lane, number in asks:
            answer = answers.get(token, ("error", ""))
            if answer[0] != "error" or answer[1:2] == (NO_SUCH_FILE,):
                versions = "" if answer[0] == "error" else answer[0]
                yield history.writer, (writer, int(lane), int(number)), versions
    blocks = sorted(known(histories).acknowledged)
    for reading in readings:
        found = contents(reading.lines)
        yield from ((reading.reader, block, found.get(block, "")) for block in blocks)


def in_flight(histories: Sequence[History]) -> int:
    """Give the most writes that one server had under way at a time."""
    most = 0
    for history in histories:
        under_way = 0
        for event in history.events:
            under_way += (event.kind is Kind.INVOKE) - (event.kind is Kind.ACK)
            most = max(most, under_way)
    return most


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """The workload: a block for each lane every ``pause_s`` on average; ``read_hz`` cross reads."""

    lanes: int = 32
    pause_s: float = 3.0
    read_hz: float = 2.0
    name: str = NAME

    def writer(self, directory: str, writer: str) -> Script:
        """Write each block twice until told to stop; read when asked."""
        words = (writer, period(1 / self.pause_s), str(self.lanes))
        return program(BLOCKS + _WRITE, directory, *words)

    def reader(self, directory: str) -> Script:
        """Give the versions in every block of every lane, read with O_DIRECT."""
        return program(BLOCKS + _READ, directory)

    def caller(self) -> Caller | None:
        """Cross reads of blocks that nobody writes any more."""
        return RetiredReads(period_s=1 / self.read_hz)

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Ask for versions that went back, for those that were never seen, and for pieces."""
        evidence = gather(NAME, histories, readings)
        before = known(evidence.histories)
        found = list(reads(evidence.histories, evidence.readings))
        wrong = [one for one in found if before.wrong(one[1], one[2])]
        late = [_late(one) for one in wrong if one[1] in before.seen]
        lost = [*before.early, *(_lost(one) for one in wrong if one[1] not in before.seen)]
        clean = {history.writer for history in evidence.histories if history.clean}
        torn = [_piece(one) for one in found if in_pieces(one[2], clean=one[1][0] in clean)]
        across = len(found) - len(evidence.readings) * len(before.acknowledged)
        good = f"{len(before.seen)} blocks left alone, none went back; {across} were read across"
        numbers = {
            "acknowledged": evidence.acknowledged, "late": len(late), "stale": len(late),
            "cross_reads": across, "in_flight": in_flight(evidence.histories),
        }  # fmt: skip
        return (
            evidence.judge("late", late, good, numbers),
            evidence.judge("stale", lost, "nothing less than acknowledged", {"stale": len(lost)}),
            evidence.judge("torn", torn, "every block is whole", {"torn": len(torn)}),
        )


def _late(read: Seen) -> str:
    reader, block, versions = read
    now = f"is version {versions} again" if versions else "is gone"
    return (
        f"a late write: {_told(block)} {now}, read on {reader}, after version {LAST} was "
        "acknowledged and read"
    )


def _lost(read: Seen) -> str:
    reader, block, versions = read
    return f"{_told(block)} is older than acknowledged, read on {reader}: {versions or 'nothing'}"


def _piece(read: Seen) -> str:
    reader, block, versions = read
    return f"{_told(block)} is in pieces, read on {reader}: {versions}"
