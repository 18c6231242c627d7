"""A part of the conductor that dies is noticed: what it would have recorded is not believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.drill.history import Event
from sanglier.drill.recorder import Writer
from sanglier.drill.result import Check, DrillRun, Verdict
from sanglier.drill.schedule import parse
from sanglier.drill.workloads.base import Ask

from .simulated import jumping
from .voices import Toy, Voice
from .world import World, check_of, play, verdicts

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(jumping(monkeypatch))


def doubt(run: DrillRun) -> str:
    assert verdicts(run)["faults"] is UNKNOWN
    assert run.verdict is not VALID
    return " ".join(check_of(run, "faults").details)


@dataclass
class Breaking:
    """Asks for a while, and then has a defect."""

    world: World
    until_s: float
    period_s: float = 0.5

    def hear(self, writer: str, event: Event) -> None:
        return

    def call(self, writers: Sequence[str]) -> tuple[Ask, ...]:
        if self.world.loop.now > self.until_s:
            raise KeyError("block 7")
        return ()


def test_an_asking_that_ends_by_itself_makes_the_drill_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Breaking(world, until_s=world.loop.now + 12)
    monkeypatch.setattr(Toy, "caller", lambda _: caller)
    told = doubt(play(world, parse("witness-killed+10")))
    assert "the asking of the workloads ended: KeyError: 'block 7'" in told


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), AttributeError("x")])
def test_a_recorder_that_breaks_makes_the_drill_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Our own disk is full: what is acknowledged from then on is in no history."""
    ends, writes = world.loop.now + 20, Writer._write

    def write(self: Writer, line: str) -> None:
        if world.loop.now > ends and self.name == "srv-b":
            raise error
        writes(self, line)

    monkeypatch.setattr(Writer, "_write", write)
    told = doubt(play(world, parse("witness-killed+20")))
    assert "the recording of toy on srv-b broke" in told


def test_a_session_of_ours_that_dies_while_its_server_lives_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ssh client of a writer is killed: the server's silence is no stall of the cluster's."""
    ends, says = world.loop.now + 15, Voice.word

    def word(self: Voice) -> str:
        if self.host.name == "srv-b" and ends < world.loop.now < ends + 1:
            raise SanglierError(code="SG-SSH-004", subject="srv-b", what="ssh was killed")
        return says(self)

    monkeypatch.setattr(Voice, "word", word)
    told = doubt(play(world, parse("witness-killed+20")))
    assert "the session of toy on srv-b ended although the server did not: ssh was killed" in told


def test_one_that_ends_with_its_server_is_no_doubt(world: World) -> None:
    run = play(world, parse("application-killed+10"), patience_s=300)
    assert verdicts(run)["faults"] is VALID, check_of(run, "faults")


def test_one_that_dies_after_the_last_fault_is_told_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, says = world.loop.now + 21, Voice.word

    def word(self: Voice) -> str:
        if self.host.name == "srv-b" and world.loop.now > ends:
            raise SanglierError(code="SG-SSH-004", subject="srv-b", what="ssh was killed")
        return says(self)

    monkeypatch.setattr(Voice, "word", word)
    assert "ssh was killed" in doubt(play(world, parse("witness-killed+10")))


def test_samples_that_cannot_be_kept_make_the_drill_unknown(world: World, tmp_path: Path) -> None:
    (tmp_path / "samples.json").mkdir()
    run = play(world, looks=False, keep=tmp_path)
    assert "could not be kept" in doubt(run)


def test_the_toy_is_judged_by_what_was_read() -> None:
    assert [one.verdict for one in Toy().check((), ())] == [UNKNOWN]
    assert isinstance(Toy().check((), ())[0], Check)
