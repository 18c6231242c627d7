"""A YAML text as plain values plus the place of every key and value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sanglier.spec.mistake import FieldPath, Found, show
from sanglier.spec.yamltree import (
    Alias,
    Entry,
    Mapping,
    Mark,
    Node,
    Scalar,
    Sequence,
    Unreadable,
    compose,
)

MAX_CHARACTERS = 256 * 1024
MAX_NODES = 20_000

Tree = str | int | float | bool | None | dict[str, "Tree"] | list["Tree"]


@dataclass(slots=True)
class Document:
    """The values of a file, where each stands, and the keys written twice."""

    tree: dict[str, Tree] = field(default_factory=dict)
    values: dict[FieldPath, Mark] = field(default_factory=dict)
    keys: dict[FieldPath, Mark] = field(default_factory=dict)
    duplicates: list[tuple[str, Found, Mark]] = field(default_factory=list)
    nodes: int = 0

    def place(self, path: FieldPath, *, key: bool = False) -> Mark:
        """Find the place of ``path``, or of the nearest thing above it that was written."""
        if not key and path in self.values:
            return self.values[path]
        for length in range(len(path), 0, -1):
            above = path[:length]
            places = self.values if isinstance(above[-1], int) else self.keys
            if above in places:
                return places[above]
        return self.values.get((), Mark(1, 1))

    def spend(self, mark: Mark) -> None:
        """Count one value; aliases can multiply a small file beyond any memory."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            what = f"more than {MAX_NODES} values once the aliases are written out"
            raise Unreadable("SG-SPEC-006", mark, what, "use fewer anchors and aliases")


def parse(text: str) -> Document:
    """Read a cluster file; raises :class:`Unreadable` when no mapping comes out."""
    if len(text) > MAX_CHARACTERS:
        what = f"larger than {MAX_CHARACTERS // 1024} KiB"
        fix = "give the cluster file itself: one of 255 servers has less than 50 KiB"
        raise Unreadable("SG-SPEC-006", Mark(1, 1), what, fix)
    root = compose(text.removeprefix("\ufeff"))
    if root is None or (isinstance(root, Scalar) and root.value is None):
        fix = "start with `cluster: NAME`; examples/lab.yaml is a whole file"
        raise Unreadable("SG-SPEC-005", Mark(1, 1), "the file is empty", fix)
    if not isinstance(root, Mapping):
        what = f"expected `key: value` lines at the top, got {_kind(root)}"
        fix = "start with `cluster: NAME`; examples/lab.yaml is a whole file"
        raise Unreadable("SG-SPEC-005", root.mark, what, fix)
    document = Document()
    document.values[()] = root.mark
    document.tree = _mapping(document, root, ())
    return document


def _kind(node: Node) -> str:
    return "a list" if isinstance(node, Sequence) else show(getattr(node, "value", None))


def _value(document: Document, node: Node, path: FieldPath) -> Tree:
    document.values[path] = node.mark
    document.spend(node.mark)
    node = _target(node)
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [_value(document, item, (*path, i)) for i, item in enumerate(node.items)]
    return _mapping(document, node, path)


def _target(node: Node) -> Scalar | Sequence | Mapping:
    while isinstance(node, Alias):
        node = node.node
    return node


def _mapping(document: Document, node: Mapping, path: FieldPath) -> dict[str, Tree]:
    result: dict[str, Tree] = {}
    for entry in _own_entries(document, node, path):
        here = (*path, entry.key)
        document.keys[here] = entry.mark
        result[entry.key] = _value(document, entry.value, here)
    for entry in _merged_entries(document, node):
        here = (*path, entry.key)
        if entry.key not in result:
            document.keys[here] = entry.mark
            result[entry.key] = _value(document, entry.value, here)
    return result


def _own_entries(document: Document, node: Mapping, path: FieldPath) -> Iterable[Entry]:
    seen: dict[str, Entry] = {}
    for entry in node.entries:
        if entry.merge:
            continue
        if entry.key in seen:
            what = f"written twice, first in line {seen[entry.key].mark.line}"
            found = Found((*path, entry.key), what, "keep one of the two")
            document.duplicates.append(("SG-SPEC-007", found, entry.mark))
        else:
            seen[entry.key] = entry
    return seen.values()


def _merged_entries(document: Document, node: Mapping) -> Iterator[Entry]:
    """Give the entries of ``<<: *anchor``, first one first; it never overrides."""
    for entry in node.entries:
        if not entry.merge:
            continue
        value = _target(entry.value)
        for source in value.items if isinstance(value, Sequence) else (value,):
            document.spend(entry.mark)
            source = _target(source)
            if not isinstance(source, Mapping):
                fix = "give << an alias of a mapping, such as *common"
                raise Unreadable("SG-SPEC-008", entry.mark, "<< without a mapping", fix)
            yield from (e for e in source.entries if not e.merge)
            yield from _merged_entries(document, source)
