"""Answers are told apart from noise, byte for byte."""

from __future__ import annotations

import subprocess

from hypothesis import given
from hypothesis import strategies as st

from sanglier.run.frames import Began, Ended, Framer, Inside, Marker


def run_sh(script: str) -> list[str]:
    done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")


def ends(marker: Marker, lines: list[str]) -> list[Ended]:
    framer = Framer(marker)
    return [e for e in map(framer.feed, lines) if isinstance(e, Ended)]


def test_text_without_newline_at_its_end_is_framed_exactly() -> None:
    marker = Marker()
    lines = run_sh(marker.define() + marker.frame("0", "printf 'a\\nb'; exit 3"))
    assert ends(marker, lines) == [Ended("0", 3, "a\nb")]


def test_text_with_newlines_at_its_end_is_framed_exactly() -> None:
    marker = Marker()
    lines = run_sh(marker.define() + marker.frame("0", "printf 'a\\n\\n\\n'"))
    assert ends(marker, lines) == [Ended("0", 0, "a\n\n\n")]


def test_nothing_printed_is_an_empty_text() -> None:
    marker = Marker()
    assert ends(marker, run_sh(marker.define() + marker.frame("0", ":"))) == [Ended("0", 0, "")]


def test_stderr_comes_with_stdout_and_an_exit_ends_one_frame_only() -> None:
    marker = Marker()
    script = marker.define() + marker.frame("0", "echo out; echo err >&2; exit 1")
    script += "\n" + marker.frame("1", "cat; echo more")
    assert ends(marker, run_sh(script)) == [Ended("0", 1, "out\nerr\n"), Ended("1", 0, "more\n")]


def test_noise_outside_of_frames_and_foreign_markers_inside_are_not_answers() -> None:
    marker, other = Marker("aaaa"), Marker("bbbb")
    framer = Framer(marker)
    assert framer.feed("Welcome!") is None
    assert framer.feed(f"{other.word} begin 0") is None
    assert framer.feed(f"{marker.word} begin 0") == Began("0")
    assert framer.feed(f"{other.word} end 0 0") == Inside("0", f"{other.word} end 0 0")
    assert framer.feed(f"{marker.word} end 1 0") is None
    assert framer.feed(f"{marker.word} end 0 7") == Ended("0", 7, f"{other.word} end 0 0")


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\n"))))
def test_any_text_comes_back_as_it_was_printed(lines: list[str]) -> None:
    marker = Marker("cccc")
    framer = Framer(marker)
    framer.feed(f"{marker.word} begin x")
    for line in lines:
        framer.feed(line)
    ended = framer.feed(f"{marker.word} end x 0")
    assert ended == Ended("x", 0, "\n".join(lines))
