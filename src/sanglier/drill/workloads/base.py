"""What every workload has: a program, a way to read it back, a caller, and a pure check.

A program is Perl, which every Debian has: perl-base is Essential, and only its own modules are
used.  It prints one line per event, at once::

    i OP …     about to do OP
    a OP …     OP is acknowledged: the call returned, and what it wrote is durable
    r TOKEN …  answer to something we asked
    f OP ERRNO WORDS   OP failed, so its outcome is unknown; the program ends

A writer that failed ends, so that an operation of unknown outcome is always the last of its
incarnation.  It also ends at ``stop`` or at the end of its standard input, with ``stopped``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sanglier.core.action import Script
from sanglier.drill.history import Event, History
from sanglier.drill.result import Check, Verdict

RECORD_BYTES = 128
"""Of every record: one line, filled up with dots.  It never crosses a sector."""
WHOLE = "end"
"""Last line of a reading that was not cut."""
UNREAD = "unread: "
"""How the only line of a reading begins that was not to be had; the reason follows."""
_DETAILS = 30

_RUN = 'program=$1; shift; exec perl -e "$program" -- "$@"'
_PRELUDE = r"""
use strict; use Fcntl qw(:DEFAULT :flock :seek); use IO::Handle; $| = 1;
my ($directory, @words) = @ARGV;
my ($heard, %orders) = ("");
$orders{stop} = sub { print "stopped\n"; exit 0 };

sub said { print join(" ", @_), "\n" }
sub fail { printf "f %s %d %s\n", $_[0], $!, $!; exit 1 }
sub record { my $line = join(" ", @_, ""); $line . "." x (127 - length $line) . "\n" }

# Make our folder in a directory that must be there: a mount that is gone must not be written to.
sub place {
    my $path = "$directory/$_[0]";
    mkdir $path or $! == 17 or fail(0);
    return $path;
}

# Put the names in these folders on the disk, fsync(2).
sub settle {
    for my $folder (@_) {
        sysopen(my $handle, $folder, O_RDONLY) or return 0;
        $handle->sync or return 0;
    }
    return 1;
}

# Carry out orders for so many seconds (undef: for ever); select(2) on Linux tells what is left.
sub heed {
    my ($left) = @_;
    while (1) {
        while ($heard =~ s/^(.*)\n//) {
            my ($order, @words) = split / /, $1;
            $orders{$order}->(@words) if $orders{$order};
        }
        my $ears = "";
        vec($ears, fileno(STDIN), 1) = 1;
        (my $ready, $left) = select($ears, undef, undef, $left);
        return if !$ready;
        next if $ready < 0;
        $orders{stop}->() if !sysread(STDIN, $heard, 4096, length $heard);
    }
}

sub names {
    opendir(my $handle, $_[0]) or die "$_[0]: $!\n";
    return sort grep { !/^\.\.?$/ } readdir $handle;
}

sub slurp {
    sysopen(my $file, $_[0], O_RDONLY) or die "$_[0]: $!\n";
    my $text = "";
    while (1) {
        my $got = sysread($file, $text, 65536, length $text);
        die "$_[0]: $!\n" if !defined $got;
        return $text if !$got;
    }
}

