"""Corosync and Pacemaker, as their own tools tell them; the steps that start and mend them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.core.planner import predict
from sanglier.core.probe import Output
from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.cluster import judge, moves
from sanglier.layers.cluster.corosync import AUTHKEY, CONF, checked_values, conf_file
from sanglier.layers.cluster.desired import QNETD_UNIT, UNITS, files_of
from sanglier.layers.cluster.facts import ClusterFacts, Node, State, WitnessFacts
from sanglier.layers.cluster.probe import parse, parse_state
from sanglier.layers.files import FileState, differs
from sanglier.layers.stack import LAYERS

from .alter import altered, not_running, with_export, with_state, without
from .goal import ARTICLE, GOAL, SECRETS, STORAGE, TIMINGS, VOLUME, allowing
from .recordings import CASES, NAMES, facts_of, outputs_of, unreachable_in
from .simulate import applying, destroying, may_run

SERVERS = {server.name: server for server in GOAL.cluster.storage}
(LAYER,) = (layer for layer in LAYERS if layer.name == "cluster")


def cluster(case: str, host: str) -> ClusterFacts:
    return facts_of(case).of(host, ClusterFacts)


def state(case: str, host: str = "disk-a") -> State:
    found = cluster(case, host).state
    assert found is not None
    return found


def steps(plan: Plan) -> list[str]:
    return [f"{s.address.host} {s.summary}" for s in plan.steps if s.address.layer == "cluster"]


def told(case: str, host: str = "disk-a") -> dict[str, str]:
    lines = LAYER.status(GOAL, facts_of(case))
    return {
        line.subject: line.text for line in lines if line.host == host or line.subject != "engine"
    }


@pytest.mark.parametrize("host", STORAGE)
def test_on_blank_hosts_nothing_runs(host: str) -> None:
    now = cluster("blank", host)
    assert (now.state, now.configuration, now.values, now.device_votes) == (None, None, {}, False)
    assert not any(now.units[name].is_active for name in UNITS)
    assert not facts_of("blank").of("witness", WitnessFacts).units[QNETD_UNIT].is_active


@pytest.mark.parametrize("host", STORAGE)
def test_a_converged_server_has_files_units_and_values_as_wanted(host: str) -> None:
    now = cluster("converged", host)
    assert not [f.path for f in files_of(GOAL, SERVERS[host]) if differs(f, now.files)]
    assert all(now.units[name].is_active and now.units[name].is_enabled for name in UNITS)
    assert checked_values(GOAL.cluster).items() <= now.values.items()
    assert now.device_votes


@pytest.mark.parametrize("host", STORAGE)
def test_secret_files_are_known_by_their_digests_only(host: str) -> None:
    files = cluster("converged", host).files
    assert {path for path, file in files.items() if file.text is not None} == {CONF}


@pytest.mark.parametrize("host", STORAGE)
def test_a_converged_state_is_the_one_that_is_predicted(host: str) -> None:
    found, wanted = state("converged", host), moves.wanted_state(GOAL.cluster)
    assert found == replace(wanted, coordinator=found.coordinator)
    assert found.coordinator in STORAGE


@pytest.mark.parametrize("case", NAMES)
def test_every_recorded_state_is_read_where_pacemaker_runs(case: str) -> None:
    for host in (h for h in STORAGE if h not in unreachable_in(CASES / case)):
        text = outputs_of(case, host, "cluster")["state"].text
        found = parse_state(text)
        assert (found is None) == (text == "")
        if found is not None:
            assert set(found.nodes) <= set(STORAGE)
            assert {n for places in found.running.values() for n in places} <= set(STORAGE)


@pytest.mark.parametrize("text", ["", "crm_mon: Connection to cluster failed", "<a/>", "<a>"])
def test_what_is_no_state_is_none(text: str) -> None:
    assert parse_state(text) is None


def test_a_side_that_moved_is_told_and_stays() -> None:
    assert state("side-moved").where("data-open") == ("disk-b",)
    assert told("side-moved")["data"] == "open on disk-b (preferred: disk-a)"
    assert applying(GOAL, facts_of("side-moved")).empty


def test_a_server_in_maintenance_is_told_and_left_alone() -> None:
    assert state("node-in-standby").nodes["disk-b"] == Node(online=True, standby=True)
    assert told("node-in-standby", "disk-b")["engine"].startswith("in maintenance")
    assert applying(GOAL, facts_of("node-in-standby")).empty


def test_a_lost_server_that_cannot_be_killed_is_unclean() -> None:
    assert state("disk-b-dead").nodes["disk-b"].unclean
    found = {p.code: p for p in judge.problems(GOAL, facts_of("disk-b-dead"))}
    assert "stonith_admin --confirm disk-b" in found["SG-CLU-002"].fix


def test_a_server_that_left_in_order_is_not_unclean() -> None:
    assert state("disk-b-off").nodes["disk-b"] == Node()
    assert state("disk-b-off").where("data-open") == ("disk-a",)


def test_a_stopped_pacemaker_is_no_member_and_in_no_maintenance() -> None:
    """crm_mon calls it online and standby, for its corosync still runs: it is pending."""
    assert state("engine-stopped").nodes["disk-b"] == Node()
    assert told("engine-stopped", "disk-b")["engine"] == "engine stopped"
    assert "SG-CLU-003" not in {p.code for p in judge.problems(GOAL, facts_of("engine-stopped"))}


@pytest.mark.parametrize("case", ["engine-stopped", "node-in-standby", "disk-b-off"])
def test_a_power_switch_that_nobody_can_try_is_not_blamed(case: str) -> None:
    """Only the other server may switch a server off, and that one does not work now."""
    assert not state(case).where("fence-disk-a-1")
    assert told(case)["fence-disk-a-1"].endswith("is tried by nobody")
    assert "SG-CLU-005" not in {p.code for p in judge.problems(GOAL, facts_of(case))}


def test_a_volume_that_is_open_nowhere_is_waited_for() -> None:
    """As after an apply that was cut when the configuration had just been loaded."""
    shut = with_export(facts_of("converged"), "disk-a", sanglier__alua_access_state="2")
    (step,) = applying(GOAL, not_running(shut, "data-open")).steps
    assert (step.summary, step.reason) == (
        "wait until one side of every volume is open", "data is open nowhere",
    )  # fmt: skip


def test_a_server_that_joins_takes_over_the_configuration_of_the_other() -> None:
    after = predict(facts_of("engine-stopped"), applying(GOAL, facts_of("engine-stopped")).steps)
    assert after.of("disk-b", ClusterFacts).configuration == cluster(
        "converged", "disk-b").configuration  # fmt: skip


def test_a_power_switch_that_was_just_configured_is_not_called_silent() -> None:
    found = [p for p in judge.problems(GOAL, facts_of("configuration-just-loaded"))
             if p.code == "SG-CLU-005"]  # fmt: skip
    assert [p.what for p in found] == [
        f"the power switch of {host} was not heard yet" for host in STORAGE
    ]


def test_many_differences_are_counted() -> None:
    (load,) = (s for s in applying(GOAL, facts_of("engine-just-started")).steps
               if s.summary.startswith("load"))  # fmt: skip
    assert load.reason.count(";") == moves.SHOWN
    assert load.reason.endswith(" more")


def test_destroy_leaves_debians_example_of_corosync_conf() -> None:
    assert CONF in cluster("blank", "disk-a").files
    assert not [s for s in destroying(GOAL, facts_of("blank")).steps if CONF in s.summary]


def test_a_power_switch_that_does_not_answer_is_told() -> None:
    (problem,) = judge.problems(GOAL, facts_of("fence-device-wrong"))
    assert problem.what == "the power switch of disk-b does not answer"
    assert "did not complete within" in problem.why
    assert told("fence-device-wrong")["fence-disk-b-1"].endswith("DOES NOT ANSWER")
    assert applying(GOAL, facts_of("fence-device-wrong")).empty


def test_a_silent_witness_gives_no_vote() -> None:
    for case in ("witness-stopped", "witness-dead"):
        assert not cluster(case, "disk-a").device_votes
        assert "NO VOTE OF THE WITNESS" in told(case)["engine"]
        assert state(case).quorate
    assert steps(applying(GOAL, facts_of("witness-stopped"))) == [
        f"witness start {QNETD_UNIT}, also at boot"
    ]


def test_a_stopped_engine_is_started_after_its_way_to_fence_was_tried() -> None:
    assert steps(applying(GOAL, facts_of("engine-stopped"))) == [
        "disk-b check that fence_ipmilan reaches the power switch of disk-a",
        "disk-b start corosync, its quorum device and pacemaker",
        "disk-a wait until the storage servers agree, with quorum",
        "disk-a wait until one side of every volume is open",
    ]


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("cib-edited", "data-open is changed"),
        ("fencing-disabled", "cib-bootstrap-options is changed"),
    ],
)
def test_a_changed_configuration_is_loaded_again(case: str, reason: str) -> None:
    first, second = applying(GOAL, facts_of(case)).steps
    assert (first.summary, first.reason) == ("load Pacemaker's configuration", reason)
    assert second.summary == "wait until one side of every volume is open"


def test_a_changed_power_switch_is_tried_by_both_before_it_is_trusted() -> None:
    servers = tuple(
        replace(s, fence=tuple(replace(d, parameters=(("ip", "10.9.9.9"),)) for d in s.fence))
        for s in GOAL.cluster.storage
    )
    goal = replace(GOAL, cluster=replace(GOAL.cluster, storage=servers))
    assert steps(applying(goal, facts_of("converged")))[:3] == [
        "disk-a check that fence_ipmilan reaches the power switch of disk-b",
        "disk-b check that fence_ipmilan reaches the power switch of disk-a",
        "disk-a load Pacemaker's configuration",
    ]


def test_an_edited_corosync_conf_is_written_and_taken_over() -> None:
    (step,) = applying(GOAL, facts_of("corosync-conf-edited")).steps
    assert str(step.address) == "disk-b/cluster/corosync.conf"
    assert {"-    token: 2900", "+    token: 3000"} <= set(step.detail)
    assert len(step.actions) == 2


def test_a_token_in_force_that_is_not_the_files_is_told() -> None:
    assert cluster("corosync-reloaded", "disk-a").values["runtime.config.totem.token"] == "2900"
    values = {**cluster("converged", "disk-a").values, "runtime.config.totem.token": "2900"}
    facts = altered(facts_of("converged"), "disk-a", ClusterFacts, values=values)
    (step,) = applying(GOAL, facts).steps
    assert (step.summary, step.reason) == (
        "reload corosync.conf", "runtime.config.totem.token is 2900, not 3000",
    )  # fmt: skip


def test_timings_that_change_are_written_and_reloaded_on_both() -> None:
    slower = replace(TIMINGS, corosync_token_ms=4000, corosync_consensus_ms=4800)
    goal = replace(GOAL, cluster=replace(GOAL.cluster, timings=slower))
    found = steps(applying(goal, facts_of("converged")))
    assert found == [f"{host} write {CONF}" for host in STORAGE]


def test_a_running_engine_never_gets_another_key() -> None:
    goal = replace(GOAL, secrets=replace(SECRETS, corosync=Secret("x" * 128)))
    plan = applying(goal, facts_of("converged"))
    assert [p.code for p in plan.blockers] == ["SG-CLU-007", "SG-CLU-007"]
    assert not [s for s in plan.steps if AUTHKEY in s.summary]


def test_a_stopped_engine_gets_the_key_of_the_file() -> None:
    goal = replace(GOAL, secrets=replace(SECRETS, corosync=Secret("x" * 128)))
    plan = applying(goal, facts_of("blank"))
    assert f"disk-a write {AUTHKEY}" in steps(plan)
    assert may_run(plan)


def test_a_new_fence_password_is_written_and_shown_nowhere() -> None:
    new = "another-password"
    fence = {**SECRETS.fence, "disk-b": Secret(new)}
    goal = replace(GOAL, secrets=replace(SECRETS, fence=fence))
    found = applying(goal, facts_of("converged")).steps
    assert {s.summary for s in found} == {"write /etc/sanglier/fence/fence-disk-b-1"}
    assert {s.detail for s in found} == {()}
    assert new not in repr(found)


def test_a_side_that_is_nowhere_is_told_with_what_failed() -> None:
    facts = not_running(facts_of("converged"), "data-open")
    facts = with_state(facts, failed=("data-open_start_0 on disk-a: the target did not open",))
    (problem,) = judge.problems(GOAL, facts)
    assert (problem.code, problem.what) == ("SG-CLU-004", "no side is open")
    assert "the target did not open" in problem.why


def test_open_on_both_is_told() -> None:
    both = {**state("converged").running, "data-open": dict.fromkeys(STORAGE, "Started")}
    (problem,) = judge.problems(GOAL, with_state(facts_of("converged"), running=both))
    assert problem.what == "open on disk-a and disk-b"


@pytest.mark.parametrize(
    ("primitive", "lacking"),
    [("data-lun", "its target is not started"), ("data-drbd", "its mirror is not promoted")],
)
def test_a_side_that_could_not_take_over_is_told(primitive: str, lacking: str) -> None:
    running = {**state("converged").running}
    running[primitive] = {"disk-a": running[primitive]["disk-a"]}
    (problem,) = judge.problems(GOAL, with_state(facts_of("converged"), running=running))
    assert (problem.code, problem.address.host) == ("SG-CLU-008", "disk-b")
    assert problem.what.endswith(lacking)


def test_the_article_needs_a_consent_that_names_the_cluster() -> None:
    refused = applying(ARTICLE, facts_of("blank"))
    assert [p.code for p in refused.blockers] == ["SG-CLU-001"]
    allowed = applying(allowing("article:guiguiabloc", goal=ARTICLE), facts_of("blank"))
    assert may_run(allowed)
    assert steps(allowed) == []


def test_one_server_that_was_not_read_starts_nothing() -> None:
    facts = without(facts_of("blank"), "disk-b")
    assert not [s for s in steps(applying(GOAL, facts)) if "start corosync," in s or "load" in s]


def test_the_witness_is_stopped_after_the_servers_that_ask_it() -> None:
    found = steps(destroying(GOAL, facts_of("converged")))
    assert found[:3] == [
        "disk-a stop pacemaker, corosync-qdevice and corosync for good",
        "disk-b stop pacemaker, corosync-qdevice and corosync for good",
        f"witness stop {QNETD_UNIT} for good",
    ]


def test_corosync_conf_knows_both_links_and_the_witness() -> None:
    text = conf_file(GOAL).text
    for server in GOAL.cluster.storage:
        assert f"ring0_addr: {server.replication}" in text
        assert f"ring1_addr: {server.management}" in text
    assert "host: 10.77.0.31" in text


def test_answers_of_one_tool_missing_leave_the_others() -> None:
    outputs = outputs_of("converged", "disk-a", "cluster")
    now = parse(GOAL, "disk-a", {**outputs, "values": Output(status=0, text="")})
    assert isinstance(now, ClusterFacts)
    assert (now.values, now.device_votes) == ({}, False)
    assert now.state == state("converged")


def with_key(facts: Facts, host: str, digest: str) -> Facts:
    files = {**facts.of(host, ClusterFacts).files, AUTHKEY: FileState(digest=digest)}
    return altered(facts, host, ClusterFacts, files=files)


def test_a_key_changed_on_the_host_is_refused_there() -> None:
    goal: Goal = GOAL
    plan = applying(goal, with_key(facts_of("converged"), "disk-b", "0" * 64))
    assert [str(p.address) for p in plan.blockers] == ["disk-b/cluster/authkey"]


def test_every_volume_waits_for_one_open_side() -> None:
    (wait,) = (s for s in applying(GOAL, facts_of("blank")).steps if "one side" in s.summary)
    assert [action.args[1:] for action in wait.actions if hasattr(action, "args")] == [
        (f"{VOLUME.name}-open",)
    ]
