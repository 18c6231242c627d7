"""Planned changes: refused where the other side could not carry the volume, and what runs else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.core.problem import Severity
from sanglier.layers.cluster import change
from sanglier.layers.cluster.facts import ClusterFacts, Node
from sanglier.layers.target.facts import Export, TargetFacts

from .alter import altered, with_side, with_state, without
from .goal import GOAL, STORAGE, VOLUME
from .recordings import facts_of

A, B = GOAL.cluster.storage


def refusal(facts: Facts, host: str = "disk-b") -> str:
    server = A if host == A.name else B
    found = change.unready(GOAL, facts, VOLUME, server)
    if found is None:
        return ""
    assert found.severity is Severity.BLOCKER
    assert found.address.host == host
    assert found.why
    assert found.fix
    return f"{found.code} {found.what}"


def node(**values: bool) -> Facts:
    state = facts_of("converged").of("disk-a", ClusterFacts).state
    assert state is not None
    return with_state(facts_of("converged"), nodes={**state.nodes, "disk-b": Node(**values)})


@pytest.mark.parametrize("host", STORAGE)
def test_on_a_converged_cluster_either_side_may_open(host: str) -> None:
    assert refusal(facts_of("converged"), host) == ""


def test_a_server_that_is_no_member_is_refused() -> None:
    assert refusal(node(online=False)).startswith("SG-MOVE-001")
    assert refusal(node(online=True, standby=True)).startswith("SG-MOVE-001")


def test_without_quorum_nothing_moves() -> None:
    facts = with_state(facts_of("converged"), quorate=False)
    assert change.state_of(GOAL, facts) is None
    assert refusal(facts).startswith("SG-MOVE-001")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"disk": "Inconsistent"}, "(Primary, Inconsistent)"),
        ({"role": "Secondary"}, "(Secondary, UpToDate)"),
        ({"suspended": True}, "(Primary, UpToDate, frozen)"),
        ({"up": False, "role": "", "disk": ""}, "(down, no disk)"),
    ],
    ids=["behind", "secondary", "frozen", "down"],
)
def test_a_side_that_is_behind_never_opens(values: dict[str, object], told: str) -> None:
    found = refusal(with_side(facts_of("converged"), "disk-b", **values))
    assert found.startswith("SG-MOVE-002")
    assert told in found


def test_a_side_without_export_is_refused() -> None:
    exports = {VOLUME.name: Export(values={})}
    facts = altered(facts_of("converged"), "disk-b", TargetFacts, exports=exports)
    assert refusal(facts).startswith("SG-MOVE-003")


@pytest.mark.parametrize("case", ["disk-b-half-up", "node-in-standby", "engine-stopped"])
def test_real_trouble_is_refused(case: str) -> None:
    assert refusal(facts_of(case)).startswith("SG-MOVE-00")


def test_where_it_is_open_is_read_from_any_server_that_knows() -> None:
    for facts in (facts_of("converged"), without(facts_of("converged"), "disk-a")):
        found = change.state_of(GOAL, facts)
        assert found is not None
        assert change.open_on(GOAL, found[1], VOLUME) == A
    moved = change.state_of(GOAL, facts_of("side-moved"))
    assert moved is not None
    assert change.open_on(GOAL, moved[1], VOLUME) == B
    assert change.open_on(GOAL, replace(moved[1], running={}), VOLUME) is None


def test_nobody_knows_where_no_engine_runs() -> None:
    assert change.state_of(GOAL, facts_of("blank")) is None


def test_a_move_names_resource_node_and_patience() -> None:
    resource, node, seconds, state = change.move(VOLUME, B).args
    assert (resource, node, seconds) == ("data-open", "disk-b", str(change.MOVE_S))
    assert str(state).endswith("/iblock_0/data/alua/sanglier/alua_access_state")


def test_emptying_and_filling_name_the_node_and_its_mirrors() -> None:
    assert change.empty(B).args == ("disk-b", str(change.EMPTY_S))
    assert change.fill(GOAL, B).args == ("disk-b", str(change.FILL_S), str(VOLUME.minor))
