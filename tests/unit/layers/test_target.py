"""The exports, as LIO's configfs tells them."""

from __future__ import annotations

import pytest

from sanglier.core.probe import Output
from sanglier.layers.services import Unit
from sanglier.layers.target.desired import (
    RESTORE_UNIT,
    core,
    groups,
    portal,
    readable,
    state_path,
    tpg,
    tree_path,
)
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.layers.target.probe import parse_export

from .alter import altered
from .goal import GOAL, SECRETS, STORAGE, VOLUME
from .recordings import facts_of
from .simulate import applying, exported, open_sides

SERVERS = {server.name: server for server in GOAL.cluster.storage}


def export(case: str, host: str) -> Export:
    return facts_of(case).of(host, TargetFacts).exports[VOLUME.name]


@pytest.mark.parametrize("host", STORAGE)
def test_blank_hosts_have_no_target_loaded(host: str) -> None:
    now = facts_of("blank").of(host, TargetFacts)
    assert not now.loaded
    assert now.exports[VOLUME.name] == Export(values={})
    assert now.units[RESTORE_UNIT] == Unit(active="inactive", enabled="disabled")


@pytest.mark.parametrize("host", STORAGE)
def test_everything_that_is_written_is_read_back(host: str) -> None:
    found = export("converged", host)
    for group in groups(GOAL, VOLUME, SERVERS[host]):
        assert set(group.made) <= found.nodes
        wanted = {path: readable(path, value) for path, value in group.values.items()}
        assert {path: found.value(path) for path in wanted} == wanted


@pytest.mark.parametrize("host", STORAGE)
def test_both_sides_are_exported_with_the_same_serial(host: str) -> None:
    found = export("converged", host)
    assert host in exported(facts_of("converged"))
    assert found.value(f"{core(VOLUME)}/wwn/vpd_unit_serial") == VOLUME.serial
    assert VOLUME.serial


def test_one_side_is_open_and_the_cluster_may_choose_the_other() -> None:
    assert open_sides(facts_of("converged")) == {"disk-a"}
    assert open_sides(facts_of("side-moved")) == {"disk-b"}


@pytest.mark.parametrize("odd", ["1", "3"])
def test_a_side_that_is_neither_open_nor_standby_is_shut(odd: str) -> None:
    old = export("converged", "disk-b")
    half = Export(nodes=old.nodes, values={**old.values, state_path(VOLUME): odd})
    facts = altered(facts_of("converged"), "disk-b", TargetFacts, exports={VOLUME.name: half})
    (step,) = applying(GOAL, facts).steps
    assert step.summary == f"put this side of {VOLUME.name} into standby"


def test_a_target_that_is_not_there_is_the_clusters_to_build() -> None:
    facts = altered(facts_of("converged"), "disk-b", TargetFacts,
                    exports={VOLUME.name: Export(values={})})  # fmt: skip
    assert not [s for s in applying(GOAL, facts).steps if s.address.layer == "target"]


def test_an_edited_tree_file_is_written_again_without_being_shown() -> None:
    (step,) = applying(GOAL, facts_of("tree-edited")).steps
    assert (step.summary, step.detail) == (f"write {tree_path(VOLUME)}", ())


def test_the_sides_differ_in_group_and_state() -> None:
    group = f"{core(VOLUME)}/alua/sanglier"
    a, b = export("converged", "disk-a"), export("converged", "disk-b")
    assert (a.value(f"{group}/tg_pt_gp_id"), b.value(f"{group}/tg_pt_gp_id")) == ("10", "20")
    states = (a.value(f"{group}/alua_access_state"), b.value(f"{group}/alua_access_state"))
    assert states == ("0", "2")


@pytest.mark.parametrize("host", STORAGE)
def test_no_demo_mode(host: str) -> None:
    path = tpg(GOAL, VOLUME, SERVERS[host])
    found = export("converged", host)
    assert found.value(f"{path}/attrib/generate_node_acls") == "0"
    assert found.value(f"{path}/attrib/authentication") == "1"


@pytest.mark.parametrize("host", STORAGE)
def test_passwords_are_read_as_digests(host: str) -> None:
    values = export("converged", host).values
    found = {path: value for path, value in values.items() if path.endswith("/auth/password")}
    assert set(found.values()) == {secret.digest() for secret in SECRETS.chap.values()}


def test_a_portal_in_ipv6_has_brackets() -> None:
    assert portal("fd00::1") == "[fd00::1]:3260"
    assert portal("10.0.0.1") == "10.0.0.1:3260"


def test_a_removed_acl_is_absent_and_the_other_is_there() -> None:
    acls = f"{tpg(GOAL, VOLUME, SERVERS['disk-b'])}/acls/"
    nodes = {node.removeprefix(acls) for node in export("acl-removed", "disk-b").nodes}
    assert GOAL.cluster.initiator_iqn(GOAL.cluster.applications[1]) in nodes
    assert GOAL.cluster.initiator_iqn(GOAL.cluster.applications[0]) not in nodes


def test_the_acl_of_a_stranger_is_seen() -> None:
    assert any("stranger" in node for node in export("acl-of-a-stranger", "disk-b").nodes)


def test_an_unreadable_tree_is_an_empty_one() -> None:
    assert parse_export(Output(status=0, text="")) == Export(values={})


def test_a_changed_value_is_told_and_only_it_is_written() -> None:
    path = f"{tpg(GOAL, VOLUME, SERVERS['disk-a'])}/attrib/generate_node_acls"
    old = export("converged", "disk-a")
    demo = Export(nodes=old.nodes, values={**old.values, path: "1"})
    facts = altered(facts_of("converged"), "disk-a", TargetFacts, exports={VOLUME.name: demo})
    (step,) = applying(GOAL, facts).steps
    assert step.reason == "generate_node_acls is 1, not 0"


def test_a_changed_password_is_told_without_it() -> None:
    old = export("converged", "disk-a")
    values = {p: "0" * 64 if p.endswith("/password") else v for p, v in old.values.items()}
    other = Export(nodes=old.nodes, values=values)
    facts = altered(facts_of("converged"), "disk-a", TargetFacts, exports={VOLUME.name: other})
    assert {step.reason for step in applying(GOAL, facts).steps} == {"password is not as wanted"}


def test_the_boot_time_restore_is_switched_off() -> None:
    units = {RESTORE_UNIT: Unit(active="active", enabled="enabled")}
    facts = altered(facts_of("converged"), "disk-a", TargetFacts, units=units)
    (step,) = applying(GOAL, facts).steps
    assert step.summary == f"disable {RESTORE_UNIT}"
