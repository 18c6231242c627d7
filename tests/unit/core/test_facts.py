"""Facts are kept by host and class, and never change."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sanglier.core.facts import Facts
from sanglier.core.problem import Severity

from .toy import Height, problem


@dataclass(frozen=True)
class Colour:
    name: str


FACTS = Facts().with_("a", Height(metres=1)).with_("a", Colour("red")).with_("b", Height(metres=2))


def test_facts_come_back_by_class() -> None:
    assert FACTS.of("a", Height) == Height(metres=1)
    assert FACTS.of("a", Colour) == Colour("red")
    assert FACTS.of("b", Height).metres == 2


def test_what_was_not_read_is_told_apart_and_raises() -> None:
    assert FACTS.has("a", Colour)
    assert not FACTS.has("b", Colour)
    with pytest.raises(KeyError):
        FACTS.of("b", Colour)


def test_with_replaces_in_a_copy() -> None:
    newer = FACTS.with_("a", Height(metres=9))
    assert newer.of("a", Height).metres == 9
    assert FACTS.of("a", Height).metres == 1
    assert newer.of("b", Height) == FACTS.of("b", Height)


def test_merge_takes_the_newer_and_keeps_the_rest() -> None:
    lost = problem(Severity.BLOCKER)
    newer = Facts(unreachable={"c": lost}).with_("b", Height(metres=7))
    both = FACTS.merge(newer)
    assert both.of("b", Height).metres == 7
    assert both.of("a", Colour) == Colour("red")
    assert both.unreachable == {"c": lost}


def test_with_keeps_who_was_unreachable() -> None:
    lost = problem(Severity.BLOCKER)
    assert Facts(unreachable={"c": lost}).with_("a", Colour("red")).unreachable == {"c": lost}
