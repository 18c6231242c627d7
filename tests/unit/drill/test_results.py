"""Whatever hangs, breaks or dies around a drill: a result comes out, and it is not VALID."""

from __future__ import annotations

import asyncio

import pytest

from sanglier.core.errors import SanglierError
from sanglier.drill import inspect, recorder, settle, watch
from sanglier.drill.result import Verdict
from sanglier.drill.schedule import parse

from .simulated import jumping
from .voices import key
from .world import World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN
READER, DROP = "toy reader", key(recorder._DROP)


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


@pytest.mark.parametrize("text", [READER, DROP])
def test_a_read_back_that_hangs_is_unknown_and_told(world: World, text: str) -> None:
    """As on 2026-11-26: srv-a stopped answering, and the campaign ended in a TimeoutError."""
    world.hangs = lambda host, asked: (host, asked) == ("srv-a", text)
    run = play(world, parse("witness-killed+10"))
    found = check_of(run, "toy")
    assert found.verdict is UNKNOWN
    assert "srv-a" in found.summary
    assert "240 s" in found.summary
    assert verdicts(run)["fences"] is VALID
    assert verdicts(run)["healed"] is VALID


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        OSError(24, "Too many open files"),
        SanglierError(code="SG-SSH-001", subject="srv-b", what="ssh does not get through"),
        RuntimeError("not thought of"),
    ],
)
@pytest.mark.parametrize("text", [READER, DROP])
def test_a_read_back_that_breaks_on_one_server_hides_no_other(
    world: World, text: str, error: Exception
) -> None:
    world.breaks = lambda host, asked: error if (host, asked) == ("srv-b", text) else None
    run = play(world)
    assert check_of(run, "toy").verdict is UNKNOWN
    assert "srv-b" in check_of(run, "toy").summary
    assert ("srv-a", READER) in {(host, text) for host, text, _ in world.told}


def test_a_read_back_from_a_cache_that_could_not_be_dropped_proves_nothing(world: World) -> None:
    world.answers[DROP] = lambda host, *_: (int(host == "srv-a"), "read-only file system")
    found = check_of(play(world), "toy")
    assert found.verdict is UNKNOWN
    assert "srv-a" in found.summary


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (inspect.FSCK, "fsck"),
        (inspect.DIGEST, "legs"),
        (inspect.VERIFY, "divergent"),
        (inspect.PROC, "divergent"),
        (inspect.UNMOUNT, "fsck"),
    ],
)
@pytest.mark.parametrize("how", ["hangs", "breaks"])
def test_a_look_at_the_end_that_hangs_or_breaks_is_unknown(
    world: World, text: str, name: str, how: str
) -> None:
    if how == "hangs":
        world.hangs = lambda _, asked: asked == key(text)
    else:
        world.breaks = lambda _, asked: TimeoutError() if asked == key(text) else None
    run = play(world)
    assert verdicts(run)[name] is UNKNOWN
    assert verdicts(run)["toy"] is VALID
    assert verdicts(run)["healed"] is VALID
    mounts = [host for host, asked, _ in world.told if asked == key(inspect.MOUNT)]
    assert sorted(mounts) == ["srv-a", "srv-b"]


@pytest.mark.parametrize("text", [settle.MIRROR, settle.MOUNTED, watch.BOOT])
@pytest.mark.parametrize("error", [TimeoutError(), RuntimeError("not thought of")])
def test_what_breaks_while_it_settles_ends_the_drill_and_not_the_campaign(
    world: World, text: str, error: Exception
) -> None:
    began = world.loop.now
    world.breaks = lambda _, asked: (
        error if asked == key(text) and world.loop.now > began + 20 else None
    )
    run = play(world, parse("witness-killed+20"), patience_s=30)
    assert run.verdict is not VALID
    assert verdicts(run)["faults"] is UNKNOWN


def test_a_collection_that_breaks_is_unknown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gathered(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(settle, "gather", gathered)
    found = check_of(play(world), "healed")
    assert found.verdict is UNKNOWN
    assert "TimeoutError" in found.summary


def test_a_log_of_power_switches_that_cannot_be_read_is_unknown(world: World) -> None:
    async def unread() -> tuple[()]:
        raise OSError(5, "Input/output error")

    world.fenced = unread  # type: ignore[method-assign]
    assert verdicts(play(world))["fences"] is UNKNOWN


async def hang(*_: object) -> None:
    await asyncio.sleep(10**9)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("fenced", "open-killed+30"),
        ("kill", "open-killed+30"),
        ("dead", "open-killed+30"),
        ("start", "witness-killed+10"),
    ],
)
def test_power_that_hangs_is_a_result_too(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, word: str
) -> None:
    monkeypatch.setattr(world, name, hang)
    run = play(world, parse(word), patience_s=60)
    assert run.verdict is not VALID


def test_a_drill_that_cannot_begin_says_so_and_judges_nothing(world: World) -> None:
    world.sick = True
    run = play(world, parse("open-killed+30"))
    assert verdicts(run) == {"faults": UNKNOWN}
    assert "no drill can begin" in check_of(run, "faults").summary


def test_a_host_that_hangs_from_before_is_brought_back(world: World) -> None:
    """Its kernel is idle and answers nothing: only its power helps."""
    world.hangs = lambda host, _: host == "srv-a" and world.servers["srv-a"].boot == 1
    run = play(world, parse("witness-killed+10"))
    assert run.verdict is VALID, run.checks
    assert [(m.at_s, m.host) for m in run.moments if "switched off and on" in m.text] == [
        (0.0, "srv-a")
    ]


def test_without_power_nobody_is_brought_back(world: World) -> None:
    world.hangs = lambda host, _: host == "srv-a"
    assert verdicts(play(world, power=False)) == {"faults": UNKNOWN}
    assert world.servers["srv-a"].on
