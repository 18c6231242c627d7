"""What a plan tells about itself, and the difference from what was consented to."""

from __future__ import annotations

from sanglier.core.plan import Plan, Proposal, Stage, excess
from sanglier.core.problem import Severity
from sanglier.core.step import Risk, Step

from .toy import problem, step


def plan(*steps: Step, consents: frozenset[str] = frozenset()) -> Plan:
    stage = Stage(layer="toy", proposal=Proposal(steps=steps))
    return Plan(stages=(stage,), consents=consents)


def test_steps_and_problems_come_in_the_order_of_the_stages() -> None:
    first = Proposal(steps=(step("a"),), problems=(problem(Severity.WARNING),))
    second = Proposal(steps=(step("b"),), problems=(problem(Severity.BLOCKER),))
    whole = Plan(stages=(Stage(layer="x", proposal=first), Stage(layer="y", proposal=second)))
    assert whole.steps == first.steps + second.steps
    assert whole.problems == first.problems + second.problems
    assert whole.blockers == second.problems


def test_only_blockers_block() -> None:
    soft = Proposal(problems=(problem(Severity.WARNING), problem(Severity.WAITING)))
    assert Plan(stages=(Stage(layer="x", proposal=soft),)).blockers == ()


def test_a_plan_with_problems_only_is_empty() -> None:
    hard = Proposal(problems=(problem(Severity.BLOCKER),))
    assert Plan(stages=(Stage(layer="x", proposal=hard),)).empty
    assert not plan(step()).empty


def test_missing_consents_are_told_once_and_in_order() -> None:
    b = step("b", risk=Risk.DESTRUCTIVE, consent="wipe:h/b")
    a = step("a", risk=Risk.DESTRUCTIVE, consent="wipe:h/a")
    assert plan(b, a, b).missing_consents == ("wipe:h/b", "wipe:h/a")
    assert plan(b, a, consents=frozenset({"wipe:h/b"})).missing_consents == ("wipe:h/a",)


def test_proposals_add_up() -> None:
    one = Proposal(steps=(step("a"),))
    two = Proposal(steps=(step("b"),), problems=(problem(Severity.WARNING),))
    assert one + two == Proposal(steps=one.steps + two.steps, problems=two.problems)


def test_nothing_exceeds_equal_or_fewer_steps() -> None:
    consented = plan(step("a"), step("b"))
    assert excess(consented, Proposal(steps=(step("b"), step("a")))) == ()
    assert excess(consented, Proposal(steps=(step("b"),))) == ()
    assert excess(consented, Proposal()) == ()


def test_a_new_step_exceeds() -> None:
    new = step("c")
    assert excess(plan(step("a")), Proposal(steps=(step("a"), new))) == (new,)


def test_the_same_words_with_another_command_exceed() -> None:
    other = step("a", argv=("rm", "-rf"))
    assert excess(plan(step("a")), Proposal(steps=(other,))) == (other,)


def test_another_reason_for_the_same_commands_does_not_exceed() -> None:
    assert excess(plan(step("a")), Proposal(steps=(step("a", reason="sunk"),))) == ()
