"""One side opens after the other was shut, and that is seen: defects are planted in a drill."""

from __future__ import annotations

import pytest

from sanglier.drill.checkers.fences import PowerEvent
from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import parse

from .simulated import jumping
from .world import World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


def quietly(world: World) -> DrillRun:
    """Play a drill in which nothing happens by itself."""
    return play(world, parse("witness-killed+60"), looks=False)


def both_open(run: DrillRun) -> tuple[Verdict, str]:
    found = check_of(run, "both-open")
    return found.verdict, found.summary


def unseen_then_the_other_opens(world: World) -> None:
    """disk-a is not seen from 10 s on, and disk-b opens at 12 s."""
    world.loop.call_later(10, world.unseen.add, "disk-a")
    world.loop.call_later(12, world.open_too.add, "disk-b")


def test_a_side_that_opens_before_the_other_is_dead_is_invalid(world: World) -> None:
    unseen_then_the_other_opens(world)
    world.loop.call_later(30, setattr, world, "opened", "disk-b")
    world.loop.call_later(30, world.fence, "disk-a")
    world.loop.call_later(30, world.unseen.clear)
    verdict, words = both_open(quietly(world))
    assert verdict is INVALID, words
    assert "disk-a" in words


def test_one_that_opens_while_nobody_knows_of_the_other_is_unknown(world: World) -> None:
    """disk-a may have been shut in between, and then disk-b is rightly open."""
    unseen_then_the_other_opens(world)
    world.loop.call_later(14, setattr, world, "opened", "disk-b")
    world.loop.call_later(20, world.unseen.clear)
    verdict, words = both_open(quietly(world))
    assert verdict is UNKNOWN, words
    assert "disk-a was not seen shut" in words


def test_one_that_was_open_before_and_after_in_the_same_boot_is_invalid(world: World) -> None:
    unseen_then_the_other_opens(world)
    world.loop.call_later(14, world.open_too.clear)
    world.loop.call_later(14.3, world.unseen.clear)
    world.loop.call_later(12.6, world.unseen.add, "disk-b")
    verdict, words = both_open(quietly(world))
    assert verdict is INVALID, words


def test_an_hour_between_the_clocks_of_the_hosts_hides_nothing(world: World) -> None:
    world.skew_s["disk-b"] = 3600.0
    world.loop.call_later(12, world.open_too.add, "disk-b")
    world.loop.call_later(20, world.open_too.clear)
    assert both_open(quietly(world))[0] is INVALID


def test_an_hour_between_the_clocks_of_the_hosts_accuses_nobody(world: World) -> None:
    world.skew_s |= {"disk-a": 3600.0, "disk-b": 7200.0}
    run = play(world, parse("open-killed+30"))
    assert both_open(run)[0] is VALID, both_open(run)
    assert [span.host for span in run.open_spans] == ["disk-a", "disk-b"]


def test_a_kill_that_was_only_ordered_is_none(world: World) -> None:
    """The power does nothing and says that it did; then the other side opens."""
    world.immortal = {"disk-a"}
    world.loop.call_later(10, world.unseen.add, "disk-a")
    world.loop.call_later(16, world.open_too.add, "disk-b")
    run = play(world, parse("open-killed+30"), looks=False)
    assert both_open(run)[0] is not VALID


@pytest.mark.parametrize("word", ["open-killed+30", "open-frozen-60+60"])
def test_what_opens_after_a_kill_is_valid_and_the_kill_is_told(world: World, word: str) -> None:
    run = play(world, parse(word), patience_s=300)
    assert verdicts(run)["both-open"] is VALID, check_of(run, "both-open")
    assert check_of(run, "both-open").numbers["handovers"] == 1
    assert any("disk-a was switched off" in one for one in check_of(run, "both-open").details)


def lie(world: World, host: str) -> None:
    """A power switch notes that it switched a host off, answers so, and does nothing."""
    world.fences.append(PowerEvent(host=host, at_s=world.loop.epoch, action="off"))
    world.opened = "disk-b"


def test_a_switch_that_lies_is_found_when_its_victim_wakes_up_open(world: World) -> None:
    world.takeover_s = 10_000
    world.loop.call_later(10, lie, world, "disk-a")
    world.loop.call_later(10, world.open_too.add, "disk-a")
    run = play(world, parse("open-frozen-20+20"), patience_s=60, looks=False)
    assert both_open(run)[0] is INVALID, both_open(run)


def test_one_that_wakes_up_shut_in_the_same_boot_was_not_killed(world: World) -> None:
    """It shut itself the moment it woke; that it was open until then, nobody can exclude."""
    world.takeover_s = 10_000
    world.loop.call_later(10, lie, world, "disk-a")
    run = play(world, parse("open-frozen-20+20"), patience_s=60, looks=False)
    assert both_open(run)[0] is UNKNOWN, both_open(run)
