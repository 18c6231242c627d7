"""Two volumes, open on different sides: both are loaded, watched and judged, each by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from layers.goal import GOAL, VOLUME

from sanglier.drill import inspect, settle
from sanglier.drill.judge import EITHER_SIDE, predicted_s
from sanglier.drill.recorder import load_kept
from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import parse
from sanglier.drill.workloads import LEAST_LOAD, all_workloads
from sanglier.drill.workloads.retired import Retired
from sanglier.spec.predict import predict_one

from .simulated import jumping
from .voices import key
from .world import PROC, World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN
MAIL = replace(
    VOLUME, name="mail", minor=1, port=VOLUME.port + 1, mount="/mail", prefer="disk-b",
    serial="f" * 32, devices={"disk-a": "/dev/mapper/disk2", "disk-b": "/dev/mapper/disk2"},
)  # fmt: skip


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(jumping(monkeypatch), more=(MAIL,), opened_more={"mail": "disk-b"})
    world.answers[key(inspect.PROC)] = lambda *_: (0, PROC + PROC.replace(" 0:", " 1:"))
    return world


def of(run: DrillRun, name: str) -> dict[str, Verdict]:
    return {check.subject: check.verdict for check in run.checks if check.name == name}


def test_each_volume_has_its_own_checks_and_its_own_open_side(world: World) -> None:
    run = play(world, parse("open-killed+30"))
    assert set(verdicts(run).values()) == {VALID}, run.checks
    assert of(run, "toy") == {"toy on data": VALID, "toy on mail": VALID}
    for name in ("both-open", "fsck", "legs", "divergent"):
        assert of(run, name) == {"data": VALID, "mail": VALID}, name
    for name in ("stall", "went-on"):
        assert set(of(run, name)) == {"application servers on data", "application servers on mail"}
    hosts = {v: [s.host for s in run.open_spans if s.volume == v] for v in ("data", "mail")}
    assert hosts == {"data": ["disk-a", "disk-b"], "mail": ["disk-b"]}


def test_the_faults_are_aimed_at_the_first_one_and_move_the_other_too(world: World) -> None:
    run = play(world, parse("open-killed+30"), parse("open-killed+30"))
    assert [m.host for m in run.moments if m.text == "open-killed"] == ["disk-a", "disk-b"]
    hosts = {v: [s.host for s in run.open_spans if s.volume == v] for v in ("data", "mail")}
    assert hosts == {"data": ["disk-a", "disk-b", "disk-a"], "mail": ["disk-b", "disk-a"]}
    assert set(verdicts(run).values()) == {VALID}, run.checks


def test_a_volume_that_stands_still_is_noticed_while_the_other_one_goes_on(world: World) -> None:
    """Together they never fell silent."""
    world.loop.call_later(20, world.opened_more.__setitem__, "mail", "nobody")
    run = play(world, parse("witness-killed+60"), looks=False)
    assert of(run, "stall") == {
        "application servers on data": VALID, "application servers on mail": INVALID,
    }  # fmt: skip
    assert of(run, "went-on")["application servers on mail"] is INVALID


def test_a_second_volume_open_on_both_sides_is_invalid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = World.open_on

    def everywhere(self: World, path: str) -> str:
        """Say that it is open everywhere: the voices know the word."""
        return "both" if "/mail/" in path and self.loop.now > began + 20 else plain(self, path)

    began = world.loop.now
    monkeypatch.setattr(World, "open_on", everywhere)
    run = play(world, parse("witness-killed+40"), looks=False)
    assert of(run, "both-open")["mail"] is INVALID
    assert of(run, "both-open")["data"] is VALID


@pytest.mark.parametrize("text", [settle.MIRROR, settle.MOUNTED])
def test_a_second_volume_that_is_not_whole_keeps_a_drill_from_beginning(
    world: World, text: str
) -> None:
    mine = {"1", "/mail"}
    world.answers[key(text)] = lambda _, *words: (int(bool(mine & set(words))), "")
    run = play(world, parse("witness-killed+10"))
    assert run.injections == 0
    assert "of mail on" in check_of(run, "faults").summary


def test_what_the_look_at_the_end_finds_on_the_second_volume_counts(world: World) -> None:
    world.answers[key(inspect.DIGEST)] = lambda host, device, *_: (
        0, host if device == "/dev/mapper/disk2" else "a" * 64,
    )  # fmt: skip
    assert of(play(world), "legs") == {"data": VALID, "mail": INVALID}


def test_the_histories_of_each_are_kept_apart(world: World, tmp_path: Path) -> None:
    play(world, parse("witness-killed+10"), keep=tmp_path, looks=False)
    for folder in (tmp_path, tmp_path / "mail"):
        histories, readings = load_kept(folder)
        assert len(histories) == len(readings) == 2


def test_what_is_predicted_of_the_other_volume_is_the_worst_of_both_sides() -> None:
    timings = GOAL.cluster.timings
    worst = max(predict_one(timings, key).stall_s or 0 for key in EITHER_SIDE)
    assert predicted_s(timings, [parse("standby-killed+30")], main=False) == worst
    assert predicted_s(timings, [parse("witness-killed+30")], main=False) == 0
    assert predicted_s(timings, [parse("replication-cut+30")], main=False) is None


def test_two_volumes_share_the_rates_of_one() -> None:
    (one, *_), (half, *_) = all_workloads(), all_workloads(2)
    assert (one.rate_hz, half.rate_hz) == (20, 10)  # type: ignore[attr-defined]


def test_no_load_is_so_light_that_a_pause_looks_like_a_stall() -> None:
    for light in all_workloads(2, LEAST_LOAD):
        match light:
            case Retired():
                assert light.pause_s / light.lanes < 0.5
            case _:
                assert light.rate_hz >= 1  # type: ignore[attr-defined]


def test_a_lighter_load_slows_every_workload_down_and_leaves_as_much_in_flight() -> None:
    for usual, light in zip(all_workloads(), all_workloads(load=0.25), strict=True):
        match usual, light:
            case Retired(), Retired():
                assert (light.pause_s, light.lanes) == (4 * usual.pause_s, usual.lanes)
            case _:
                rate_hz: float = usual.rate_hz  # type: ignore[attr-defined]
                assert light.rate_hz == max(1, rate_hz / 4)  # type: ignore[attr-defined]
