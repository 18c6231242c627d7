"""From a file, or its text, to a cluster or to every mistake in it.

``load`` and ``check`` read the file; everything else here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sanglier.spec import model
from sanglier.spec.build import build
from sanglier.spec.cluster import Cluster
from sanglier.spec.document import MAX_CHARACTERS, Document, parse
from sanglier.spec.draft import make_draft
from sanglier.spec.mistake import Found, Mistake, dotted, spec_errors
from sanglier.spec.rules import check_rules
from sanglier.spec.structure import check_structure
from sanglier.spec.yamltree import Mark, Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came out of a file: a cluster when there are no mistakes, and warnings."""

    cluster: Cluster | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]


def load(path: Path) -> Cluster:
    """Read a cluster file; raises ``SpecErrors`` with every mistake."""
    return _cluster(check(path), str(path))


def load_text(text: str, name: str) -> Cluster:
    """Read the text of a cluster file called ``name``; raises ``SpecErrors``."""
    return _cluster(check_text(text, name), name)


def check(path: Path) -> Checked:
    """Read a cluster file and give everything that was found; never raises for its content."""
    try:
        with path.open("rb") as file:
            data = file.read(4 * MAX_CHARACTERS + 1)
    except FileNotFoundError:
        return _unreadable(path, "no such file", "give the path of a cluster file")
    except IsADirectoryError:
        return _unreadable(path, "a directory", "give the path of a cluster file in it")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return _unreadable(path, f"cannot be read: {reason}", "make it readable for you")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _not_utf8(str(path), data, error.start)
    return check_text(text, str(path))


def check_text(text: str, name: str) -> Checked:
    """Check the text of a file called ``name``; never raises for its content."""
    try:
        document = parse(text)
    except Unreadable as error:
        return _failed(_mistake(name, error.code, error.mark, Found((), error.what, error.fix)))
    return check_document(document, name)


def check_document(document: Document, name: str) -> Checked:
    """Check what was read from a file called ``name``."""
    structural = check_structure(document.tree)
    mistakes = [_place(name, document, code, found) for code, found in structural]
    mistakes += [_mistake(name, code, mark, found) for code, found, mark in document.duplicates]
    warnings: list[Mistake] = []
    for rule, found in check_rules(make_draft(document.tree)):
        place = _place(name, document, rule.code, found)
        (warnings if rule.warning else mistakes).append(place)
    cluster = None if mistakes else build(model.File.model_validate(document.tree), name)
    return Checked(cluster=cluster, mistakes=_sorted(mistakes), warnings=_sorted(warnings))


def _cluster(checked: Checked, name: str) -> Cluster:
    if checked.cluster is None:
        raise spec_errors(name, checked.mistakes)
    return checked.cluster


def _sorted(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(mistakes, key=lambda m: (m.line, m.column, m.code, m.path, m.what)))


def _place(file: str, document: Document, code: str, found: Found) -> Mistake:
    return _mistake(file, code, document.place(found.path, key=found.key), found)


def _mistake(file: str, code: str, mark: Mark, found: Found) -> Mistake:
    return Mistake(
        code=code,
        file=file,
        line=mark.line,
        column=mark.column,
        path=dotted(found.path),
        what=found.what,
        fix=found.fix,
    )


def _failed(mistake: Mistake) -> Checked:
    return Checked(cluster=None, mistakes=(mistake,), warnings=())


def _unreadable(path: Path, what: str, fix: str) -> Checked:
    return _failed(_mistake(str(path), "SG-SPEC-001", Mark(0, 0), Found((), what, fix)))


def _not_utf8(name: str, data: bytes, start: int) -> Checked:
    before = data[:start]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
    mark = Mark(before.count(b"\n") + 1, column)
    what = f"not UTF-8: byte 0x{data[start]:02x}"
    fix = "convert the file: iconv -f latin1 -t utf-8"
    return _failed(_mistake(name, "SG-SPEC-002", mark, Found((), what, fix)))
