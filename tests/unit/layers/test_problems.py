"""Every problem code fires somewhere, is silent on good clusters, and says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sanglier.layers
from sanglier.core.plan import Plan
from sanglier.core.problem import Problem, Severity

from .firing import FIRING, GOALS
from .goal import GOAL
from .recordings import facts_of
from .simulate import applying, may_run

SOURCES = Path(sanglier.layers.__file__).parent
CODE = re.compile(r"SG-[A-Z0-9]+-\d+")
OF_CHANGES = {"SG-MOVE-001", "SG-MOVE-002", "SG-MOVE-003"}
"""In no plan: see test_change.py."""
BLOCKERS = {
    "SG-PKG-001", "SG-PKG-002", "SG-PKG-003", "SG-NET-001", "SG-NET-002", "SG-NET-003",
    "SG-NET-005",
    "SG-DISK-001", "SG-DISK-002", "SG-DISK-003", "SG-DISK-004", "SG-DISK-010", "SG-DISK-012",
    "SG-DISK-013", "SG-DRBD-003", "SG-DRBD-010", "SG-DRBD-011", "SG-DRBD-012", "SG-DRBD-021",
    "SG-DRBD-022", "SG-DRBD-023", "SG-CLU-001", "SG-CLU-007", "SG-FS-001", "SG-FS-002",
    "SG-NUM-001", "SG-NUM-002", "SG-NUM-003",
}  # fmt: skip


def used_codes() -> set[str]:
    return {code for path in SOURCES.rglob("*.py") for code in CODE.findall(path.read_text())}


def plan_where(code: str) -> Plan:
    return applying(GOALS.get(code, GOAL), FIRING[code]())


def problem(code: str) -> Problem:
    return next(problem for problem in plan_where(code).problems if problem.code == code)


def test_every_code_of_the_layers_has_a_firing_case() -> None:
    assert set(FIRING) == used_codes() - OF_CHANGES


@pytest.mark.parametrize("code", sorted(FIRING))
def test_code_fires(code: str) -> None:
    assert code in {problem.code for problem in plan_where(code).problems}


@pytest.mark.parametrize("code", sorted(FIRING))
def test_code_says_what_why_and_what_to_do(code: str) -> None:
    found = problem(code)
    assert all((found.what, found.why, found.fix))
    assert str(found).splitlines()[0] == f"{found.address}: {found.what}  [{code}]"


@pytest.mark.parametrize("code", sorted(FIRING))
def test_only_blockers_stop_a_plan(code: str) -> None:
    assert (problem(code).severity is Severity.BLOCKER) is (code in BLOCKERS)
    if code in BLOCKERS:
        assert not may_run(plan_where(code))


@pytest.mark.parametrize("case", ["blank", "converged"])
def test_good_clusters_raise_no_problem(case: str) -> None:
    assert applying(GOAL, facts_of(case)).problems == ()


def test_a_lost_san_is_survivable_and_two_are_not() -> None:
    one, two = plan_where("SG-NET-004"), plan_where("SG-NET-003")
    assert may_run(one)
    assert [p.code for p in two.blockers] == ["SG-NET-003", "SG-NET-003"]


def test_a_resync_is_waited_for() -> None:
    assert problem("SG-DRBD-002").severity is Severity.WAITING
    assert str(problem("SG-DRBD-002").address) == "disk-b/drbd/data"