# The different records of some text, without their dots; "?" for what is none.
sub records {
    my ($text, %seen) = @_;
    while ($text =~ /\G(.{1,128})/gs) {
        my $piece = $1;
        $seen{length $piece == 128 && $piece =~ /^([^\n]*?) \.*\n$/ ? $1 : "?"} = 1;
    }
    return sort keys %seen;
}
"""


def program(body: str, directory: str, *words: str) -> Script:
    """Give the script that runs a program in ``directory``, an absolute path."""
    return Script(text=_RUN, args=(_PRELUDE + body, directory, *words))


def period(rate_hz: float) -> str:
    """Seconds between two operations; 0 for as fast as it goes."""
    return f"{1 / rate_hz:.4f}" if rate_hz else "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one application server read back of one workload, caches dropped."""

    workload: str
    reader: str
    lines: tuple[str, ...]
    """Empty when it could not be read."""

    @property
    def whole(self) -> bool:
        """Whether the reader came to its end."""
        return self.lines[-1:] == (WHOLE,)

    @property
    def told(self) -> str:
        """Who could not read it, and why if that is known."""
        last = next(iter(self.lines[-1:]), "")
        why = last.removeprefix(UNREAD) if last.startswith(UNREAD) else ""
        return f"{self.reader} ({why})" if why else self.reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A line that we send to a writer; recorded before it is sent."""

    writer: str
    words: tuple[str, ...]


class Caller(Protocol):
    """Decides what to ask the writers of a workload, from what they said; does no I/O."""

    @property
    def period_s(self) -> float:
        """Seconds between two calls."""
        ...

    def hear(self, writer: str, event: Event) -> None:
        """Learn of an event, also of our own asking."""
        ...

    def call(self, writers: Sequence[str]) -> tuple[Ask, ...]:
        """Ask those of ``writers``, all alive, that have answered everything."""
        ...


class Workload(Protocol):
    """One workload: pure; the recorder runs its scripts."""

    @property
    def name(self) -> str:
        """Name of the workload, its folder and its histories."""
        ...

    def writer(self, directory: str, writer: str) -> Script:
        """Give the program that a writer runs."""
        ...

    def reader(self, directory: str) -> Script:
        """Give the program that reads everything back; its last line is ``end``."""
        ...

    def caller(self) -> Caller | None:
        """Give a new caller, for a workload that waits to be asked."""
        ...

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Compare what was acknowledged with what every server read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one workload's check works on."""

    workload: str
    histories: tuple[History, ...]
    readings: tuple[Reading, ...]
    """Those that are whole."""
    doubt: str
    """Why nothing can be VALID; empty when it can."""

    @property
    def acknowledged(self) -> int:
        """Number of acknowledgements of all writers."""
        return sum(len(history.acks) for history in self.histories)

    def judge(
        self, name: str, wrong: Sequence[str], good: str, numbers: Mapping[str, float]
    ) -> Check:
        """INVALID when anything is wrong, else UNKNOWN when in doubt, else VALID."""
        if wrong:
            verdict, summary = Verdict.INVALID, f"{len(wrong)} wrong, first: {wrong[0]}"
        elif self.doubt:
            verdict, summary = Verdict.UNKNOWN, self.doubt
        else:
            verdict, summary = Verdict.VALID, good
        return Check(
            name=name,
            subject=self.workload,
            verdict=verdict,
            summary=summary,
            details=tuple(wrong[:_DETAILS]),
            numbers=numbers,
        )


def gather(workload: str, histories: Sequence[History], readings: Sequence[Reading]) -> Evidence:
    """Pick what belongs to a workload, and say what is missing."""
    mine = tuple(history for history in histories if history.workload == workload)
    read = tuple(reading for reading in readings if reading.workload == workload)
    cut = [reading.told for reading in read if not reading.whole]
    unread = sorted({history.server for history in mine} - {reading.reader for reading in read})
    doubt = ""
    if not any(history.acks for history in mine):
        doubt = "nothing was acknowledged"
    elif not read:
        doubt = "nothing was read back"
    elif cut:
        doubt = f"could not be read on {', '.join(cut)}"
    elif unread:
        doubt = f"was not read on {', '.join(unread)}"
    whole = tuple(reading for reading in read if reading.whole)
    return Evidence(workload=workload, histories=mine, readings=whole, doubt=doubt)


@dataclass(slots=True)
class Outstanding:
    """Which writers have not answered their last ask yet."""

    asked: dict[str, str] = field(default_factory=dict)

    def ask(self, writer: str, op: str) -> None:
        """Note an ask."""
        self.asked[writer] = op

    def answer(self, writer: str, op: str) -> None:
        """Note an answer."""
        if self.asked.get(writer) == op:
            del self.asked[writer]

    def idle(self, writers: Sequence[str]) -> tuple[str, ...]:
        """Give those who owe no answer."""
        return tuple(writer for writer in writers if writer not in self.asked)

    def asks(self, writers: Sequence[str], ask: Callable[[str], Ask | None]) -> tuple[Ask, ...]:
        """Ask each of those for whom there is a question."""
        found = (ask(writer) for writer in self.idle(writers))
        return tuple(one for one in found if one)
