"""The JSON schema and the reference follow from the model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from sanglier.spec import model, reference
from sanglier.spec.document import parse
from sanglier.spec.load import check as check_file
from sanglier.spec.structure import yaml_line

from .cluster_file import GOOD, check, good_tree, place_of
from .firing import FIRING

ROOT = Path(__file__).parents[3]
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict,
    "array": list, "null": type(None),
}  # fmt: skip


class Schema:
    """The part of JSON schema that the file's schema uses."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.root = schema

    def accepts(self, value: object, schema: dict[str, Any] | None = None) -> bool:
        schema = self.root if schema is None else schema
        if "$ref" in schema:
            return self.accepts(value, self.root["$defs"][schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema and not any(self.accepts(value, s) for s in schema["anyOf"]):
            return False
        return (
            self._type(value, schema) and self._value(value, schema) and self._inner(value, schema)
        )

    def _type(self, value: object, schema: dict[str, Any]) -> bool:
        names = schema.get("type", list(TYPES))
        names = [names] if isinstance(names, str) else names
        if isinstance(value, bool):
            return "boolean" in names
        return any(isinstance(value, TYPES[name]) for name in names)

    def _value(self, value: object, schema: dict[str, Any]) -> bool:
        if isinstance(value, str):
            good = re.search(schema.get("pattern", ""), value) is not None
            good = good and len(value) <= schema.get("maxLength", 10**6)
            return good and value in schema.get("enum", [schema.get("const", value)])
        if isinstance(value, int):
            return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
        size = len(value) if isinstance(value, dict | list) else 0
        return bool(
            schema.get("minItems", schema.get("minProperties", 0))
            <= size
            <= schema.get("maxItems", schema.get("maxProperties", 10**6))
        )

    def _inner(self, value: object, schema: dict[str, Any]) -> bool:
        if isinstance(value, list):
            return all(self.accepts(item, schema.get("items", {})) for item in value)
        if not isinstance(value, dict):
            return True
        known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
        good = all(self.accepts(k, schema.get("propertyNames", {})) for k in value)
        good = good and all(key in value for key in schema.get("required", []))
        for key, item in value.items():
            part = known.get(key, other)
            good = good and part is not False and self.accepts(item, part)
        return good


SCHEMA = Schema(model.json_schema())


def test_the_example_is_valid_for_editors() -> None:
    for file in (ROOT / "examples").glob("*.yaml"):
        assert SCHEMA.accepts(parse(file.read_text()).tree)
        assert check_file(file).cluster is not None
    assert SCHEMA.accepts(good_tree())


UNSEEN_BY_EDITORS = ("003", "023", "025", "027", "032", "033", "034", "035", "036", "037", "038")


@pytest.mark.parametrize(("code", "path", "marked"), FIRING)
def test_editors_see_mistakes_of_form(code: str, path: str, marked: str) -> None:
    form = code < "SG-SPEC-040" and not code.endswith(UNSEEN_BY_EDITORS)
    if form and code >= "SG-SPEC-010" and "localhost" not in path and "\\n" not in marked:
        assert not SCHEMA.accepts(parse(place_of(marked)[0]).tree)


def models() -> list[type[BaseModel]]:
    return [m for m in vars(model).values() if isinstance(m, type) and issubclass(m, BaseModel)]


@pytest.mark.parametrize("part", models(), ids=lambda part: part.__name__)
def test_every_field_is_described_and_has_an_example(part: type[BaseModel]) -> None:
    assert part.__doc__
    for name, field in part.model_fields.items():
        assert field.description and field.description.endswith("."), name
        nested = name in ("storage", "applications", "witness", "volumes")
        assert field.examples or nested, name


def test_examples_of_all_fields_make_a_good_file() -> None:
    for name, field in model.Volume.model_fields.items():
        key = field.alias or name
        value = yaml_line((field.examples or [None])[0])
        if key in ("on", "serial", "label", "mount", "minor", "port"):
            continue
        lines = [line for line in GOOD.splitlines() if not line.startswith(f"    {key}:")]
        lines.insert(lines.index("  mail:"), f"    {key}: {value}")
        assert check("\n".join(lines)).mistakes == (), key


@pytest.mark.parametrize("name", reference.pages())
def test_reference_is_current(name: str) -> None:
    written = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    hint = "run: python -m sanglier.spec.reference --write docs/reference"
    assert written == reference.pages()[name], hint


def test_reference_has_every_key() -> None:
    page = reference.file_page()
    for part in models():
        for name, field in part.model_fields.items():
            assert f"| `{field.alias or name}` |" in page


def test_tables_of_the_reference_are_whole() -> None:
    for line in reference.file_page().splitlines():
        if line.startswith("|"):
            assert line.count("|") == 6, line
