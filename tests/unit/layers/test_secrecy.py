"""No secret is in a plan, a probe, a recording, or the text of a value."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sanglier.core.secret import MASK
from sanglier.core.shell import render
from sanglier.core.step import Step
from sanglier.layers.stack import LAYERS

from .goal import FIXTURES, GOAL, HOSTS, SECRETS, TESTS
from .recordings import NAMES, facts_of
from .simulate import applying, destroying

WORDS = [secret.reveal() for secret in SECRETS.all]


def assert_no_secret(text: str) -> None:
    assert not [word for word in WORDS if word in text]


def steps_of(case: str) -> Iterator[Step]:
    yield from applying(GOAL, facts_of(case)).steps
    yield from destroying(GOAL, facts_of(case)).steps


@pytest.mark.parametrize("case", NAMES)
def test_no_secret_in_what_is_shown_of_a_plan(case: str) -> None:
    for step in steps_of(case):
        assert_no_secret("\n".join(render(action, reveal=False) for action in step.actions))
        assert_no_secret("\n".join((step.summary, step.reason, *step.detail, str(step.address))))


@pytest.mark.parametrize("case", NAMES)
def test_no_secret_in_the_text_of_values(case: str) -> None:
    assert_no_secret(repr(GOAL) + str(GOAL))
    assert_no_secret(repr(applying(GOAL, facts_of(case))))
    assert_no_secret(repr(facts_of(case)))


def test_the_plan_from_blank_does_carry_every_secret() -> None:
    """Else the tests above would prove nothing."""
    shown = "\n".join(
        render(action, reveal=True) for step in steps_of("blank") for action in step.actions
    )
    masked = "\n".join(
        render(action, reveal=False) for step in steps_of("blank") for action in step.actions
    )
    assert [word for word in WORDS if word in shown] == WORDS
    assert MASK in masked


@pytest.mark.parametrize("host", HOSTS)
def test_no_secret_in_a_probe(host: str) -> None:
    for layer in LAYERS:
        for probe in layer.probes(GOAL, host):
            assert_no_secret(render(probe.script, reveal=True))


def test_no_secret_in_problems_and_status() -> None:
    for case in NAMES:
        facts = facts_of(case)
        assert_no_secret("\n".join(map(str, applying(GOAL, facts).problems)))
        assert_no_secret("\n".join(line.text for x in LAYERS for line in x.status(GOAL, facts)))


def test_no_host_ever_told_a_secret() -> None:
    for place in (FIXTURES, TESTS / "golden"):
        for path in place.rglob("*.*"):
            assert_no_secret(path.read_text())
