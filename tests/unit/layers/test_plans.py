"""From each recorded state: exactly the steps that mend it (``tests/golden/plans``)."""

from __future__ import annotations

import pytest

from sanglier.core.plan import Plan

from .goal import APPLICATIONS, GOAL, STORAGE, allowing
from .golden import PLACE, assert_golden
from .recordings import NAMES, facts_of
from .simulate import applying, destroying, may_run

WIPES = ("wipe:disk-a/ubdb", "wipe:disk-b/ubdb")
DRIFTS = {
    "multipath-conf-edited": {("srv-b", "multipath")},
    "session-logged-out": {("srv-a", "initiator"), ("srv-a", "multipath")},
    "filesystem-unmounted": {("srv-b", "ocfs2")},
    "drbd-option-changed": {("disk-a", "drbd")},
    "acl-removed": {("disk-b", "target")},
    "acl-of-a-stranger": {("disk-b", "target")},
    "multipathd-stopped": {("srv-a", "multipath")},
    "iscsid-stopped": {("srv-b", "initiator")},
    "drbd-detached": {("disk-b", "drbd")},
    "o2cb-values-changed": {("srv-b", "ocfs2")},
}


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
    plan = applying(allowing("reuse:disk-a/ubdb", "reuse:disk-b/ubdb"), facts_of("destroyed"))
    assert may_run(plan)
    assert_golden(plan, "reuse-destroyed")


def test_every_golden_is_used() -> None:
    ours = {"destroy-converged", "destroy-destroy-cut", "destroy-blank",
            "destroy-and-wipe-converged", "reuse-destroyed"}  # fmt: skip
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
    assert hosts == {*STORAGE, *APPLICATIONS}


def test_a_reboot_of_a_storage_server_is_mended_there_and_on_the_paths() -> None:
    plan = applying(GOAL, facts_of("disk-b-rebooted"))
    assert {host for host, layer in places(plan) if layer == "target"} == {"disk-b"}
    promoted = [step.address.host for step in plan.steps if step.summary.startswith("promote")]
    assert promoted == ["disk-b"]
    assert not [s for s in plan.steps if "create metadata" in s.summary or "make" in s.summary]


def test_while_a_side_is_behind_it_is_neither_promoted_nor_opened() -> None:
    plan = applying(GOAL, facts_of("drbd-sync-target"))
    assert not [s for s in plan.steps if "promote" in s.summary or "enable" in s.summary]
