"""Cut anywhere, run again: it converges, and nothing dangerous is done on the way.

Everything here runs on predicted facts; ``simulate`` checks before each step
that it may be begun and after it that no open side is behind, no mount is
without its map, no map without its sessions.
"""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanglier.core.facts import Facts
from sanglier.core.step import Risk
from sanglier.layers.base import Goal

from .alter import without
from .goal import APPLICATIONS, GOAL, HOSTS, REUSES, STORAGE, VOLUME, WIPES, allowing
from .recordings import CASES, NAMES, facts_of, unreachable_in
from .simulate import (
    Make,
    applying,
    cut_everywhere,
    cut_once,
    destroying,
    exported,
    may_run,
    mounted,
    open_sides,
    settle,
    sides,
    take_all,
    violations,
)

SLOW_IS_FINE = [HealthCheck.too_slow]
WHOLE = [case for case in NAMES if not unreachable_in(CASES / case)]
"""A host out of reach stops a plan before it begins."""
CONSENTS = st.frozensets(st.sampled_from([*WIPES, *REUSES])).map(lambda some: allowing(*some))
MAKES: list[Make] = [applying, destroying]


@cache
def cuts(case: str, make: Make, *consents: str) -> tuple[Facts, ...]:
    """Give the state after every cut of the plan from a recorded state."""
    goal = allowing(*consents)
    facts = facts_of(case)
    return tuple(cut_everywhere(facts, make(goal, facts)))


def assert_whole(facts: Facts) -> None:
    """Both sides are exported, one is open, and all have it mounted."""
    assert exported(facts) == set(STORAGE)
    assert open_sides(facts) == {VOLUME.prefer}
    assert mounted(facts) == set(APPLICATIONS)
    assert all(side.exportable for side in sides(facts).values())
    assert not violations(facts)


def test_apply_from_blank_cut_anywhere_converges() -> None:
    for state in cuts("blank", applying):
        assert may_run(applying(GOAL, state))
        assert_whole(settle(GOAL, state))


def test_destroy_cut_anywhere_and_run_again_leaves_nothing() -> None:
    for state in cuts("converged", destroying):
        after = settle(GOAL, state, destroying)
        assert not exported(after)
        assert not mounted(after)
        assert not any(side.up for side in sides(after).values())


def test_destroy_with_wipe_cut_anywhere_and_run_again_leaves_nothing() -> None:
    for state in cuts("converged", destroying, *WIPES):
        settle(allowing(*WIPES), state, destroying)


def test_destroy_cut_anywhere_then_apply_converges() -> None:
    for state in cuts("converged", destroying):
        assert_whole(settle(allowing(*REUSES), state))


def test_apply_cut_anywhere_then_destroy_leaves_nothing() -> None:
    for state in cuts("blank", applying):
        after = settle(GOAL, state, destroying)
        assert not exported(after)
        assert not mounted(after)


@pytest.mark.parametrize("case", [case for case in WHOLE if case != "blank"])
def test_apply_from_every_recorded_state_cut_anywhere_converges(case: str) -> None:
    goal = allowing(*REUSES, *WIPES)
    facts = facts_of(case)
    plan = applying(goal, facts)
    if may_run(plan):
        for state in cut_everywhere(facts, plan):
            settle(goal, state)


@pytest.mark.parametrize("case", WHOLE)
def test_destroy_from_every_recorded_state_cut_anywhere_leaves_nothing(case: str) -> None:
    facts = facts_of(case)
    for state in cut_everywhere(facts, destroying(GOAL, facts)):
        after = settle(GOAL, state, destroying)
        assert not exported(after)


@settings(max_examples=80, suppress_health_check=SLOW_IS_FINE)
@given(
    case=st.sampled_from(WHOLE),
    goal=CONSENTS,
    makes=st.lists(st.sampled_from(MAKES), min_size=1, max_size=3),
    data=st.data(),
)
def test_cut_again_and_again_it_converges(
    case: str, goal: Goal, makes: list[Make], data: st.DataObject
) -> None:
    facts = facts_of(case)
    for make in makes:
        plan = make(goal, facts)
        if may_run(plan):
            facts = cut_once(facts, plan, lambda n: data.draw(st.integers(0, n - 1)))
    settle(goal, facts)
    settle(goal, facts, destroying)


def test_apply_then_destroy_then_apply_converges() -> None:
    goal = allowing(*REUSES)
    up = settle(GOAL, facts_of("blank"))
    down = settle(goal, up, destroying)
    assert_whole(settle(goal, down))


@settings(max_examples=60, suppress_health_check=SLOW_IS_FINE)
@given(case=st.sampled_from(NAMES), goal=CONSENTS, make=st.sampled_from(MAKES))
def test_nothing_is_destroyed_without_its_consent(case: str, goal: Goal, make: Make) -> None:
    plan = make(goal, facts_of(case))
    destructive = [step for step in plan.steps if step.risk is Risk.DESTRUCTIVE]
    assert all(step.consent for step in destructive)
    if may_run(plan):
        assert {step.consent for step in destructive} <= goal.consents


@pytest.mark.parametrize("case", WHOLE)
def test_no_recorded_state_loses_data_by_a_plan_without_consents(case: str) -> None:
    """A device that is not blank is never written to, a filesystem never made again."""
    plan = applying(GOAL, facts_of(case))
    if may_run(plan):
        take_all(facts_of(case), plan.steps)


@pytest.mark.parametrize("gone", HOSTS)
@pytest.mark.parametrize("case", ["blank", "converged", "disk-b-rebooted"])
@pytest.mark.parametrize("make", MAKES)
def test_a_host_that_was_not_read_gets_no_steps(case: str, gone: str, make: Make) -> None:
    plan = make(GOAL, without(facts_of(case), gone))
    assert gone not in {step.address.host for step in plan.steps}
