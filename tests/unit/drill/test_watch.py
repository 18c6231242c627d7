"""The sampler, run by a real sh and perl on files; and what of its words the watch takes."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from sanglier.core.action import Script
from sanglier.core.shell import render
from sanglier.drill.result import Verdict
from sanglier.drill.schedule import parse
from sanglier.drill.watch import SAMPLER, Watch
from sanglier.run.local import LocalTransport
from sanglier.run.transport import Session

from .load import SERVERS
from .simulated import jumping
from .voices import Voice
from .world import World, check_of, play, verdicts

BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class Side:
    """A target in a folder: two port groups, one of which has the LUN."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.transport = LocalTransport(base=folder / "hosts")
        self.enable = folder / "enable"
        self.enable.write_text("1\n")
        for group, members, state in (("sanglier", "lun", "0"), ("default_tg_pt_gp", "", "2")):
            place = folder / group
            place.mkdir()
            (place / "members").write_text(members and f"{members}\n")
            (place / "alua_access_state").write_text(f"{state}\n")

    async def begin(self) -> Session:
        state = str(self.folder / "sanglier" / "alua_access_state")
        script = render(Script(text=SAMPLER, args=(state, str(self.enable), "0.05")), reveal=False)
        return await self.transport.hold(SERVERS[0], script, limit=60)


async def words(session: Session) -> list[str]:
    line = await session.line()
    assert line is not None
    return line.split()


async def test_it_says_its_boot_then_samples_and_which_asking_it_has_heard(tmp_path: Path) -> None:
    session = await Side(tmp_path).begin()
    assert await words(session) == ["b", BOOT]
    first = await words(session)
    assert (first[0], first[2:]) == ("s", ["0", "0"])
    await session.send("1\n2\n")
    while (last := await words(session))[3] != "2":
        pass
    assert int(first[1]) < int(last[1]) < int(first[1]) + 10 * 10**9
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(int(last[1]) / 1e9 - uptime_s) < 2
    await session.close()


async def test_whatever_group_has_the_lun_counts_and_a_disabled_target_is_shut(
    tmp_path: Path,
) -> None:
    side = Side(tmp_path)
    session = await side.begin()
    assert (await words(session))[0] == "b"
    assert (await words(session))[2] == "0"
    (tmp_path / "sanglier" / "members").write_text("")
    (tmp_path / "default_tg_pt_gp" / "members").write_text("lun\n")
    while (await words(session))[2] != "2":
        pass
    side.enable.write_text("0\n")
    while (await words(session))[2] != "disabled":
        pass
    await session.close()


async def test_it_ends_when_nobody_can_ask_any_more(tmp_path: Path) -> None:
    session = await Side(tmp_path).begin()
    await words(session)
    session.end_input()  # type: ignore[attr-defined]
    async with asyncio.timeout(10):
        while await session.line() is not None:
            pass
    await session.close()


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


@pytest.mark.parametrize("noise", ["s", "s x 0 0", "s 5 0 9999", "perl: no", "", "b ", "s 1 2"])
def test_words_that_are_no_sample_are_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch, noise: str
) -> None:
    heard = Voice.sample
    monkeypatch.setattr(
        Voice, "sample", lambda self, s: noise if self.world.loop.now % 2 < 1 else heard(self, s)
    )
    assert verdicts(play(world, parse("open-killed+30")))["both-open"] is not Verdict.INVALID


def test_a_watch_that_ends_by_itself_makes_the_drill_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of ours: from 12 s on it takes no sample any more."""
    took, ends = Watch._take, world.loop.now + 22

    def take(self: Watch, sample: object) -> None:
        if world.loop.now > ends:
            raise KeyError("sample")
        took(self, sample)  # type: ignore[arg-type]

    monkeypatch.setattr(Watch, "_take", take)
    run = play(world, parse("witness-killed+40"))
    assert verdicts(run)["faults"] is Verdict.UNKNOWN
    assert "the watch of data on disk-a ended: KeyError" in check_of(run, "faults").summary


def test_the_samples_are_kept_beside_the_histories(world: World, tmp_path: Path) -> None:
    run = play(world, looks=False, keep=tmp_path / "kept")
    kept = json.loads((tmp_path / "kept" / "samples.json").read_text())
    assert len(kept) == check_of(run, "both-open").numbers["samples"]
    assert {one["host"] for one in kept} == {"disk-a", "disk-b"}
