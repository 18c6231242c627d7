"""Values in force are read from the running kernel, and compared one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import RuntimeValue
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.runtime import runtime_values

from .goal import APPLICATIONS, ARTICLE, GOAL, STORAGE, TIMINGS
from .recordings import article_facts_of, facts_of


def values_of(case: str) -> tuple[RuntimeValue, ...]:
    return runtime_values(GOAL, facts_of(case))


def wrong(case: str) -> set[tuple[str, str, str, str | None]]:
    return {(v.host, v.name, v.wanted, v.actual) for v in values_of(case) if v.differs}


def test_a_converged_cluster_runs_with_what_was_wanted() -> None:
    assert wrong("converged") == set()
    seen = {(value.host, value.layer) for value in values_of("converged")}
    assert seen == {(host, layer) for host in STORAGE for layer in ("drbd", "cluster")} | {
        (host, layer) for host in APPLICATIONS for layer in ("initiator", "multipath", "ocfs2")
    }


def names(host: str, layer: str) -> list[str]:
    return [v.name for v in values_of("converged") if (v.host, v.layer) == (host, layer)]


def test_every_option_of_the_arbitration_is_looked_at() -> None:
    assert names("disk-a", "drbd") == [
        "data timeout", "data ping-int", "data ping-timeout", "data connect-int", "data ko-count",
        "fence-peer hold", "fence-peer grace", "fence-peer longer",
    ]  # fmt: skip
    assert names("disk-b", "cluster") == [
        "runtime.config.totem.token", "runtime.config.totem.consensus", "quorum.device.timeout",
        "quorum.device.sync_timeout",
        "fence-disk-a-1 pcmk_reboot_timeout", "fence-disk-a-1 pcmk_off_timeout",
        "fence-disk-b-1 pcmk_reboot_timeout", "fence-disk-b-1 pcmk_off_timeout",
    ]  # fmt: skip


def test_every_session_and_disk_is_looked_at() -> None:
    found = names("srv-a", "initiator")
    assert found[:6] == [
        f"data.disk-a 10.77.2.11 {name}"
        for name in (
            "recovery_tmo", "abort_tmo", "lu_reset_tmo", "tgt_reset_tmo", "recv_tmo", "ping_tmo"
        )
    ]  # fmt: skip
    assert found[-4:] == ["sda timeout", "sdb timeout", "sdc timeout", "sdd timeout"]
    assert len(found) == 4 * 6 + 4


def test_multipathd_and_o2cb_are_looked_at() -> None:
    assert names("srv-b", "multipath") == [
        "polling_interval", "max_polling_interval", "checker_timeout", "fast_io_fail_tmo",
        "no_path_retry", "path_checker", "path_grouping_policy", "prio", "failback",
        "data queueing",
    ]  # fmt: skip
    assert names("srv-b", "ocfs2") == [
        "dead_threshold", "idle_timeout_ms", "keepalive_delay_ms", "reconnect_delay_ms",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "host", "told"),
    [
        ("multipath-not-reread", "srv-b", {("checker_timeout", "15", "30")}),
        ("queueing-disabled", "srv-a", {("data queueing", "on", "off")}),
        ("session-with-stock-timeouts", "srv-a", {
            ("data.disk-b 10.77.3.12 abort_tmo", "10", "15"),
            ("data.disk-b 10.77.3.12 recv_tmo", "3", "10"),
        }),
        ("recovery-set-by-hand", "srv-b", {
            (f"data.disk-{side} {address} recovery_tmo", "5", "120")
            for side, address in (
                ("a", "10.77.2.11"), ("a", "10.77.3.11"), ("b", "10.77.2.12"), ("b", "10.77.3.12")
            )
        }),
    ],
)  # fmt: skip
def test_what_runs_beside_a_file_that_is_right_is_told(
    case: str, host: str, told: set[tuple[str, str, str]]
) -> None:
    assert wrong(case) == {(host, *words) for words in told}


def test_changed_o2cb_values_are_told() -> None:
    assert {name for _, name, _, _ in wrong("o2cb-values-changed")} >= {"dead_threshold"}


def test_a_wish_that_was_not_applied_is_told() -> None:
    goal = replace(
        GOAL, cluster=replace(GOAL.cluster, timings=replace(TIMINGS, drbd_ping_timeout_ds=60))
    )
    values = runtime_values(goal, facts_of("converged"))
    assert {(v.host, v.name, v.wanted, v.actual) for v in values if v.differs} == {
        (host, "data ping-timeout", "60", "30") for host in STORAGE
    }


def test_what_is_not_there_has_no_value() -> None:
    assert {actual for _, _, _, actual in wrong("session-logged-out")} == {None}
    assert {v.actual for v in values_of("blank")} == {None}


def test_a_host_that_was_not_read_gives_none() -> None:
    assert runtime_values(GOAL, Facts()) == ()


def test_a_disk_with_the_stock_timeout_is_told() -> None:
    facts = facts_of("converged")
    now = facts.of("srv-a", InitiatorFacts)
    facts = facts.with_("srv-a", replace(now, disk_timeouts={**now.disk_timeouts, "sdb": 30}))
    (found,) = (v for v in runtime_values(GOAL, facts) if v.differs and v.layer == "initiator")
    assert (found.host, found.name, found.wanted, found.actual) == (
        "srv-a",
        "sdb timeout",
        "20",
        "30",
    )


def test_a_token_that_was_reloaded_by_hand_is_told() -> None:
    assert wrong("corosync-reloaded") == {
        (host, "runtime.config.totem.token", "3000", "2900") for host in STORAGE
    }


def test_in_the_articles_mode_corosync_is_not_asked() -> None:
    found = runtime_values(ARTICLE, article_facts_of("converged"))
    assert not [value for value in found if value.layer == "cluster"]
    assert not [value for value in found if value.differs]
