"""Power switches that misbehave, in whole drills: what they lose, and what they must not."""

from __future__ import annotations

import pytest

from sanglier.drill.power import Manner
from sanglier.drill.result import Verdict
from sanglier.drill.schedule import parse

from .simulated import jumping
from .world import World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


@pytest.mark.parametrize(
    "word", ["switch-slow", "switch-late", "switch-dead", "link-cut-switches-slow"]
)
def test_a_switch_that_takes_its_time_is_no_harm(world: World, word: str) -> None:
    run = play(world, parse(word), patience_s=300)
    assert set(verdicts(run).values()) == {VALID}, run.checks
    assert set(world.manners.values()) <= {Manner.HONEST}


def test_while_nobody_can_confirm_a_death_nothing_opens(world: World) -> None:
    run = play(world, parse("switch-dead"), patience_s=300)
    killed_s = next(moment.at_s for moment in run.moments if moment.text == "switch-dead")
    later = [span for span in run.open_spans if span.from_s > killed_s]
    assert later
    assert all(span.from_s >= killed_s + 30 for span in later)


def test_a_lie_about_a_silent_server_ends_invalid(world: World) -> None:
    """It wakes up open, in the same boot, after the other one has opened."""
    run = play(world, parse("switch-lies"), patience_s=60)
    assert verdicts(run)["faults"] is not INVALID
    assert verdicts(run)["both-open"] is INVALID, check_of(run, "both-open")
    assert not world.fences


def test_a_lie_about_a_server_that_resets_itself_at_once_does_not_pass_either(
    world: World,
) -> None:
    """Then nobody has seen it open again; but nobody has seen it shut before the other opened."""

    def wake_and_die() -> None:
        world.open_too.clear()
        world.servers["disk-a"].boot += 1
        world.servers["disk-a"].since = world.loop.now

    world.loop.call_later(64.9, wake_and_die)
    run = play(world, parse("switch-lies"), patience_s=60)
    assert verdicts(run)["both-open"] is UNKNOWN, check_of(run, "both-open")


def test_a_lie_that_nobody_believes_is_no_harm(world: World) -> None:
    run = play(world, parse("link-cut-switch-lies"), patience_s=300)
    assert set(verdicts(run).values()) == {VALID}, run.checks


def test_a_manner_that_was_not_taken_on_is_a_doubt(world: World) -> None:
    async def unmoved(*_: object) -> None:
        return

    world.behave = unmoved  # type: ignore[method-assign, assignment]
    assert verdicts(play(world, parse("switch-slow"), patience_s=300))["faults"] is UNKNOWN
