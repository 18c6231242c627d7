"""Whatever the text, the answer is a cluster or mistakes, and always the same."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanglier.spec.draft import make_draft
from sanglier.spec.load import Checked
from sanglier.spec.rules import check_rules
from sanglier.spec.structure import check_structure

from .cluster_file import GOOD, check
from .test_hostile import GOOD_TREE, KEYS, TEXTS, Route, dump

WORDS = [
    "cluster", "iqn", "timings", "secrets", "storage", "applications", "witness", "volumes", "ssh",
    "hostname", "replication", "san", "fence", "agent", "interconnect", "node", "on", "prefer",
    "filesystem", "label", "mount", "for", "size", "slots", "minor", "port", "serial", "disk-a",
    "disk-b", "srv-a", "data", "10.77.2.11", "fd00::1", "/dev/vdb", "/data", "safe", "ocfs2", "",
    "access", "guarded", "article", "management", "address", "no_password",
]  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(st.characters(codec="utf-8"), max_size=20)
)
keys = st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=8)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6),
    max_leaves=30,
)
MARKS = [
    ": ", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<", "? ", "| ", ">\n",
    "'", '"', "#", "!", "!!str ", "---\n", "...\n", "%YAML 1.1\n", "\t", "\\", "@", "`", "~", "0x",
    "\r", "\u2028", "\ufeff", "\x85",
]  # fmt: skip
yaml_soup = st.lists(st.sampled_from([*WORDS, *MARKS]) | st.text(max_size=3), max_size=40).map(
    "".join
)


def sane(checked: Checked) -> None:
    assert (checked.cluster is None) == bool(checked.mistakes)
    for found in (*checked.mistakes, *checked.warnings):
        assert found.line >= 1
        assert found.column >= 1
        assert found.what
        assert found.fix
        str(found).encode()
    assert list(checked.mistakes) == sorted(checked.mistakes, key=lambda m: (m.line, m.column))


@settings(max_examples=150)
@given(yaml_soup)
def test_any_text_gives_mistakes_only(text: str) -> None:
    sane(check(text))


@settings(max_examples=70)
@given(st.dictionaries(keys, trees, max_size=8))
def test_any_mapping_gives_mistakes_only(tree: dict[str, Any]) -> None:
    found = [f for _, f in check_structure(tree)] + [f for _, f in check_rules(make_draft(tree))]
    assert all(isinstance(f.path, tuple) and f.what and f.fix for f in found)
    sane(check(dump(tree)))


@settings(max_examples=70, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(KEYS + TEXTS), trees), min_size=1, max_size=4))
def test_any_part_of_a_good_file_can_be_anything(changes: list[tuple[Route, Any]]) -> None:
    tree = copy.deepcopy(GOOD_TREE)
    for route, value in changes:
        at: Any = tree
        for step in route[:-1]:
            at = at[step] if isinstance(at, dict) and step in at else {}
        if isinstance(at, dict):
            at[route[-1]] = value
    sane(check(dump(tree)))


@settings(max_examples=150)
@given(st.integers(0, len(GOOD)), st.integers(0, 40), st.text(max_size=6))
def test_any_cut_of_a_good_file(start: int, length: int, put: str) -> None:
    text = GOOD[:start] + put + GOOD[start + length :]
    sane(check(text))
    assert check(text) == check(text)
