"""The documents are current: codes, verbs, options and links."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from sanglier.cli.main import VERBS, application

TREE = Path(__file__).parents[3]
SOURCE = TREE / "src" / "sanglier"
DOCS = TREE / "docs"
REFERENCE = DOCS / "reference"
CODE = re.compile(r"SG-[A-Z]+-\d{3}")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
PAGES = sorted([*DOCS.rglob("*.md"), *TREE.glob("*.md")])


def _name(page: Path) -> str:
    return str(page.relative_to(TREE))


def _written_codes() -> set[str]:
    texts = (path.read_text() for path in SOURCE.rglob("*.py"))
    return {code for text in texts for code in CODE.findall(text)}


def _numbered_codes(module: ast.AST) -> Iterator[str]:
    """Give the codes of ``refuse(12, …)``, which lab/errors.py makes SG-LAB-012 of."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0]
            if (
                node.func.id == "refuse"
                and isinstance(first, ast.Constant)
                and isinstance(first.value, int)
            ):
                yield f"SG-LAB-{first.value:03d}"


def _lab_codes() -> set[str]:
    modules = (ast.parse(path.read_text()) for path in (SOURCE / "lab").rglob("*.py"))
    return {code for module in modules for code in _numbered_codes(module)}


def test_every_code_in_the_source_is_in_the_reference() -> None:
    pages = (REFERENCE / "errors.md", REFERENCE / "mistakes.md")
    listed = {code for page in pages for code in CODE.findall(page.read_text())}
    assert sorted((_written_codes() | _lab_codes()) - listed) == []


def test_every_code_in_the_error_reference_is_in_the_source() -> None:
    listed = set(CODE.findall((REFERENCE / "errors.md").read_text()))
    assert sorted(listed - _written_codes() - _lab_codes()) == []


def test_lab_codes_are_found() -> None:
    assert {"SG-LAB-001", "SG-LAB-090"} <= _lab_codes()


def _section(verb: str) -> str:
    text = (REFERENCE / "commands.md").read_text()
    found = re.search(rf"^## sanglier {verb}\b.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_commands_reference(verb: str) -> None:
    assert _section(verb)


def _commands() -> Iterator[tuple[str, Any]]:
    """Give every command with its name, those of ``lab`` as ``lab NAME``."""
    verbs: dict[str, Any] = vars(get_command(application()))["commands"]
    for name, command in verbs.items():
        yield name, command
        for below, inner in vars(command).get("commands", {}).items():
            yield f"{name} {below}", inner


COMMANDS = dict(_commands())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_commands_reference(name: str) -> None:
    text = (REFERENCE / "commands.md").read_text()
    assert name in text
    shown = [p for p in COMMANDS[name].params if not getattr(p, "hidden", False)]
    options = {option for p in shown for option in p.opts if option.startswith("--")}
    assert sorted(option for option in options if option not in text) == []


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.replace(" ", "-")


def _links(page: Path) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        if not re.match(r"[a-z]+:", target):
            yield target


def _leads_nowhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return True
    return bool(anchor) and anchor not in map(_anchor, HEADING.findall(target.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert [link for link in _links(page) if _leads_nowhere(page, link)] == []


def test_every_page_can_be_reached_from_the_map() -> None:
    known = {(DOCS / link.partition("#")[0]).resolve() for link in _links(DOCS / "whats-here.md")}
    pages = set(DOCS.rglob("*.md")) - {DOCS / "whats-here.md"}
    assert sorted(_name(page) for page in pages - known) == []


def test_every_layer_has_its_section() -> None:
    headings = HEADING.findall((DOCS / "explanation" / "layers.md").read_text())
    layers = [p.name for p in (SOURCE / "layers").iterdir() if (p / "__init__.py").exists()]
    assert sorted(set(layers) - set(headings)) == []


def test_the_readme_is_short() -> None:
    assert len((TREE / "README.md").read_text().splitlines()) < 120


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"])
def test_the_file_exists(name: str) -> None:
    assert (TREE / name).is_file()


def test_the_licence_is_the_declared_one() -> None:
    assert "Apache License" in (TREE / "LICENSE").read_text()
    assert 'license = "Apache-2.0"' in (TREE / "pyproject.toml").read_text()
