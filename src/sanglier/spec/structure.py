"""What the model finds wrong in shape and type, in our words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sanglier.spec.document import Tree
from sanglier.spec.mistake import FieldPath, Found, show
from sanglier.spec.model import File

Coded = tuple[str, Found]

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "bool_type": "true or false",
    "list_type": "a list",
    "scalar": "a single value",
}


def check_structure(tree: dict[str, Tree]) -> tuple[Coded, ...]:
    """Give every mistake of shape and type, with its code."""
    try:
        File.model_validate(tree)
    except ValidationError as error:
        return tuple(_translate(tree, detail) for detail in error.errors(include_url=False))
    return ()


def _translate(tree: Tree, detail: ErrorDetails) -> Coded:
    path = _as_written(tree, _untagged(tuple(detail["loc"])))
    if path[:1] == ("timings",) and detail["type"] == "string_type":
        return "SG-SPEC-015", bad_seconds(path, detail["input"])
    if path[-1:] == ("size",) and detail["type"] == "string_type":
        return "SG-SPEC-003", bad_size(path, detail["input"])
    return _BY_TYPE.get(detail["type"], _wrong_type)(path, detail)


def _untagged(path: FieldPath) -> FieldPath:
    """Leave out what pydantic says of the kind of timings that it tried."""
    return (*path[:1], *path[2:]) if path[:1] == ("timings",) else path


def _as_written(tree: Tree, path: FieldPath) -> FieldPath:
    """Leave out the positions of a list that the file does without (a single fence device)."""
    written: list[str | int] = []
    for part in path:
        if isinstance(part, int):
            if not isinstance(tree, list):
                continue
            tree = tree[part] if part < len(tree) else None
        else:
            tree = tree.get(part) if isinstance(tree, dict) else None
        written.append(part)
    return tuple(written)


def bad_size(path: FieldPath, value: object) -> Found:
    """Say how a size is written."""
    got = f'"{value}"' if isinstance(value, int | float) else show(value)
    what = f"expected a size such as 10GiB, got {got}"
    return Found(path, what, "write a number and its unit: KiB MiB GiB TiB, or KB MB GB TB")


def bad_seconds(path: FieldPath, value: object) -> Found:
    """Say how a length of time is written."""
    what = f"expected a time such as 20s, got {show(value)}"
    return Found(path, what, "write whole seconds from 1 to 9999 and their unit, as in 20s")


def _unknown(path: FieldPath, detail: ErrorDetails) -> Coded:
    key, known = str(path[-1]), _keys(path[:-1])
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    advice = f"did you mean `{near[0]}`? " if near else ""
    fix = f"{advice}known here: {', '.join(known)}"
    return "SG-SPEC-010", Found(path, "unknown key", fix, key=True)


def _missing(path: FieldPath, detail: ErrorDetails) -> Coded:
    key = str(path[-1])
    field = _fields(path[:-1]).get(key)
    examples = getattr(field, "examples", None)
    fix = f"add `{key}: {yaml_line(examples[0])}` or the like" if examples else f"add `{key}:`"
    return "SG-SPEC-011", Found(path, "missing", fix)


def yaml_line(value: object) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {yaml_line(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(yaml_line(item) for item in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choice(path: FieldPath, detail: ErrorDetails) -> Coded:
    field = _fields(path[:-1]).get(str(path[-1]))
    choices = list(_literals(getattr(field, "annotation", None)))
    got = detail["input"]
    near = difflib.get_close_matches(str(got).lower(), choices, n=1, cutoff=0.6)
    fix = f"write `{near[0] if near else choices[0]}`"
    return "SG-SPEC-013", Found(path, f"expected {_or(choices)}, got {show(got)}", fix)


def _literals(annotation: object) -> Iterator[str]:
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        elif get_origin(part) is not None:
            yield from _literals(part)


def _range(path: FieldPath, detail: ErrorDetails) -> Coded:
    limits = _limits(path)
    what = f"expected a number from {limits[0]} to {limits[1]}, got {show(detail['input'])}"
    return "SG-SPEC-014", Found(path, what, "write a number in that range, or leave the key out")


def _limits(path: FieldPath) -> tuple[Any, Any]:
    metadata = getattr(_fields(path[:-1]).get(str(path[-1])), "metadata", [])
    found = {name: getattr(m, name) for m in metadata for name in ("ge", "le") if hasattr(m, name)}
    return found.get("ge"), found.get("le")


def _too_short(path: FieldPath, detail: ErrorDetails) -> Coded:
    fix = "give one address for each storage network: `san: [10.77.2.11, 10.77.3.11]`"
    return "SG-SPEC-047", Found(path, "no address", fix)


def _wrong_type(path: FieldPath, detail: ErrorDetails) -> Coded:
    expected = _EXPECTED.get(detail["type"], detail["msg"])
    got = detail["input"]
    fix = f"write {expected}"
    if detail["type"] == "string_type" and isinstance(got, str | int | float | bool):
        fix = "put the value in quotes"
    if detail["type"] == "list_type" and isinstance(got, str):
        fix = "put the value in brackets"
    return "SG-SPEC-012", Found(path, f"expected {expected}, got {show(got)}", fix)


_BY_TYPE: dict[str, Callable[[FieldPath, ErrorDetails], Coded]] = {
    "extra_forbidden": _unknown,
    "missing": _missing,
    "literal_error": _choice,
    "greater_than_equal": _range,
    "less_than_equal": _range,
    "too_short": _too_short,
}


def _or(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else ", ".join(choices[:-1]) + " or " + choices[-1]


def _keys(path: FieldPath) -> list[str]:
    return list(_fields(path))


def _fields(path: FieldPath) -> dict[str, Any]:
    """Give the fields of the model at ``path``, by the names that users write."""
    model: type[BaseModel] | None = File
    rest = list(path)
    while rest and model is not None:
        field = model.model_fields.get(str(rest.pop(0)))
        annotation = getattr(field, "annotation", None)
        mapping = getattr(annotation, "__origin__", None) is dict
        model = next(_models(annotation), None)
        if rest and mapping:
            rest.pop(0)
        while rest and isinstance(rest[0], int):
            rest.pop(0)
    fields = model.model_fields if model is not None else {}
    return {field.alias or name: field for name, field in fields.items()}


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    for candidate in (annotation, *_parts(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            yield candidate


def _parts(annotation: object) -> Iterator[object]:
    for part in get_args(annotation):
        yield part
        yield from _parts(part)
