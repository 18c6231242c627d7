"""Directories made, filled, renamed and removed, each change fsync'd before it is acknowledged.

What a writer does is a fixed sequence (:func:`changes`), so the tree after N operations is known.
The tree found must be the one after some operation that is not before the last acknowledged one;
only a file whose creation was never acknowledged may hold anything.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.drill.history import History
from sanglier.drill.result import Check
from sanglier.drill.workloads.base import WHOLE, Caller, Reading, gather, period, program

NAME = "trees"
KEPT = 8
"""Trees that are kept before the oldest is removed."""
FURTHER = 1000
"""Operations after the last acknowledged one that are thought of: their acknowledgements can be
lost with the connection."""
FOLDER = "folder"

_WRITE = r"""
my ($writer, $period) = @words;
my $parent = place("trees");
my $place = "$parent/$writer";
mkdir $place or fail(0);
settle($parent) or fail(0);
my $op = 0;
sub change {
    my ($done, @folders) = @_;
    said("i", ++$op);
    $done->() && settle(@folders) or fail($op);
    said("a", $op);
    heed($period);
}
sub fill {
    my ($path, $text) = @_;
    sysopen(my $file, $path, O_WRONLY | O_CREAT | O_EXCL) or return 0;
    return (syswrite($file, $text) || 0) == length $text && $file->sync;
}
for (my $tree = 1; ; $tree++) {
    my ($folder, $kept, $old) = ("$place/dir-$tree", "$place/kept-$tree", $tree - 8);
    change(sub { mkdir $folder }, $place);
    change(sub { fill("$folder/fresh", record($writer, $tree) x 40) }, $folder);
    change(sub { rename "$folder/fresh", $kept }, $folder, $place);
    next if $old < 1;
    change(sub { unlink("$place/kept-$old") == 1 }, $place);
    change(sub { rmdir "$place/dir-$old" }, $place);
}
"""
_READ = r"""
sub show {
    my ($path) = @_;
    for my $name (names("$directory/trees/$path")) {
        my $below = "$path/$name";
        if (-d "$directory/trees/$below") { said($below, "folder"); show($below) }
        else { my $text = slurp("$directory/trees/$below");
               said($below, "file", length $text, map { tr/ /-/r } records($text)) }
    }
}
show($_) for names("$directory/trees");
print "end\n";
"""

Tree = Mapping[str, str]
"""Path below the writer's folder -> ``folder``, or what is in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One operation: names that go, then a name that comes."""

    gone: str = ""
    come: str = ""
    content: str = ""
    fresh: bool = False
    """It writes a file, which may hold anything until it is acknowledged."""


def content(writer: str, tree: int) -> str:
    """Give what a reader says of a whole file: 40 records of 128 bytes, all the same."""
    return f"file 5120 {writer}-{tree}"


def changes(writer: str) -> Iterator[Change]:
    """Give the operations of a writer, one after the other, for ever."""
    for tree in itertools.count(1):
        folder, fresh, kept = f"dir-{tree}", f"dir-{tree}/fresh", f"kept-{tree}"
        whole = content(writer, tree)
        yield Change(come=folder, content=FOLDER)
        yield Change(come=fresh, content=whole, fresh=True)
        yield Change(gone=fresh, come=kept, content=whole)
        if tree > KEPT:
            yield Change(gone=f"kept-{tree - KEPT}")
            yield Change(gone=f"dir-{tree - KEPT}")


def states(writer: str) -> Iterator[tuple[Tree, Change]]:
    """Give the tree after 0, 1, 2… operations, and the last operation."""
    tree: dict[str, str] = {}
    yield tree, Change()
    for change in changes(writer):
        tree.pop(change.gone, None)
        if change.come:
            tree[change.come] = change.content
        yield tree, change


def _matches(found: Tree, tree: Tree, loose: str) -> bool:
    """Compare; the file ``loose`` may hold anything."""
    if found.keys() != tree.keys():
        return False
    return all(found[path] == tree[path] or path == loose for path in tree)


def _difference(found: Tree, tree: Tree) -> str:
    missing = sorted(tree.keys() - found.keys())
    extra = sorted(found.keys() - tree.keys())
    other = sorted(p for p in tree.keys() & found.keys() if tree[p] != found[p])
    parts = [("missing", missing), ("too much", extra), ("not whole", other)]
    return "; ".join(f"{word}: {', '.join(paths[:5])}" for word, paths in parts if paths)


def compare(history: History, found: Tree) -> str:
    """Say what is wrong with the tree of a writer; empty when nothing is."""
    last = max(history.numbers, default=0)
    further = 0 if history.clean else FURTHER
    told = ""
    for number, (tree, change) in enumerate(states(history.writer)):
        if number < last:
            continue
        loose = change.come if change.fresh and number > last else ""
        if _matches(found, tree, loose):
            return ""
        told = told or f"after operation {last}, {_difference(found, tree)}"
        if number >= last + further:
            break
    return told


def trees(lines: Iterable[str]) -> Mapping[str, Tree]:
    """Writer -> its tree, of what a reader printed."""
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if line != WHOLE:
            path, _, what = line.partition(" ")
            writer, _, below = path.partition("/")
            found.setdefault(writer, {})[below] = what
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Trees:
    """The workload; ``rate_hz`` changes a second."""

    rate_hz: float = 2.0
    name: str = NAME

    def writer(self, directory: str, writer: str) -> Script:
        """Change the tree until told to stop."""
        return program(_WRITE, directory, writer, period(self.rate_hz))

    def reader(self, directory: str) -> Script:
        """Give every path and what is there."""
        return program(_READ, directory)

    def caller(self) -> Caller | None:
        """Nobody needs to ask."""
        return None

    def check(self, histories: Sequence[History], readings: Sequence[Reading]) -> tuple[Check, ...]:
        """Ask for changes that were undone, and for files that are not whole."""
        evidence = gather(NAME, histories, readings)
        wrong = []
        for reading in evidence.readings:
            found = trees(reading.lines)
            told = ((h.writer, compare(h, found.get(h.writer, {}))) for h in evidence.histories)
            wrong += [f"{w}'s tree on {reading.reader}: {words}" for w, words in told if words]
        count = evidence.acknowledged
        good = f"{count} changes acknowledged, every tree is as they left it"
        return (evidence.judge("tree", wrong, good, {"acknowledged": count}),)
