"""What takes I/O beside what Pacemaker has open: told by plan, status and timings, and shut."""

from __future__ import annotations

import pytest

from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.core.problem import Severity
from sanglier.layers.cluster import status as cluster_status
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.drbd.desired import mark_path
from sanglier.layers.read_back import read_back
from sanglier.layers.target import status as target_status
from sanglier.layers.target.desired import OWN_GROUP, opened_path, state_path
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.run.settled import errors_of

from .alter import altered, not_running, with_export, with_file, without_file
from .goal import ARTICLE, GOAL, VOLUME
from .recordings import article_facts_of, facts_of
from .simulate import applying, open_sides, take_all

CONVERGED = facts_of("converged")
OPENED = with_export(CONVERGED, "disk-b", sanglier__alua_access_state="0")
"""Both sides open; Pacemaker has it open on disk-a."""


def codes(plan: Plan) -> list[str]:
    return [problem.code for problem in plan.problems]


def sick(facts: Facts) -> list[str]:
    lines = (*cluster_status.status(GOAL, facts), *target_status.status(GOAL, facts))
    return [f"{line.host} {line.subject}: {line.text}" for line in lines if not line.healthy]


def test_both_sides_open_is_told_everywhere_and_apply_shuts_the_one_that_may_not_be() -> None:
    plan = applying(GOAL, OPENED)
    (step,) = plan.steps
    assert str(step.address) == "disk-b/cluster/data-shut"
    assert step.reason == "BOTH SIDES ARE OPEN: disk-b and disk-a"
    assert codes(plan) == ["SG-CLU-009"]
    assert not plan.blockers
    assert sick(OPENED) == ["disk-b data: BOTH SIDES ARE OPEN: disk-b and disk-a"]
    found = read_back(GOAL, OPENED)
    assert not found.good
    assert [problem.code for problem in found.opened] == ["SG-CLU-009"]
    assert "disk-b is open by nobody's order" in found.sentence
    assert [error.code for error in errors_of(found, plan.problems)] == ["SG-CLU-009"]
    assert open_sides(take_all(OPENED, plan.steps)) == {"disk-a"}


@pytest.mark.parametrize("case", ["converged", "side-moved"])
def test_the_side_that_pacemaker_has_open_may_be(case: str) -> None:
    assert applying(GOAL, facts_of(case)).problems == ()
    assert read_back(GOAL, facts_of(case)).good


@pytest.mark.parametrize("state", ["1", "4"])
def test_every_state_that_takes_io_counts(state: str) -> None:
    facts = with_export(CONVERGED, "disk-b", sanglier__alua_access_state=state)
    assert codes(applying(GOAL, facts)) == ["SG-TGT-001"]
    assert not read_back(GOAL, facts).good
    assert open_sides(take_all(facts, applying(GOAL, facts).steps)) == {"disk-a"}


def test_a_lun_in_another_port_group_is_judged_by_that_ones_state() -> None:
    fallen = with_export(CONVERGED, "disk-b", lun_0__alua_tg_pt_gp=OWN_GROUP)
    assert codes(applying(GOAL, fallen)) == []
    assert any(f"ITS LUN IS IN THE PORT GROUP {OWN_GROUP}" in line for line in sick(fallen))
    (step,) = applying(GOAL, fallen).steps
    assert step.reason == f"alua_tg_pt_gp is {OWN_GROUP}, not sanglier"
    open_too = with_export(
        fallen, "disk-b", **{f"{OWN_GROUP}__alua_access_state": "0"}
    )  # as it is born
    assert codes(applying(GOAL, open_too)) == ["SG-TGT-001"]
    assert [problem.code for problem in read_back(GOAL, open_too).opened] == ["SG-CLU-009"]


def without_group(facts: Facts, host: str) -> Facts:
    """As after ``rmdir`` of the port group; its LUN falls into LIO's own."""
    old = facts.of(host, TargetFacts).exports[VOLUME.name]
    path = state_path(VOLUME).rpartition("/")[0]
    values = {p: v for p, v in old.values.items() if not p.startswith(path)}
    values = {p: OWN_GROUP if p.endswith("/alua_tg_pt_gp") else v for p, v in values.items()}
    new = Export(nodes=old.nodes - {path}, values=values)
    return altered(facts, host, TargetFacts, exports={VOLUME.name: new})


@pytest.mark.parametrize("host", ["disk-a", "disk-b"])
def test_a_port_group_that_is_made_again_is_made_shut_before_it_has_a_lun(host: str) -> None:
    steps = applying(GOAL, without_group(CONVERGED, host)).steps
    made, joined = (step for step in steps if step.address.layer == "target")
    written = [word for action in made.actions for word in getattr(action, "args", ())]
    assert written[written.index(state_path(VOLUME)) + 1] == "2"
    assert joined.reason == f"alua_tg_pt_gp is {OWN_GROUP}, not sanglier"


def test_lios_own_group_that_is_open_is_shut_before_ours_is_touched() -> None:
    born = with_export(
        without_group(CONVERGED, "disk-b"), "disk-b", **{f"{OWN_GROUP}__alua_access_state": "0"}
    )
    steps = [step for step in applying(GOAL, born).steps if step.address.layer == "target"]
    assert [step.address.subject for step in steps] == [
        "data-alua-default", "data-alua", "data-target",
    ]  # fmt: skip


def test_a_side_that_was_open_for_a_moment_is_told_until_somebody_has_looked() -> None:
    facts = with_file(CONVERGED, "disk-b", opened_path(VOLUME), "2026-11-26T07:20:00Z")
    plan = applying(GOAL, facts)
    assert plan.steps == ()
    (problem,) = plan.problems
    assert (problem.code, problem.severity) == ("SG-CLU-010", Severity.WARNING)
    assert "2026-11-26T07:20:00Z" in problem.what
    assert f"rm {opened_path(VOLUME)}" in problem.fix
    assert read_back(GOAL, facts).good


def test_a_side_that_pacemaker_left_open_when_it_was_stopped_is_not_accused() -> None:
    """Its own procedure for an upgrade: maintenance mode, then stop; what runs goes on."""
    facts = CONVERGED
    for host in ("disk-a", "disk-b"):
        facts = altered(facts, host, ClusterFacts, state=None)
    assert "SG-CLU-009" not in codes(applying(GOAL, facts))
    by_hand = without_file(facts, "disk-a", mark_path(VOLUME))
    assert "SG-CLU-009" in codes(applying(GOAL, by_hand))


def test_a_forged_mark_does_not_excuse_a_second_open_side() -> None:
    facts = with_file(OPENED, "disk-b", mark_path(VOLUME), "open")
    assert "SG-CLU-009" in codes(applying(GOAL, facts))


def test_a_side_that_is_open_nowhere_by_pacemaker_and_open_is_told() -> None:
    by_hand = without_file(CONVERGED, "disk-a", mark_path(VOLUME))
    plan = applying(GOAL, not_running(by_hand, "data-open"))
    assert "SG-CLU-009" in codes(plan)
    assert "data-shut" in {step.address.subject for step in plan.steps}


def test_in_the_articles_mode_both_sides_are_open_by_declaration() -> None:
    facts = article_facts_of("converged")
    assert "SG-CLU-009" not in codes(applying(ARTICLE, facts))
    assert not [s for s in applying(ARTICLE, facts).steps if s.address.layer == "target"]
