"""Errors and problems: subject first, a stable code, what, why, what to do."""

from __future__ import annotations

from sanglier.core.errors import SanglierError
from sanglier.core.probe import Output
from sanglier.core.problem import Severity

from .toy import problem


def test_an_error_names_its_subject_first_and_its_code_last_on_its_first_line() -> None:
    error = SanglierError(code="SG-X-001", subject="disk-a", what="it burns", why="fire", fix="run")
    assert str(error).splitlines() == [
        "disk-a: it burns  [SG-X-001]", "  why: fire", "  do:  run",
    ]  # fmt: skip


def test_an_error_leaves_out_what_nobody_knows() -> None:
    assert str(SanglierError(code="SG-X-001", subject="s", what="w")) == "s: w  [SG-X-001]"


def test_a_problem_reads_like_an_error() -> None:
    assert str(problem(Severity.WARNING)).splitlines() == [
        "h/toy/s: it rains  [SG-TOY-001]", "  why: weather", "  do:  wait",
    ]  # fmt: skip


def test_lines_of_an_output_are_those_with_something_in_them() -> None:
    assert Output(status=0, text="a\n\n  \n b\n").lines == ("a", " b")
    assert Output(status=0, text="").ok
    assert not Output(status=1, text="").ok
