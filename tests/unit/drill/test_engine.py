"""The engine, whole, on a pretended cluster and a fake clock: what it must notice, it notices."""

from __future__ import annotations

import pytest
from layers.goal import GOAL

from sanglier.drill import inspect
from sanglier.drill.faults import FAULTS
from sanglier.drill.faults.hosts import UPTIME
from sanglier.drill.judge import ALLOWANCE_S
from sanglier.drill.result import Verdict
from sanglier.drill.scene import Role
from sanglier.drill.schedule import parse
from sanglier.spec.predict import predict_one

from .simulated import jumping
from .voices import key
from .world import World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


def test_a_drill_in_which_all_is_well_is_valid(world: World) -> None:
    run = play(world, parse("open-killed+30"))
    assert set(verdicts(run).values()) == {VALID}, run.checks
    assert {"toy", "both-open", "fences", "stall", "went-on", "faults", "fsck", "legs", "divergent",
            "healed"} == set(verdicts(run))  # fmt: skip
    assert run.injections == 1


def test_the_watch_sees_which_side_is_open_and_casts_by_it(world: World) -> None:
    run = play(world, parse("open-killed+30"), parse("open-killed+30"))
    assert [span.host for span in run.open_spans] == ["disk-a", "disk-b", "disk-a"]
    killed = [m.host for m in run.moments if m.text == "open-killed"]
    assert killed == ["disk-a", "disk-b"]
    assert check_of(run, "both-open").numbers["samples"] > 100


def test_two_sides_that_are_open_are_seen(world: World) -> None:
    world.state_of = lambda host: "0"  # type: ignore[method-assign]
    assert verdicts(play(world, parse("planned-move+5")))["both-open"] is INVALID


@pytest.mark.parametrize("host", ["srv-a", "srv-b", "witness", "disk-a"])
def test_whoever_the_fault_does_not_allow_may_not_be_fenced(world: World, host: str) -> None:
    """Here: the link is cut, one of the two may die, and it is the standby."""
    world.loop.call_later(8, world.fence, host)
    run = play(world, parse("standby-killed+30"))
    assert verdicts(run)["fences"] is INVALID
    assert host in check_of(run, "fences").summary


@pytest.mark.parametrize("word", ["replication-cut+25", "standby-killed+30", "open-frozen-60+60"])
def test_whom_it_allows_may_be(world: World, word: str) -> None:
    run = play(world, parse(word), patience_s=300)
    assert world.fences
    assert verdicts(run)["fences"] is VALID, check_of(run, "fences")


def test_a_fault_that_does_not_take_is_a_doubt(world: World) -> None:
    world.dead_power = True
    run = play(world, parse("open-frozen-5+5"))
    assert verdicts(run)["faults"] is UNKNOWN
    assert "open-frozen-5 on disk-a did not take" in check_of(run, "faults").summary
    assert run.injections == 0


def test_a_fault_that_cannot_be_made_is_a_doubt(world: World) -> None:
    async def refuse(*_: object) -> None:
        raise OSError("no such switch")

    world.kill = refuse  # type: ignore[method-assign, assignment]
    run = play(world, parse("open-killed+5"))
    assert verdicts(run)["faults"] is UNKNOWN
    assert "could not be made: OSError: no such switch" in check_of(run, "faults").summary


def test_a_stall_that_is_longer_than_predicted_is_invalid(world: World) -> None:
    bound = predict_one(GOAL.cluster.timings, "open-server-dead").stall_s
    assert bound is not None
    world.takeover_s = bound + ALLOWANCE_S + 2
    run = play(world, parse(f"open-killed+{round(bound) + 20}"), patience_s=300)
    assert run.predicted_stall_s == bound
    assert verdicts(run)["stall"] is INVALID, check_of(run, "stall")


def test_two_faults_at_once_have_no_prediction(world: World) -> None:
    run = play(world, parse("open-killed+30&witness-killed+20"))
    assert run.predicted_stall_s is None


