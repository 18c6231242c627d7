"""YAML text to a tree of nodes that know their line and column.

Built on the events of ruamel.yaml instead of its composer: a depth limit, exact
marks also for aliases, and duplicate keys that can all be reported.  Plain
scalars follow the core schema of YAML 1.2 (chapter 10.3), so ``on`` and ``no``
are text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from sanglier.spec.mistake import escape

MAX_DEPTH = 16

Plain = str | int | float | bool | None


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Line and column, from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value."""

    mark: Mark
    value: Plain


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key with its value; ``merge`` for the plain key ``<<``."""

    mark: Mark
    key: str
    value: Node
    merge: bool


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping, duplicate keys still in it."""

    mark: Mark
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """A reference to an anchored node, at its own place."""

    mark: Mark
    node: Node


Node = Scalar | Sequence | Mapping | Alias


class Unreadable(Exception):
    """The text cannot become a tree; there is one such mistake per file."""

    def __init__(self, code: str, mark: Mark, what: str, fix: str) -> None:
        super().__init__(what)
        self.code = code
        self.mark = mark
        self.what = what
        self.fix = fix


def compose(text: str) -> Node | None:
    """Read one YAML document; ``None`` when there is nothing in it.

    Raises :class:`Unreadable`.
    """
    events = _events(text)
    for event in events:
        if isinstance(event, StreamEndEvent):
            return None
        if isinstance(event, DocumentStartEvent):
            break
    node = _Composer(events).node(next(events), 0)
    _expect_end(events)
    return node


def _events(text: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except ReaderError as error:
        mark = _mark_of_index(text, error.position)
        what = "a control character, which YAML does not allow"
        raise Unreadable("SG-SPEC-004", mark, what, "remove the character") from error
    except MarkedYAMLError as error:
        raise _syntax(error) from error
    except (YAMLError, ValueError, IndexError, AttributeError, TypeError, AssertionError) as error:
        what = f"not YAML: {escape(str(error)) or type(error).__name__}"
        raise Unreadable("SG-SPEC-004", Mark(1, 1), what, "correct the syntax") from error


def _syntax(error: MarkedYAMLError) -> Unreadable:
    place, begun = error.problem_mark or error.context_mark, error.context_mark
    mark = Mark(place.line + 1, place.column + 1) if place else Mark(1, 1)
    what = f"not YAML: {escape(str(error.problem or error.context))}"
    if error.problem and begun and begun.line + 1 < mark.line:
        what += f", {error.context} that begins in line {begun.line + 1}"
    return Unreadable("SG-SPEC-004", mark, what, "correct the syntax here or before this place")


def _mark_of_index(text: str, index: int) -> Mark:
    before = text[:index]
    return Mark(before.count("\n") + 1, index - before.rfind("\n"))


def _expect_end(events: Iterator[Event]) -> None:
    for event in events:
        if isinstance(event, DocumentStartEvent):
            fix = "keep one cluster per file: remove the second document"
            raise Unreadable("SG-SPEC-004", _mark(event), "a second YAML document", fix)


def _mark(event: Event) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


class _Composer:
    """Turns the events of one document into nodes; holds the anchors seen."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node] = {}

    def node(self, event: Event, depth: int) -> Node:
        mark = _mark(event)
        if depth > MAX_DEPTH:
            what = f"nested deeper than {MAX_DEPTH} levels"
            raise Unreadable("SG-SPEC-006", mark, what, "a cluster file needs 5 levels at most")
        if isinstance(event, AliasEvent):
            return self._alias(event, mark)
        node = self._content(event, mark, depth)
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[str(anchor)] = node
        return node

    def _alias(self, event: AliasEvent, mark: Mark) -> Node:
        name = escape(str(event.anchor))
        node = self._anchors.get(str(event.anchor))
        if node is None:
            what = f"the alias *{name} has no anchor before it"
            fix = f"write &{name} in front of the value that is meant"
            raise Unreadable("SG-SPEC-004", mark, what, fix)
        return Alias(mark, node)

    def _content(self, event: Event, mark: Mark, depth: int) -> Node:
        tag = str(getattr(event, "tag", None) or "")
        if tag not in ("", "!", "tag:yaml.org,2002:str"):
            fix = "write the value without a tag"
            raise Unreadable(
                "SG-SPEC-008", mark, f"the YAML tag {escape(tag)} is not used here", fix
            )
        if isinstance(event, ScalarEvent):
            _refuse_surrogates(event.value, mark)
            plain = event.implicit[0] and not tag
            return Scalar(mark, _resolve(event.value) if plain else str(event.value))
        if isinstance(event, SequenceStartEvent):
            return Sequence(mark, tuple(self._items(depth)))
        if isinstance(event, MappingStartEvent):
            return Mapping(mark, tuple(self._entries(depth)))
        raise Unreadable("SG-SPEC-004", mark, "not YAML: no value", "write a value here")

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            yield self.node(event, depth + 1)

    def _entries(self, depth: int) -> Iterator[Entry]:
        while not isinstance(event := next(self._events), MappingEndEvent):
            mark = _mark(event)
            if not isinstance(event, ScalarEvent):
                fix = "write a plain word as the key"
                raise Unreadable("SG-SPEC-008", mark, "a key that is not a single word", fix)
            _refuse_surrogates(event.value, mark)
            merge = event.value == "<<" and event.implicit[0]
            value = self.node(next(self._events), depth + 1)
            yield Entry(mark, str(event.value), value, merge)


def _refuse_surrogates(text: str, mark: Mark) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        what = "half a surrogate pair, which is no character"
        raise Unreadable("SG-SPEC-002", mark, what, "write the character itself, in UTF-8")


_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]{1,100}")
_BASED = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,100}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def _resolve(text: str) -> Plain:
    """Give a plain scalar its type by the YAML 1.2 core schema; endless numbers stay text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return number if math.isfinite(number) else text
