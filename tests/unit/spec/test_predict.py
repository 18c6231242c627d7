"""What each fault comes to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.spec.budget import GRACE_S, OPEN_S
from sanglier.spec.predict import FAULTS, predict, predict_one
from sanglier.spec.timings import FAST, SAFE

KEYS = (
    "open-server-dead", "open-server-frozen", "standby-server-dead", "replication-cut",
    "one-san-cut", "interconnect-cut", "both-sans-cut", "management-cut", "witness-dead",
    "clock-stepped",
    "planned-move", "disk-hangs", "disk-fails", "application-dead", "application-frozen",
    "application-cut", "daemon-killed",
)  # fmt: skip


def test_the_keys_are_those_that_drills_use() -> None:
    assert tuple(FAULTS) == KEYS
    assert tuple(found.fault for found in predict(SAFE)) == KEYS


@pytest.mark.parametrize("fault", KEYS)
def test_a_stall_is_the_sum_of_its_waits(fault: str) -> None:
    for timings in (SAFE, FAST):
        found = predict_one(timings, fault)
        if found.stall_s is not None:
            assert found.stall_s == pytest.approx(sum(seconds for _, seconds in found.made_of))
        assert found.text.endswith(".")


def test_only_a_server_that_lost_every_path_waits_without_end() -> None:
    assert [p.fault for p in predict(SAFE) if p.stall_s is None] == ["both-sans-cut"]


def test_what_stalls_nothing() -> None:
    still = {p.fault for p in predict(SAFE) if p.stall_s == 0}
    assert still == {"management-cut", "witness-dead", "clock-stepped"}


def test_stalls_of_safe() -> None:
    stalls = {p.fault: p.stall_s for p in predict(SAFE)}
    assert stalls["open-server-dead"] == stalls["open-server-frozen"] == 28.6
    assert stalls["standby-server-dead"] == 27.6
    assert stalls["replication-cut"] == 39.6
    assert stalls["one-san-cut"] == 14
    assert stalls["interconnect-cut"] == 32
    assert stalls["disk-hangs"] == 97
    assert stalls["application-dead"] == 134
    assert stalls["application-cut"] == 290


def test_the_longest_of_what_runs_at_the_same_time_counts() -> None:
    quick = predict_one(SAFE, "open-server-dead", fence_s=1)
    assert quick.made_of[0] == ("NOP interval", 3)
    lazy_mirror = predict_one(replace(SAFE, drbd_ping_int_s=6), "open-server-dead", fence_s=1)
    assert lazy_mirror.made_of[0] == ("2 x ping-int", 12)
    patient = predict_one(replace(SAFE, recovery_s=20), "open-server-dead", fence_s=1)
    assert dict(patient.made_of)["recovery"] == 20
    slow_witness = replace(SAFE, qdevice_timeout_ms=10000)
    found = predict_one(slow_witness, "open-server-dead")
    assert found.made_of[0] == ("witness drops it", 12)


def test_a_cut_mirror_waits_for_a_flap_and_the_word_of_the_kill_for_corosync() -> None:
    waits = predict_one(SAFE, "replication-cut").made_of
    names = [name for name, _ in waits]
    assert names == [
        "2 x ping-int", "ping-timeout", "grace for a flap", "fencing", "token", "consensus",
        "handler",
    ]  # fmt: skip
    assert dict(waits)["grace for a flap"] == GRACE_S


def test_the_open_side_need_not_wait_for_corosync() -> None:
    patient = replace(SAFE, corosync_token_ms=9000, corosync_consensus_ms=10800)
    assert predict_one(patient, "standby-server-dead").stall_s == 12 + 20 + 1


def test_a_fault_without_a_prediction() -> None:
    with pytest.raises(KeyError):
        predict_one(SAFE, "flood")


def test_where_programs_take_longer_only_their_waits_do() -> None:
    usual, slow = (predict_one(SAFE, "planned-move", programs=p) for p in (1.0, 10.0))
    assert dict(usual.made_of)["polling"] == dict(slow.made_of)["polling"]
    assert usual.stall_s == OPEN_S + SAFE.polling_s
    assert slow.stall_s == 10 * OPEN_S + SAFE.polling_s
    dead, slowly = (predict_one(SAFE, "open-server-dead", programs=p) for p in (1.0, 10.0))
    assert slowly.stall_s == (dead.stall_s or 0) + 9 * OPEN_S
    assert [one for one in slowly.made_of if one not in dead.made_of] == [("opening", 10 * OPEN_S)]