def test_what_does_not_become_whole_ends_the_drill(world: World) -> None:
    world.loop.call_later(8, setattr, world, "sick", True)
    run = play(world, parse("open-killed+30"), parse("open-killed+30"), patience_s=60)
    assert run.injections == 1
    assert verdicts(run)["healed"] is INVALID
    assert "not whole 60 s after the healing" in check_of(run, "faults").summary


def test_no_drill_begins_on_what_is_not_whole(world: World) -> None:
    world.sick = True
    run = play(world, parse("open-killed+30"))
    assert (run.injections, verdicts(run)["faults"]) == (0, UNKNOWN)
    assert "is not whole, so no drill can begin" in check_of(run, "faults").summary


DAMAGED = "[INODE_ALLOC_REPAIR] Inode 5 is wrong\nAll passes succeeded.\nstatus 0"


@pytest.mark.parametrize(
    ("text", "answer", "name", "verdict"),
    [
        (inspect.FSCK, (0, DAMAGED), "fsck", INVALID),
        (inspect.FSCK, (0, "fsck.ocfs2: I/O error\nstatus 8"), "fsck", UNKNOWN),
        (inspect.FSCK, (1, "gone"), "fsck", UNKNOWN),
        (inspect.UNMOUNT, (1, "busy"), "fsck", UNKNOWN),
        (inspect.UNMOUNT, (1, "busy"), "legs", UNKNOWN),
        (inspect.DIGEST, (1, "gone"), "legs", UNKNOWN),
        (inspect.VERIFY, (0, ""), "divergent", UNKNOWN),
        (inspect.VERIFY, (1, ""), "divergent", UNKNOWN),
    ],
)
def test_what_the_look_at_the_end_finds_counts(
    world: World, text: str, answer: tuple[int, str], name: str, verdict: Verdict
) -> None:
    world.answers[key(text)] = lambda *_: answer
    assert verdicts(play(world))[name] is verdict


def test_legs_that_differ_are_invalid(world: World) -> None:
    world.answers[key(inspect.DIGEST)] = lambda host, *_: (0, host)
    run = play(world)
    assert verdicts(run)["legs"] is INVALID
    mounts = [host for host, text, _ in world.told if text == key(inspect.MOUNT)]
    assert sorted(mounts) == ["srv-a", "srv-b"]


def test_an_application_server_that_reboots_itself_is_told_by_its_boot(world: World) -> None:
    def reset() -> None:
        world.servers["srv-b"].boot += 1

    world.loop.call_later(9, reset)
    run = play(world, parse("witness-killed+10"))
    assert verdicts(run)["fences"] is INVALID
    assert "srv-b" in check_of(run, "fences").summary


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_allows_more_fencing_than_it_names_servers(name: str) -> None:
    fault = FAULTS[name]
    if Role.ANY not in fault.fences and Role.APPLICATION not in fault.fences:
        assert fault.at_most <= max(1, len(fault.fences))
    assert fault.at_most <= len(GOAL.cluster.storage)


def test_a_blackout_is_whole_again_and_nobody_but_storage_may_be_fenced(world: World) -> None:
    run = play(world, parse("blackout+5"), patience_s=300)
    assert verdicts(run)["faults"] is VALID
    assert verdicts(run)["fences"] is VALID


@pytest.mark.parametrize(("caches", "notes"), [(None, 0), (0, 1), (17, 1)])
def test_what_a_disk_lost_with_its_power_is_on_the_timeline(
    world: World, caches: int | None, notes: int
) -> None:
    world.caches = caches
    run = play(world, parse("open-killed+30"), looks=False)
    told = [m.text for m in run.moments if "blocks that were not flushed" in m.text]
    assert told == [f"lost its power, and {caches} blocks that were not flushed"] * notes


def test_a_server_that_was_paused_is_waited_for_until_it_has_reset_itself(world: World) -> None:
    """It notices nothing before o2cb's patience has passed by its own clock."""

    def uptime(*_: str) -> tuple[int, str]:
        return 0, f"{9000 if world.loop.now < 1300 else world.loop.now - 1300}"

    world.answers[key(UPTIME)] = uptime
    run = play(world, parse("application-paused-beyond+150"), patience_s=300)
    (healed,) = (m.at_s for m in run.moments if m.text == "application-paused-beyond healed")
    assert 290 < healed < 330
