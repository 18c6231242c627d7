"""Whole or not, healed or not: each condition counts."""

from __future__ import annotations

import pytest
from layers.recordings import facts_of

from sanglier.core.facts import Facts
from sanglier.drill import settle
from sanglier.drill.result import Check, Verdict
from sanglier.drill.settle import WHOLE, Lacking, check_healed
from sanglier.layers.stack import LAYERS

from .simulated import jumping
from .voices import key
from .world import World, scene_of


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


@pytest.mark.parametrize(
    ("text", "host", "words"),
    [
        (settle.MIRROR, "disk-a", "the mirror on disk-a"),
        (settle.MIRROR, "disk-b", "the mirror on disk-b"),
        (settle.DECIDED, "disk-a", "the open side, or a fence device"),
        (settle.MOUNTED, "srv-a", "the mount or the paths on srv-a"),
        (settle.MOUNTED, "srv-b", "the mount or the paths on srv-b"),
    ],
)
def test_a_cluster_is_not_whole_while_one_condition_fails(
    world: World, text: str, host: str, words: str
) -> None:
    world.answers[key(text)] = lambda asked, *_: (int(asked == host), "")
    scene, began = scene_of(world), world.loop.now
    assert world.loop.run(settle.settle(scene, 60)) == Lacking(words=words)
    assert world.loop.now - began > 60


def test_a_host_that_does_not_answer_is_not_whole(world: World) -> None:
    world.servers["srv-b"].frozen = True
    for text in (settle.MIRROR, settle.DECIDED, settle.MOUNTED):
        world.answers[key(text)] = lambda *_: (0, "")
    found = world.loop.run(settle.settle(scene_of(world), 10))
    assert "srv-b" in found.words
    assert found.unheard


def test_it_waits_until_the_cluster_is_whole_and_no_longer(world: World) -> None:
    world.healthy_at = world.loop.now + 30
    assert world.loop.run(settle.settle(scene_of(world), 60)) == WHOLE
    assert 30 <= world.loop.now - 1000 < 35


def healed(
    patch: pytest.MonkeyPatch, world: World, facts: Facts, lacking: Lacking = WHOLE
) -> Check:
    async def gathered(*_: object, **__: object) -> Facts:
        return facts

    patch.setattr(settle, "gather", gathered)
    return world.loop.run(check_healed(scene_of(world), LAYERS, lacking))


def test_a_cluster_that_is_as_declared_is_healed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert healed(monkeypatch, world, facts_of("converged")).verdict is Verdict.VALID


@pytest.mark.parametrize(
    "case", ["disk-b-half-up", "node-in-standby", "mounted-with-other-options", "engine-stopped"]
)
def test_one_in_which_anything_is_left_to_do_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    found = healed(monkeypatch, world, facts_of(case))
    assert found.verdict is Verdict.INVALID
    assert found.details


def test_one_that_did_not_become_whole_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = healed(monkeypatch, world, facts_of("converged"), Lacking(words="the mirror on disk-b"))
    assert found.verdict is Verdict.INVALID
    assert "the mirror on disk-b" in found.summary


def test_one_of_which_that_is_not_known_is_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard = Lacking(words="the mirror on disk-b", unheard="OSError: too many open files")
    assert healed(monkeypatch, world, facts_of("converged"), unheard).verdict is Verdict.UNKNOWN


def test_what_a_host_says_goes_before_what_is_not_known(world: World) -> None:
    world.breaks = lambda host, _: OSError(24, "ours") if host == "disk-a" else None
    world.answers[key(settle.MOUNTED)] = lambda host, *_: (int(host == "srv-b"), "")
    found = world.loop.run(settle.settle(scene_of(world), 10))
    assert found == Lacking(words="the mount or the paths on srv-b")


def test_that_a_host_is_off_is_known(world: World) -> None:
    world.servers["srv-b"].on = False
    for text in (settle.MIRROR, settle.DECIDED, settle.MOUNTED):
        world.answers[key(text)] = lambda *_: (0, "")
    found = world.loop.run(settle.settle(scene_of(world), 10))
    assert found == Lacking(words="the mount or the paths on srv-b")
