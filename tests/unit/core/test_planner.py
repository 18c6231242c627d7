"""The planner folds layers over predicted facts."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.planner import plan_apply, plan_destroy, predict

from .toy import Height, layer, step

LAYERS = (layer("low", 0), layer("middle", 1), layer("high", 2))


def at(metres: int) -> Facts:
    return Facts().with_("h", Height(metres=metres))


def summaries(plan_steps: tuple[object, ...]) -> list[str]:
    return [getattr(item, "summary", "") for item in plan_steps]


def test_a_layer_sees_what_the_layers_below_it_will_have_changed() -> None:
    plan = plan_apply(LAYERS, 3, at(0))
    assert summaries(plan.steps) == ["low up from 0", "middle up from 1", "high up from 2"]


def test_what_is_done_is_not_planned_again() -> None:
    assert plan_apply(LAYERS, 3, at(3)).empty


def test_every_layer_has_a_stage_also_an_empty_one() -> None:
    assert [stage.layer for stage in plan_apply(LAYERS, 0, at(0)).stages] == [
        "low", "middle", "high",
    ]  # fmt: skip


def test_destroy_goes_from_the_top_down() -> None:
    plan = plan_destroy(LAYERS, 3, at(3))
    assert summaries(plan.steps) == ["high down from 3", "middle down from 2", "low down from 1"]
    assert [stage.layer for stage in plan.stages] == ["high", "middle", "low"]


def test_steps_of_a_layer_are_ordered_by_phase_and_else_stay_in_order() -> None:
    steps = (step("c", phase=2), step("a", phase=0), step("d", phase=2), step("b", phase=1))
    odd = replace(LAYERS[0], propose=lambda goal, facts: Proposal(steps=steps))
    assert summaries(plan_apply((odd,), 0, at(0)).steps) == ["a", "b", "c", "d"]


def test_planning_changes_no_facts() -> None:
    facts = at(0)
    plan_apply(LAYERS, 3, facts)
    assert facts.of("h", Height) == Height(metres=0)


def test_predict_takes_the_steps_in_order() -> None:
    assert predict(at(0), (step(metres=5), step(metres=2))) == at(2)


def test_consents_are_the_plans() -> None:
    assert plan_apply(LAYERS, 0, at(0), frozenset({"wipe:h/x"})).consents == {"wipe:h/x"}
