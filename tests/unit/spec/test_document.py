"""YAML to plain values: types, bombs, depth, duplicates."""

from __future__ import annotations

import pytest

from sanglier.spec.document import MAX_NODES, parse
from sanglier.spec.yamltree import MAX_DEPTH, Unreadable


def test_plain_scalars_follow_yaml_1_2() -> None:
    tree = parse(
        "a: on\nb: no\nc: 010\nd: 0o10\ne: 0x1F\nf: 1_000\ng: 12:30\nh: 2026-11-23\ni: true\n"
        "j: ~\nk:\nl: 1e3\nm: '5'\nn: \"null\"\no: .inf\np: -7\nq: 7c1f\n"
    ).tree
    assert tree == {
        "a": "on", "b": "no", "c": 10, "d": 8, "e": 31, "f": "1_000", "g": "12:30",
        "h": "2026-11-23", "i": True, "j": None, "k": None, "l": 1000.0, "m": "5", "n": "null",
        "o": ".inf", "p": -7, "q": "7c1f",
    }  # fmt: skip


def test_keys_are_text() -> None:
    assert parse("on: 1\n5: 2\ntrue: 3\n").tree == {"on": 1, "5": 2, "true": 3}


def test_huge_number_is_text() -> None:
    assert parse("a: " + "9" * 5000).tree == {"a": "9" * 5000}


def test_explicit_text_tag() -> None:
    assert parse("a: !!str 5").tree == {"a": "5"}


def test_places_of_keys_and_values() -> None:
    document = parse("a:\n  b: [x,\n      yy]\n")
    assert document.place(("a",), key=True).line == 1
    assert (document.place(("a", "b", 1)).line, document.place(("a", "b", 1)).column) == (3, 7)
    assert document.place(("a", "b", "missing", 3)) == document.place(("a", "b"), key=True)
    assert document.place(("a", "b", 1, "missing")) == document.place(("a", "b", 1))
    assert document.place(("nowhere",)) == document.place(())


def test_every_duplicate_is_found() -> None:
    document = parse("a: 1\na: 2\nb: {c: 1, c: 2, c: 3}\n")
    places = [(mark.line, mark.column) for _, _, mark in document.duplicates]
    assert sorted(places) == [(2, 1), (3, 11), (3, 17)]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{k}: &{k} [{','.join(['*' + p] * 9)}]\n"
            for p, k in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: &a {}\n"
        + "".join(
            f"{k}: &{k} {{<<: [{','.join(['*' + p] * 9)}]}}\n"
            for p, k in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: [" + "x," * (MAX_NODES + 1) + "]",
        "[" * 100_000,
        "{a: " * 50_000,
        "- " * 100_000,
    ],
)
@pytest.mark.timeout(60)
def test_bombs_cost_nothing(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(text)
    assert caught.value.code == "SG-SPEC-006"


def test_depth_of_aliases_does_not_matter_but_their_size_does() -> None:
    text = "a: &a {x: 1}\n" + "".join(
        f"b{n}: &{'ab'[n % 2] * (n + 1)} [{'*a' if n == 0 else '*' + 'ab'[(n - 1) % 2] * n}]\n"
        for n in range(5)
    )
    assert parse(text).tree["b0"] == [{"x": 1}]


def test_long_chain_of_aliases() -> None:
    lines = ["a0: &a0 {x: 1}"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 2000)]
    with pytest.raises(Unreadable) as caught:
        parse("\n".join(lines))
    assert caught.value.code == "SG-SPEC-006"


def test_an_alias_inside_its_own_anchor() -> None:
    with pytest.raises(Unreadable) as caught:
        parse("a: &a [*a]")
    assert "no anchor before it" in caught.value.what


def test_deepest_allowed() -> None:
    depth = MAX_DEPTH - 1
    parse("a: " + "[" * depth + "]" * depth)


def test_first_merge_wins_and_own_keys_win_over_it() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {y: 3, <<: [*a, *b]}\nd: {<<: *a, '<<': 5}\n"
    tree = parse(text).tree
    assert tree["c"] == {"y": 3, "x": 1, "z": 2}
    assert tree["d"] == {"<<": 5, "x": 1, "y": 1}
