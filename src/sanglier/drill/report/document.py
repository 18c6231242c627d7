"""A campaign as JSON text and back, exactly.

``verdict`` and ``stall_s`` are written for whoever reads the file with other tools; they follow
from the rest and are not read back.  JSON has no infinity: such a number is written as the text
``inf``, ``-inf`` or ``nan``.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from sanglier.core.errors import SanglierError
from sanglier.drill.result import Campaign, DrillRun

SCHEMA = "sanglier-drill-campaign"
VERSION = 1
MALFORMED = "SG-DRILL-040"
"""Code: a document is not a campaign."""
OTHER_VERSION = "SG-DRILL-041"
"""Code: a document has a schema version that this program does not know."""

T = TypeVar("T")
Reader = Callable[[type[Any], object, str], object]


def to_text(campaign: Campaign) -> str:
    """Give a campaign as JSON text, in ASCII."""
    document = {"schema": SCHEMA, "version": VERSION, "campaign": _written(campaign)}
    return json.dumps(document, allow_nan=False, separators=(",", ":")) + "\n"


def _written(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {**_derived(value), **{name: _written(getattr(value, name)) for name in names}}
    if isinstance(value, Mapping):
        return {key: _written(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_written(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _derived(value: object) -> dict[str, object]:
    if isinstance(value, DrillRun):
        return {"verdict": value.verdict, "stall_s": _written(value.stall_s)}
    return {"verdict": value.verdict} if isinstance(value, Campaign) else {}


def from_text(text: str, subject: str = "campaign.json") -> Campaign:
    """Read a campaign; ``subject`` names the document in an error.

    Raises SG-DRILL-040 for what is no campaign, SG-DRILL-041 for another schema version.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _malformed(subject, f"not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise _malformed(subject, f'the key "schema" is not "{SCHEMA}"')
    _check_version(document.get("version"), subject)
    try:
        return _read(Campaign, document.get("campaign"), "campaign")
    except _Misfit as error:
        raise _malformed(subject, str(error)) from error


def _check_version(version: object, subject: str) -> None:
    if version == VERSION and type(version) is int:
        return
    raise SanglierError(
        code=OTHER_VERSION,
        subject=subject,
        what=f"this campaign has schema version {version!r}; this sanglier reads {VERSION}",
        why="it was written by another version of sanglier",
        fix="read it with that version, or run the drills again",
    )


def _malformed(subject: str, why: str) -> SanglierError:
    return SanglierError(
        code=MALFORMED,
        subject=subject,
        what="this is not the document of a campaign of drills",
        why=why,
        fix="`sanglier drill list` shows the campaigns that are kept",
    )


class _Misfit(Exception):
    """A value that is not what its place asks for."""


def _misfit(where: str, expected: str, value: object) -> _Misfit:
    return _Misfit(f"{where}: expected {expected}, got {type(value).__name__}")


def _read(kind: type[T], value: object, where: str) -> T:
    """Read a value of a given type; refuses what is missing or of another type."""
    found: Any = _reader(kind)(kind, value, where)
    return found  # type: ignore[no-any-return]


def _reader(kind: type[Any]) -> Reader:
    origin = get_origin(kind)
    if origin is None and isinstance(kind, type) and issubclass(kind, StrEnum):
        return _read_enum
    readers: dict[object, Reader] = {
        tuple: _read_tuple,
        Mapping: _read_mapping,
        UnionType: _read_optional,
    }
    plain = _read_float if kind is float else _read_plain
    return readers.get(origin, _read_record if dataclasses.is_dataclass(kind) else plain)


def _read_record(kind: type[Any], value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise _misfit(where, "an object", value)
    hints = get_type_hints(kind)
    missing = [field.name for field in dataclasses.fields(kind) if field.name not in value]
    if missing:
        raise _Misfit(f"{where}: {', '.join(missing)} missing")
    names = [field.name for field in dataclasses.fields(kind)]
    return kind(**{name: _read(hints[name], value[name], f"{where}.{name}") for name in names})


def _read_tuple(kind: type[Any], value: object, where: str) -> object:
    if not isinstance(value, list):
        raise _misfit(where, "a list", value)
    inner = get_args(kind)[0]
    return tuple(_read(inner, one, f"{where}[{n}]") for n, one in enumerate(value))


def _read_mapping(kind: type[Any], value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise _misfit(where, "an object", value)
    inner = get_args(kind)[1]
    return {key: _read(inner, one, f"{where}.{key}") for key, one in value.items()}


def _read_optional(kind: type[Any], value: object, where: str) -> object:
    inner = next(one for one in get_args(kind) if one is not type(None))
    return None if value is None else _read(inner, value, where)


def _read_enum(kind: type[StrEnum], value: object, where: str) -> object:
    known = {str(member): member for member in kind}
    if not isinstance(value, str) or value not in known:
        raise _Misfit(f"{where}: expected one of {', '.join(known)}, got {value!r}")
    return known[value]


def _read_float(_: type[Any], value: object, where: str) -> object:
    if value in ("inf", "-inf", "nan"):
        return float(str(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _misfit(where, "a number", value)
    try:
        return float(value)
    except OverflowError as error:
        raise _misfit(where, "a number that a float holds", value) from error


def _read_plain(kind: type[Any], value: object, where: str) -> object:
    if type(value) is not kind:
        raise _misfit(where, kind.__name__, value)
    return value
