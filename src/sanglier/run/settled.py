"""What the timeouts in force mean for a run that has nothing left to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sanglier.core.errors import SanglierError
from sanglier.core.events import ReadBackDone, ValueInForce
from sanglier.core.problem import Problem
from sanglier.core.runtime_value import RuntimeValue
from sanglier.layers.read_back import ReadBack
from sanglier.run.codes import Code
from sanglier.spec.budget import Inequality

FIXES = {
    "initiator": "a session that is not logged in keeps its values until it is: mend its path "
    "(`sanglier status`), apply again",
    "ocfs2": "o2cb takes it only while no volume is mounted on any application server: stop their "
    "users, unmount, apply again",
}
"""By layer, where `apply` alone does not mend it."""
FIX = "apply again; `sanglier timings FILE --check` shows every value"


def told(found: ReadBack) -> ReadBackDone:
    """Make the event."""
    return ReadBackDone(
        read=found.read,
        differing=tuple(_value(v) for v in found.differing),
        absent=tuple(_value(v) for v in found.absent),
        broken=tuple(inequality.code for inequality in found.broken),
    )


def _value(found: RuntimeValue) -> ValueInForce:
    return ValueInForce(
        host=found.host,
        layer=found.layer,
        name=found.name,
        wanted=found.wanted,
        actual=found.actual,
    )


def errors_of(found: ReadBack, problems: Sequence[Problem]) -> Iterator[SanglierError]:
    """Give an error for each value that differs and each inequality that fails.

    A value that is not in force at all is one only when no problem says what is missing: a
    side that is being brought up to date has no sessions, and that is told already.
    """
    yield from (not_in_force(value) for value in found.differing)
    if not problems:
        yield from (not_in_force(value) for value in found.absent)
    yield from (over_budget(inequality) for inequality in found.broken)
    yield from map(as_error, found.opened)


def as_error(problem: Problem) -> SanglierError:
    """Turn a problem into the error that ends a run."""
    return SanglierError(
        code=problem.code, subject=str(problem.address), what=problem.what, why=problem.why,
        fix=problem.fix,
    )  # fmt: skip


def not_in_force(value: RuntimeValue) -> SanglierError:
    """Make the error for a value that is not the wanted one."""
    actual = "nothing" if value.actual is None else value.actual
    return SanglierError(
        code=Code.NOT_IN_FORCE,
        subject=f"{value.host}/{value.layer}",
        what=f"{value.name}: wanted {value.wanted}, in force {actual}",
        why="read back from the running kernel or daemon, whatever its file says",
        fix=FIXES.get(value.layer, FIX),
    )


def over_budget(inequality: Inequality) -> SanglierError:
    """Make the error for a hard inequality that fails with what is in force."""
    sides = (
        ""
        if inequality.left_s is None or inequality.right_s is None
        else f" ({inequality.left_s:g} against {inequality.right_s:g})"
    )
    return SanglierError(
        code=Code.OVER_BUDGET,
        subject=inequality.code,
        what=f"fails with the values in force: {inequality.text}{sides}",
        why=inequality.why,
        fix="bring the wanted values into force: apply again; "
        "`sanglier timings FILE --check` shows every value",
    )
