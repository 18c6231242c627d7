"""A late write, planted in a whole drill: whatever else is well, it is INVALID, and named."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from sanglier.drill.catalogue import DRILLS
from sanglier.drill.faults import FAULTS, planted
from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import Means, available, parse
from sanglier.drill.workloads.retired import _READ, _WRITE, Retired
from sanglier.spec.cluster import Host

from .simulated import jumping
from .voices import key, program_of
from .world import World, check_of, play, verdicts

LANES = 32


@dataclass
class Disk:
    """What the volume holds: a version of every retired block."""

    world: World
    versions: dict[tuple[str, int, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.world
        world.voices[program_of(_WRITE)] = lambda host, words: Lanes(self, host, words[1])
        world.answers[program_of(_READ)] = lambda *_: (0, self.told())
        world.answers[program_of(planted.FIND)] = lambda *_: (0, "34816 srv-a 5 0")
        world.answers[key(planted.PUT)] = lambda *_: self.put("srv-a", 5, 0, 1)

    def put(self, writer: str, lane: int, number: int, version: int) -> tuple[int, str]:
        self.versions[writer, lane, number] = version
        return 0, ""

    def told(self) -> str:
        lines = []
        for writer in sorted({one[0] for one in self.versions}):
            for lane in range(LANES):
                mine = (v for one, v in sorted(self.versions.items()) if one[:2] == (writer, lane))
                lines.append(" ".join(["lane", writer, str(lane), *map(str, mine)]))
        return "\n".join([*lines, "end"])


@dataclass
class Lanes:
    """The lanes of one server, one after the other; they write while a side is open."""

    disk: Disk
    host: Host
    writer: str
    said: list[str] = field(default_factory=list)
    count: int = 0

    async def line(self) -> str | None:
        while not self.said:
            await asyncio.sleep(0.1)
            if self.disk.world.serves:
                self.write(self.count % LANES, self.count // LANES)
                self.count += 1
        word = self.said.pop(0)
        return word or None

    def write(self, lane: int, number: int) -> None:
        for version in (1, 2):
            self.said += [f"i {lane}:{number}:{version}", f"a {lane}:{number}:{version}"]
        self.disk.put(self.writer, lane, number, 2)
        self.said.append(f"r own:{lane}:{number} 2")

    async def send(self, text: str) -> None:
        order, *words = text.split()
        if order == "stop":
            self.said += ["stopped", ""]
        elif order == "read":
            token, writer, lane, number = words
            self.said.append(f"r {token} {self.disk.versions[writer, int(lane), int(number)]}")

    async def close(self) -> None:
        return


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


def drill(world: World, word: str) -> DrillRun:
    return play(world, parse(word), workloads=(Retired(),), patience_s=300)


def test_without_one_the_drill_is_valid(world: World) -> None:
    Disk(world)
    run = drill(world, "open-killed+30")
    assert set(verdicts(run).values()) == {Verdict.VALID}, run.checks
    assert check_of(run, "late").numbers["cross_reads"] > 50


def test_a_late_write_is_named_in_the_end(world: World) -> None:
    Disk(world)
    run = drill(world, "late-write")
    assert verdicts(run)["faults"] is Verdict.VALID, check_of(run, "faults")
    found = check_of(run, "late")
    assert found.verdict is Verdict.INVALID
    assert "a late write: srv-a lane 5 block 0 is version 1 again" in found.summary
    others = {check.verdict for check in run.checks if check.name != "late"}
    assert others == {Verdict.VALID}, run.checks


def test_one_that_nobody_planted_is_named_as_well(world: World) -> None:
    """At any time, also a minute after its block was left alone, and on one server only."""
    disk = Disk(world)
    world.loop.call_later(50, disk.put, "srv-b", 7, 0, 1)
    run = drill(world, "open-frozen-60+60")
    assert check_of(run, "late").verdict is Verdict.INVALID
    assert "srv-b lane 7 block 0" in check_of(run, "late").summary


def test_one_that_is_undone_again_was_still_read(world: World) -> None:
    """It is mended before the end, but other servers ask for blocks at random all the while."""
    disk = Disk(world)

    def all_of(version: int) -> None:
        for block in list(disk.versions):
            disk.put(*block, version)

    world.loop.call_later(10, all_of, 1)
    world.loop.call_later(13, all_of, 2)
    assert check_of(drill(world, "witness-killed+20"), "late").verdict is Verdict.INVALID


def test_what_is_planted_is_never_drawn_and_says_what_must_find_it() -> None:
    for fault in FAULTS.values():
        assert not (fault.planted and fault.plain)
        assert DRILLS[fault.name].planted == ((fault.planted,) if fault.planted else ())
    assert any(fault.planted for fault in available(Means(power=False, fence_s=20)))
