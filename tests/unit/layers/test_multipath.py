"""Maps and paths, as multipathd tells them in JSON."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.probe import Output
from sanglier.core.step import Risk
from sanglier.layers.files import differs
from sanglier.layers.multipath import change
from sanglier.layers.multipath.desired import DAEMON, PATH, conf_file, settings
from sanglier.layers.multipath.facts import Map, MultipathFacts
from sanglier.layers.multipath.probe import parse_maps, parse_settings

from .alter import altered
from .goal import APPLICATIONS, GOAL, TIMINGS, VOLUME
from .recordings import facts_of
from .simulate import applying


def multipath(case: str, host: str) -> MultipathFacts:
    return facts_of(case).of(host, MultipathFacts)


def the_map(case: str, host: str) -> Map:
    (found,) = multipath(case, host).maps
    return found


@pytest.mark.parametrize("host", APPLICATIONS)
def test_blank_hosts_have_neither_file_nor_daemon_nor_map(host: str) -> None:
    now = multipath("blank", host)
    assert (now.maps, now.disks) == ((), {})
    assert PATH not in now.files
    assert not now.units[DAEMON].is_active


@pytest.mark.parametrize("host", APPLICATIONS)
def test_a_converged_host_has_one_map_with_four_good_paths_in_two_groups(host: str) -> None:
    found = the_map("converged", host)
    assert (found.name, found.wwid, found.groups) == (VOLUME.alias, VOLUME.wwid, 2)
    assert sorted(path.checker for path in found.paths) == ["ghost"] * 2 + ["ready"] * 2
    assert found.queueing == "on"


@pytest.mark.parametrize("host", APPLICATIONS)
def test_the_open_side_has_the_higher_priority_and_the_other_is_a_ghost(host: str) -> None:
    paths = the_map("converged", host).paths
    best = max(path.priority for path in paths)
    assert {p.target for p in paths if p.priority == best} == {
        GOAL.cluster.target_iqn(VOLUME, GOAL.cluster.storage[0])
    }
    assert {p.target for p in paths if p.checker == "ghost"} == {
        GOAL.cluster.target_iqn(VOLUME, GOAL.cluster.storage[1])
    }


@pytest.mark.parametrize("host", APPLICATIONS)
def test_a_planned_move_changes_the_paths_places(host: str) -> None:
    checkers = {p.target[-6:]: p.checker for p in the_map("side-moved", host).paths}
    assert checkers == {"disk-a": "ghost", "disk-b": "ready"}


@pytest.mark.parametrize("host", APPLICATIONS)
def test_every_disk_has_the_wwid_of_the_volume(host: str) -> None:
    assert list(multipath("converged", host).disks.values()) == [VOLUME.wwid] * 4


def test_a_hand_edited_file_is_seen_with_its_text() -> None:
    now = multipath("multipath-conf-edited", "srv-b")
    assert differs(conf_file(GOAL), now.files)
    assert "no_path_retry 5" in (now.files[PATH].text or "")
    assert not differs(conf_file(GOAL), multipath("multipath-conf-edited", "srv-a").files)


def test_a_stopped_daemon_tells_no_maps() -> None:
    now = multipath("multipathd-stopped", "srv-a")
    assert not now.units[DAEMON].is_active
    assert now.maps == ()
    assert len(now.disks) == 4


def test_paths_to_a_dead_server_are_faulty() -> None:
    checkers = {p.target[-6:]: p.checker for p in the_map("disk-b-dead", "srv-a").paths}
    assert checkers == {"disk-a": "ready", "disk-b": "faulty"}


@pytest.mark.parametrize("text", ["", "timeout\n", "{}", "[]", "null", '{"maps": 3}'])
def test_a_daemon_that_does_not_answer_has_no_maps(text: str) -> None:
    assert parse_maps(Output(status=1, text=text)) == ()


@pytest.mark.parametrize("host", APPLICATIONS)
def test_a_converged_daemon_runs_with_what_the_file_says(host: str) -> None:
    found = multipath("converged", host).settings
    assert found.items() >= settings(TIMINGS).items()


def test_a_daemon_that_does_not_run_or_answer_has_no_settings() -> None:
    assert multipath("blank", "srv-a").settings == {}
    assert parse_settings(Output(status=1, text="timeout\n")) == {}


CONFIG = """defaults {
\tpolling_interval 5
\tno_path_retry "fail"
}
blacklist {
\tdevice {
\t\tvendor "LIO-ORG"
\t}
}
devices {
\tdevice {
\t\tvendor "(LIO-ORG|SUSE)"
\t\tno_path_retry 12
\t\tfailback "immediate"
\t}
\tdevice {
\t\tvendor "NETAPP"
\t\tno_path_retry 3
\t}
\tdevice {
\t\tvendor "LIO-ORG"
\t\tno_path_retry "queue"
\t}
}
"""


def test_the_last_section_of_the_device_counts_before_the_defaults() -> None:
    found = parse_settings(Output(status=0, text=CONFIG))
    assert found["polling_interval"] == "5"
    assert found["no_path_retry"] == "queue"
    assert found["failback"] == "immediate"


def test_overrides_count_before_all() -> None:
    text = CONFIG + 'overrides {\n\tno_path_retry "fail"\n\tprotocol {\n\t\ttype "x"\n\t}\n}\n'
    found = parse_settings(Output(status=0, text=text))
    assert found["no_path_retry"] == "fail"
    assert "type" not in found


def test_settings_that_were_not_taken_over_are_read_again() -> None:
    now = multipath("converged", "srv-a")
    facts = altered(
        facts_of("converged"), "srv-a", MultipathFacts,
        settings={**now.settings, "checker_timeout": "30"},
    )  # fmt: skip
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "have multipathd read its file again"
    assert step.reason == "checker_timeout is 30, not 15"
    assert step.risk is Risk.DISRUPTIVE
    assert applying(GOAL, step.effect(facts)).empty


def test_a_map_that_somebody_stopped_from_queueing_queues_again() -> None:
    (old,) = multipath("converged", "srv-b").maps
    facts = altered(
        facts_of("converged"), "srv-b", MultipathFacts, maps=(replace(old, queueing="off"),)
    )
    (step,) = applying(GOAL, facts).steps
    assert step.reason == "sanglier-data does not queue"
    assert applying(GOAL, step.effect(facts)).empty


def test_a_wrong_file_and_what_runs_are_mended_in_one_step() -> None:
    facts = facts_of("multipath-conf-edited")
    now = facts.of("srv-b", MultipathFacts)
    facts = altered(facts, "srv-b", MultipathFacts, settings={**now.settings, "failback": "manual"})
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "write /etc/multipath.conf"
    assert applying(GOAL, step.effect(facts)).empty


STATUS = """\
0 1048472 multipath 2 0 1 0 1 1 A 0 4 2 8:0 F 1 0 1 8:16 F 1 0 1 8:48 A 0 0 1 8:32 A 0 0 1
"""
"""``dmsetup status sanglier-data`` on srv-a in the lab, while disk-a was dead, 2026-11-25."""


def run_haste(directory: Path, script: str, status: str) -> str:
    """Run a part of the script with a ``dmsetup`` that says ``status`` and notes its messages."""
    stub = directory / "dmsetup"
    stub.write_text(f'#!/bin/sh\n[ "$1" = status ] && printf "%s" "{status}" || echo "$@" >&3\n')
    stub.chmod(0o755)
    environment = {**os.environ, "PATH": f"{directory}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-ec", script], capture_output=True, text=True, timeout=20, check=True,
        env=environment, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout


def test_failed_paths_and_no_others_are_found_in_a_status_line(tmp_path: Path) -> None:
    script = change.FAILED + "failed sanglier-data"
    assert run_haste(tmp_path, script, STATUS).split() == ["8:0", "8:16"]
    assert run_haste(tmp_path, script, STATUS.replace(" F ", " A ")) == ""


def test_a_path_whose_session_is_lost_is_left_alone(tmp_path: Path) -> None:
    """The devices of the recording are none of this machine's, so that none is "running"."""
    status = STATUS.replace("8:0 ", "9999:0 ").replace("8:16 ", "9999:16 ")
    script = change.FAILED + change.HASTEN
    assert run_haste(tmp_path, f"exec 3>&1\nset -- sanglier-data\n{script}", status) == "ready\n"
