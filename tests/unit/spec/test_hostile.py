"""Nothing in a cluster file can become shell text, an option or another path."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanglier.core.action import Run, Script, WriteFile
from sanglier.core.shell import render
from sanglier.spec.cluster import Cluster
from sanglier.spec.document import Document
from sanglier.spec.load import Checked, check_document, check_text

from .cluster_file import NAME, good_tree

Route = tuple[str | int, ...]

ATTACKS = (
    "$(touch CANARY)",
    "`touch CANARY`",
    "; touch CANARY",
    "x; touch CANARY #",
    "'; touch CANARY; '",
    '"; touch CANARY; "',
    "x\ntouch CANARY\n",
    "x\rtouch CANARY",
    "x && touch CANARY",
    "| touch CANARY",
    "> CANARY",
    "$IFS$9touch CANARY",
    "${PATH}",
    "%h",
    "-oProxyCommand=touch CANARY",
    "--help",
    "-x",
    "a\0b",
    "../../etc/passwd",
    "/dev/../etc/passwd",
    "..",
    "~root",
    "*",
    "a b",
    "\u2018x\u2019; touch CANARY",
    "\u201cdata\u201d",
    "iqn.2009\u201302.fr.x",
    "dаta",
    "\u202edata",
    "data\u200b",
    "d\u0661sk",
    "\uff0e\uff0e/x",
    "\x1b[2Jx",
    "x\\",
    "\\$(touch CANARY)",
    "!!python/object/apply:os.system [touch CANARY]",
    "{{ 7*7 }}",
    "data\n",
    "",
    " ",
)


def text_routes(value: object, route: Route = ()) -> Iterator[Route]:
    """Give the way to every text and number of a tree."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from text_routes(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from text_routes(item, (*route, index))
    else:
        yield route


def key_routes(value: object, route: Route = ()) -> Iterator[Route]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*route, key)
            yield from key_routes(item, (*route, key))


GOOD_TREE = good_tree()
TEXTS = sorted(text_routes(GOOD_TREE), key=str)
KEYS = sorted(key_routes(GOOD_TREE), key=str)
TWINS = (("disk-b",), ("srv-a",), ("mail",))
"""Servers and volumes that have the same keys as another one."""


def is_twin(route: Route) -> bool:
    """Tell whether another route stands for this one; no other has a list of fence levels."""
    return route[1:2] in TWINS and "fence" not in route


def with_value(route: Route, value: str) -> dict[str, Any]:
    """Give the good file with one value replaced."""
    tree = copy.deepcopy(GOOD_TREE)
    at: Any = tree
    for step in route[:-1]:
        at = at[step]
    at[route[-1]] = value
    return tree


def with_key(route: Route, key: str) -> dict[str, Any]:
    """Give the good file with one key renamed."""
    tree = copy.deepcopy(GOOD_TREE)
    at: Any = tree
    for step in route[:-1]:
        at = at[step]
    items = [(key if k == route[-1] else k, v) for k, v in at.items()]
    at.clear()
    at.update(items)
    return tree


def dump(value: object) -> str:
    """Write a tree as YAML in flow style, every unusual character as an escape."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{dump(key)}: {dump(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dump, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(map(_escaped, value)) + '"'
    return json.dumps(value)


def _escaped(character: str) -> str:
    plain = character.isascii() and character.isprintable() and character not in '"\\'
    return character if plain else f"\\U{ord(character):08x}"


def check_tree(tree: dict[str, Any]) -> Checked:
    """Check a tree as if it had been read, whatever YAML would think of its characters."""
    return check_document(Document(tree=tree), NAME)


def all_texts(value: object) -> Iterator[str]:
    """Give every text that a layer can read from a cluster, derived ones too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from all_texts(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from all_texts(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from all_texts(getattr(value, field.name))


def derived(cluster: Cluster) -> Iterator[str]:
    yield from (cluster.initiator_iqn(server) for server in cluster.applications)
    for volume in cluster.volumes:
        yield from (volume.wwid, volume.drbd_device, volume.alias, volume.map_device)
        yield from (cluster.target_iqn(volume, server) for server in cluster.storage)


def shell_sees(values: tuple[str, ...], directory: Path) -> list[list[bytes]]:
    """Pass values through each kind of action and a real sh; give what came out."""
    results = []
    actions = (
        Run(argv=("printf", r"%s\0", *values)),
        Script(text=r"""printf '%s\0' "$@" """, args=values),
    )
    for action in actions:
        script = render(action, reveal=True).encode()
        done = subprocess.run(["sh"], input=script, capture_output=True, cwd=directory, check=True)
        assert done.stderr == b""
        results.append(done.stdout.split(b"\0")[:-1])
    written = directory / "written"
    write = WriteFile(path=str(written), content="\n".join(values))
    subprocess.run(["sh"], input=render(write, reveal=True).encode(), cwd=directory, check=True)
    assert written.read_bytes() == "\n".join(values).encode()
    written.unlink()
    return results


def refused_or_harmless(checked: Checked, directory: Path) -> bool:
    """Check the law of this file for one file; true when it was accepted."""
    for found in (*checked.mistakes, *checked.warnings):
        assert str(found).replace("\n", "").isprintable()
    if checked.cluster is None:
        assert checked.mistakes
        return False
    values = tuple(dict.fromkeys((*all_texts(checked.cluster), *derived(checked.cluster))))
    expected = [value.encode() for value in values]
    for seen in shell_sees(values, directory):
        assert seen == expected
    assert list(directory.iterdir()) == []
    return True


@pytest.mark.parametrize(
    "route", [r for r in TEXTS if not is_twin(r)], ids=lambda route: ".".join(map(str, route))
)
def test_attack_in_a_value_is_refused_or_harmless(route: Route, tmp_path: Path) -> None:
    """Only a path of this machine may hold what a shell reads.

    Everything that a layer writes into a configuration file is of a plain alphabet.
    """
    accepted = [
        attack
        for attack in ATTACKS
        if refused_or_harmless(check_tree(with_value(route, attack)), tmp_path)
    ]
    assert route == ("secrets",) or accepted == []


@pytest.mark.parametrize(
    "route", [r for r in KEYS if not is_twin(r)], ids=lambda route: ".".join(map(str, route))
)
def test_attack_in_a_key_is_refused(route: Route) -> None:
    for attack in ATTACKS:
        assert check_tree(with_key(route, attack)).cluster is None, attack


hostile_text = st.lists(
    st.sampled_from(ATTACKS) | st.text(max_size=5) | st.sampled_from(list("-/._:@$`'\"\\\n ")),
    max_size=4,
).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(route=st.sampled_from(TEXTS), text=hostile_text)
def test_any_text_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, route: Route, text: str
) -> None:
    checked = check_text(dump(with_value(route, text)), NAME)
    refused_or_harmless(checked, tmp_path_factory.mktemp("canary"))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    route=st.sampled_from([r for r in TEXTS if r[-1] in ("ssh", "mount", "label", "secrets")]),
    text=st.from_regex(r"\A[ -~]{1,12}\Z"),
)
def test_printable_text_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, route: Route, text: str
) -> None:
    checked = check_text(dump(with_value(route, text)), NAME)
    refused_or_harmless(checked, tmp_path_factory.mktemp("canary"))
