"""Who may be fenced: for each group of faults, and as long as it lasts; planted in whole drills."""

from __future__ import annotations

import pytest

from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import parse

from .simulated import jumping
from .world import World, check_of, play

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


def fences(run: DrillRun) -> tuple[Verdict, str]:
    found = check_of(run, "fences")
    return found.verdict, found.summary


def test_a_permission_ends_when_the_cluster_is_whole_again(world: World) -> None:
    """The open server may be fenced for the first fault, and not ten minutes later."""
    world.loop.call_later(600, world.fence, "disk-a")
    run = play(world, parse("open-killed+30"), parse("witness-killed+700"), looks=False)
    verdict, words = fences(run)
    assert verdict is INVALID, words
    assert "disk-a" in words


def test_a_permission_begins_with_its_fault(world: World) -> None:
    world.loop.call_later(30, world.fence, "disk-b")
    run = play(world, parse("witness-killed+60"), parse("standby-killed+30"), looks=False)
    assert fences(run)[0] is INVALID, fences(run)


def test_nobody_may_be_fenced_when_all_is_over(world: World) -> None:
    """Between the last healing and the end of the drill, and while it is read back."""

    def fencing(*_: str) -> tuple[int, str]:
        world.fence("disk-b")
        return 0, "end"

    world.answers["toy reader"] = fencing
    run = play(world, parse("standby-killed+30"), looks=False)
    assert fences(run)[0] is INVALID, fences(run)


@pytest.mark.parametrize(
    ("word", "survivor"),
    [
        ("open-frozen-5+5", "disk-b"),
        ("open-frozen-20+20", "disk-b"),
        ("open-frozen-60+60", "disk-b"),
        ("standby-frozen-20+20", "disk-a"),
    ],
)
def test_who_freezes_may_be_fenced_and_the_survivor_may_not(
    world: World, word: str, survivor: str
) -> None:
    world.takeover_s = 500
    world.loop.call_later(9, world.fence, survivor)
    verdict, words = fences(play(world, parse(word), patience_s=300))
    assert verdict is INVALID, words
    assert survivor in words


def test_each_group_has_its_own_count(world: World) -> None:
    """One may die of each of two cuts; of one cut two may not, whatever the other one left over."""
    world.loop.call_later(7, world.fence, "disk-a")
    world.loop.call_later(8, world.fence, "disk-b")
    word = "any-killed:0+5&any-killed:1+5"
    run = play(world, parse("replication-cut+25"), parse(word), patience_s=300, looks=False)
    assert fences(run)[0] is INVALID, fences(run)


def test_each_of_two_groups_may_kill_its_own(world: World) -> None:
    run = play(world, parse("open-frozen-60+60"), parse("open-frozen-60+60"), patience_s=300)
    assert [event.host for event in world.fences] == ["disk-a", "disk-b"]
    assert fences(run)[0] is VALID, fences(run)


def test_a_clock_of_ours_that_is_stepped_makes_it_unknown(world: World) -> None:
    """The power switches log by the wall clock of the machine that drives the drill."""

    def step() -> None:
        world.loop.stepped_s = 3600.0

    world.loop.call_later(20, step)
    run = play(world, parse("standby-killed+30"), looks=False)
    assert fences(run)[0] is UNKNOWN, fences(run)


def test_a_reset_of_itself_counts_in_the_group_in_which_it_was_noticed(world: World) -> None:
    def reset() -> None:
        world.servers["srv-b"].boot += 1

    world.loop.call_later(80, reset)
    run = play(
        world, parse("application-cut+100"), parse("witness-killed+10"), patience_s=300,
        looks=False,
    )  # fmt: skip
    assert fences(run)[0] is VALID, fences(run)
