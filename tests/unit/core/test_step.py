"""The fingerprint of a step: what was consented to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.action import RemoveFile, WriteFile
from sanglier.core.secret import Secret
from sanglier.core.step import Mark, Risk, Step

from .toy import address, climb, step


def test_the_fingerprint_depends_on_nothing_but_what_is_done_where() -> None:
    same = replace(
        step(), reason="other", effect=climb("h", 99), detail=("- a", "+ b"), limit=5, phase=3
    )
    assert same.fingerprint == step().fingerprint


@pytest.mark.parametrize(
    "other",
    [
        replace(step(), address=address(host="g")),
        replace(step(), summary="fall"),
        replace(step(), risk=Risk.DISRUPTIVE),
        replace(step(), actions=(RemoveFile(path="/x"),)),
        replace(step(), actions=()),
    ],
    ids=["host", "summary", "risk", "command", "nothing"],
)
def test_the_fingerprint_differs_with(other: Step) -> None:
    assert other.fingerprint != step().fingerprint


def test_the_fingerprint_is_the_same_for_a_file_that_a_package_brought_meanwhile() -> None:
    assert replace(step(), mark=Mark.CREATE).fingerprint == step().fingerprint


def test_the_fingerprint_knows_secrets_and_tells_none() -> None:
    def writing(secret: str) -> Step:
        return replace(step(), actions=(WriteFile(path="/x", content=Secret(secret)),))

    assert writing("one").fingerprint != writing("two").fingerprint
    assert "one" not in writing("one").fingerprint
    assert "FAKE" not in repr(writing("FAKE"))


def test_words_that_run_together_do_not_give_one_fingerprint() -> None:
    a = replace(step(), summary="ab", actions=())
    b = replace(step(), summary="a", actions=())
    assert a.fingerprint != b.fingerprint


def test_addresses_sort_and_read_as_paths() -> None:
    assert str(address("disk-a", "drbd", "data")) == "disk-a/drbd/data"
    assert address("a") < address("b")
