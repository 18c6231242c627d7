"""From each recorded state: exactly the steps that mend it (``tests/golden/plans``)."""

from __future__ import annotations

import pytest

from sanglier.core.plan import Plan

from .goal import ARTICLE, GOAL, HOSTS, REUSES, WIPES, allowing
from .golden import PLACE, assert_golden
from .recordings import NAMES, article_facts_of, facts_of
from .simulate import applying, destroying, may_run

DRIFTS = {
    "multipath-conf-edited": {("srv-b", "multipath")},
    "session-logged-out": {("srv-a", "initiator"), ("srv-a", "multipath")},
    "filesystem-unmounted": {("srv-b", "ocfs2")},
    "mounted-with-other-options": {("srv-b", "ocfs2")},
    "drbd-option-changed": {("disk-a", "drbd")},
    "acl-removed": {("disk-b", "target")},
    "acl-of-a-stranger": {("disk-b", "target")},
    "multipathd-stopped": {("srv-a", "multipath")},
    "iscsid-stopped": {("srv-b", "initiator")},
    "drbd-detached": {("disk-b", "drbd")},
    "o2cb-values-changed": {("srv-b", "ocfs2")},
    "multipath-not-reread": {("srv-b", "multipath")},
    "queueing-disabled": {("srv-a", "multipath")},
    "recovery-set-by-hand": {("srv-b", "initiator")},
    "session-with-stock-timeouts": {("srv-a", "initiator")},
    "tree-edited": {("disk-b", "target")},
    "cib-edited": {("disk-a", "cluster")},
    "fencing-disabled": {("disk-a", "cluster")},
    "corosync-conf-edited": {("disk-b", "cluster")},
    "corosync-reloaded": {("disk-a", "cluster"), ("disk-b", "cluster")},
    "witness-stopped": {("witness", "cluster")},
}


HEALING = ("disk-b-rebooted", "all-rebooted", "engine-stopped", "drbd-sync-target")
"""Storage servers that are on their way back."""
LEFT_ALONE = (
    "disk-b-half-up", "disk-b-off", "disk-b-dead", "fence-device-wrong", "node-in-standby",
    "replication-cut", "side-moved", "witness-dead",
)  # fmt: skip
"""Trouble that is not ours to mend."""
QUIET = ("side-moved",)


def places(plan: Plan) -> set[tuple[str, str]]:
    return {(step.address.host, step.address.layer) for step in plan.steps}


@pytest.mark.parametrize("case", NAMES)
def test_apply_plans_exactly_the_golden_steps(case: str) -> None:
    assert_golden(applying(GOAL, facts_of(case)), case)


@pytest.mark.parametrize("case", ["converged", "destroy-cut", "blank"])
def test_destroy_plans_exactly_the_golden_steps(case: str) -> None:
    assert_golden(destroying(GOAL, facts_of(case)), f"destroy-{case}")


def test_destroy_with_consent_to_wipe_plans_exactly_the_golden_steps() -> None:
    plan = destroying(allowing(*WIPES), facts_of("converged"))
    assert may_run(plan)
    assert_golden(plan, "destroy-and-wipe-converged")


def test_apply_over_kept_data_with_consent_plans_exactly_the_golden_steps() -> None:
    plan = applying(allowing(*REUSES), facts_of("destroyed"))
    assert may_run(plan)
    assert_golden(plan, "reuse-destroyed")


@pytest.mark.parametrize("case", ["blank", "converged"])
def test_the_article_plans_exactly_the_golden_steps(case: str) -> None:
    goal = allowing("article:guiguiabloc", goal=ARTICLE)
    assert_golden(applying(goal, article_facts_of(case)), f"article-{case}")


def test_every_golden_is_used() -> None:
    ours = {
        "article-blank", "article-converged", "destroy-converged", "destroy-destroy-cut",
        "destroy-blank", "destroy-and-wipe-converged", "reuse-destroyed",
    }  # fmt: skip
    assert {path.stem for path in PLACE.glob("*.txt")} == set(NAMES) | ours


def test_a_converged_cluster_has_nothing_to_do() -> None:
    assert applying(GOAL, facts_of("converged")).empty


def test_a_destroyed_cluster_has_nothing_left_to_destroy() -> None:
    assert destroying(GOAL, facts_of("destroyed")).empty


@pytest.mark.parametrize("case", DRIFTS)
def test_drift_is_mended_alone(case: str) -> None:
    plan = applying(GOAL, facts_of(case))
    assert may_run(plan)
    assert places(plan) == DRIFTS[case]


def test_blank_hosts_need_no_consent() -> None:
    assert may_run(applying(GOAL, facts_of("blank")))


def test_every_host_with_a_role_takes_part() -> None:
    hosts = {step.address.host for step in applying(GOAL, facts_of("blank")).steps}
    assert hosts == set(HOSTS)


OF_THE_CLUSTER = (
    "bring up", "promote", "enable the target", "backstore", "create metadata", "load the kernel",
)  # fmt: skip
"""What Pacemaker does by itself, or nobody, with data that exists."""


@pytest.mark.parametrize("case", [*HEALING, *LEFT_ALONE])
def test_what_the_cluster_does_is_left_to_it(case: str) -> None:
    plan = applying(GOAL, facts_of(case))
    assert not [s for s in plan.steps if s.summary.startswith(OF_THE_CLUSTER)]


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_trouble_that_no_step_mends_is_told_and_left_alone(case: str) -> None:
    plan = applying(GOAL, facts_of(case))
    assert plan.empty
    assert plan.problems or case in QUIET


@pytest.mark.parametrize("case", NAMES)
def test_an_engine_is_started_only_where_fencing_was_tried(case: str) -> None:
    seen: set[str] = set()
    for step in applying(GOAL, facts_of(case)).steps:
        if step.summary.startswith("check that"):
            seen.add(step.address.host)
        if step.summary.startswith("start corosync,"):
            assert step.address.host in seen


def test_while_a_side_is_behind_it_is_neither_promoted_nor_opened() -> None:
    plan = applying(GOAL, facts_of("drbd-sync-target"))
    assert not [s for s in plan.steps if "promote" in s.summary or "enable" in s.summary]
