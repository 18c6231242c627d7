"""Device, port, addresses and minor of a running volume against those of the file."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.facts import Facts
from sanglier.core.step import Risk
from sanglier.layers.base import Goal
from sanglier.layers.drbd import status
from sanglier.layers.drbd.adjusting import ADJUST
from sanglier.layers.drbd.facts import DrbdFacts, InForce, Resource
from sanglier.layers.drbd.in_force import differences

from .alter import with_device, with_side
from .firing import with_volume
from .goal import GOAL, VOLUME
from .recordings import facts_of
from .simulate import applying, may_run

OTHER = with_volume(devices={**VOLUME.devices, "disk-b": "/dev/ubdc"})
RENAMED = with_volume(devices=dict.fromkeys(VOLUME.devices, "/dev/dm-0"))
PORT = with_volume(port=7799)


def side(case: str, host: str) -> Resource:
    return facts_of(case).of(host, DrbdFacts).resources[VOLUME.name]


def drbd_steps(goal: Goal, facts: Facts) -> list[str]:
    steps = applying(goal, facts).steps
    return [f"{s.address.host}: {s.summary}" for s in steps if s.address.subject == VOLUME.name
            and s.address.layer == "drbd"]  # fmt: skip


def numbered(facts: Facts, backed: str, named: str) -> Facts:
    """Give both sides the numbers of the attached and of the named device; empty: not known."""
    for host in VOLUME.devices:
        now = facts.of(host, DrbdFacts).resources[VOLUME.name].in_force
        in_force = replace(now, backed=frozenset({backed} - {""}))
        facts = with_side(facts, host, in_force=in_force, named=named)
    return facts


def test_what_the_kernel_runs_is_read() -> None:
    assert side("converged", "disk-a").in_force == InForce(
        minor=0, device="/dev/mapper/disk",
        here="ipv4 10.77.1.11:7789", there="ipv4 10.77.1.12:7789", backed=frozenset({"254:0"}),
    )  # fmt: skip
    assert side("drbd-detached", "disk-b").in_force.device == ""
    assert side("blank", "disk-a").in_force == InForce()


@pytest.mark.parametrize("case", ["converged", "replication-cut", "drbd-stand-alone", "disk-b-off"])
def test_where_kernel_and_file_agree_nothing_is_told(case: str) -> None:
    facts = facts_of(case)
    for host in (h for h in VOLUME.devices if facts.has(h, DrbdFacts)):
        assert differences(GOAL, VOLUME, host, side(case, host)) == ()


@pytest.mark.parametrize("goal", [OTHER, PORT, with_volume(minor=4)])
def test_what_cannot_change_under_a_live_volume_blocks_and_no_step_is_proposed(goal: Goal) -> None:
    facts = numbered(
        facts_of("converged"), backed="254:0", named="98:32" if goal is OTHER else "254:0"
    )
    assert not may_run(applying(goal, facts))
    assert drbd_steps(goal, facts) == []
    sick = [line for line in status.status(goal, facts) if not line.healthy]
    assert sick
    assert all("the kernel " in line.text and "the file " in line.text for line in sick)


def test_a_device_is_known_by_its_number_not_by_its_name() -> None:
    other = numbered(facts_of("converged"), backed="254:0", named="98:32")
    assert [p.code for p in applying(GOAL, other).blockers] == ["SG-DRBD-021"] * 2
    same = numbered(facts_of("converged"), backed="254:0", named="254:0")
    assert applying(RENAMED, same).blockers == ()


def test_a_renaming_writes_the_files_and_neither_detaches_nor_connects() -> None:
    facts = numbered(facts_of("converged"), backed="254:0", named="254:0")
    plan = applying(RENAMED, facts)
    assert {s.summary for s in plan.steps} == {"write /etc/drbd.d/data.res", "adjust resource data"}
    (script,) = {a.args[3] for s in plan.steps for a in s.actions if hasattr(a, "args")}
    assert script == ""


def test_without_numbers_names_must_do() -> None:
    facts = numbered(facts_of("converged"), backed="", named="")
    assert [p.code for p in applying(RENAMED, facts).blockers] == ["SG-DRBD-021"] * 2


def test_a_port_changes_while_the_peer_is_away_and_known_to_be_behind() -> None:
    facts = facts_of("node-in-standby")
    assert side("node-in-standby", "disk-a").alone
    steps = [s for s in applying(PORT, facts).steps if s.address.layer == "drbd"]
    assert [s.summary for s in steps if s.risk is Risk.DISRUPTIVE] == ["adjust resource data"]
    (adjust,) = [s for s in steps if s.risk is Risk.DISRUPTIVE]
    assert (adjust.address.host, "7789" in adjust.reason, "7799" in adjust.reason) == (
        "disk-a", True, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"peer_disk": "DUnknown"}, {"peer_disk": "Consistent"}, {"suspended": True},
        {"connection": "Connected"},
    ],
)  # fmt: skip
def test_a_port_does_not_change_while_the_peer_may_be_ahead(values: dict[str, object]) -> None:
    facts = with_side(facts_of("node-in-standby"), "disk-a", **values)
    assert "SG-DRBD-022" in {p.code for p in applying(PORT, facts).blockers}


def test_other_addresses_are_refused_even_then() -> None:
    servers = tuple(
        replace(s, replication=s.replication.replace("10.77.1.", "10.77.9."))
        for s in GOAL.cluster.storage
    )
    goal = replace(GOAL, cluster=replace(GOAL.cluster, storage=servers))
    blockers = applying(goal, facts_of("node-in-standby")).blockers
    assert "SG-DRBD-022" in {p.code for p in blockers}


def test_a_file_that_runs_ahead_of_the_kernel_is_told_after_a_cut() -> None:
    """Both files say 7799 already, the kernel of disk-a was not told: the plan says what is left.

    The files' digests are those of the wanted ones as soon as they are predicted to be written.
    """
    plan = applying(PORT, facts_of("node-in-standby"))
    facts = facts_of("node-in-standby")
    for step in plan.steps:
        if step.summary.startswith("write /etc/drbd.d/"):
            facts = step.effect(facts)
    assert drbd_steps(PORT, facts) == ["disk-a: adjust resource data"]


def test_a_new_device_of_a_side_that_is_down_is_made_ready_and_the_other_side_left() -> None:
    facts = with_device(facts_of("node-in-standby"), "disk-b", ours=False, signatures=(),
                        nonzero=False)  # fmt: skip
    facts = with_side(facts, "disk-b", metadata=False)
    steps = drbd_steps(OTHER, facts)
    assert "disk-b: create metadata on /dev/ubdc" in steps
    assert not any("skip" in step or "bring up" in step for step in steps)


def test_a_minor_under_which_another_resource_runs_is_told() -> None:
    facts = with_side(facts_of("converged"), "disk-a", in_force=InForce())
    (blocker,) = applying(GOAL, facts).blockers
    assert blocker.code == "SG-DRBD-023"
    assert "not as resource data" in blocker.what


# What drbdadm 9.22 said on Debian 12 with ``--dry-run adjust``, the options shortened.
DETACH = """drbdsetup-84 detach 0
drbdmeta 0 v08 /dev/dm-0 internal apply-al
drbdsetup-84 attach 0 /dev/dm-0 /dev/dm-0 internal --c-min-rate=24M
"""
PARTED = """drbdsetup-84 disconnect ipv4:10.77.1.11:7789 ipv4:10.77.1.12:7789
drbdsetup-84 connect data ipv4:10.77.1.11:7799 ipv4:10.77.1.12:7799 --protocol=C
"""
ANOTHER_MINOR = """drbdsetup-84 detach 0
drbdsetup-84 del-minor 0
drbdsetup-84 new-minor data 3 0
"""
OPTIONS = """drbdsetup-84 disk-options 0 --set-defaults --al-extents=3000
drbdsetup-84 net-options ipv4:10.77.1.11:7789 ipv4:10.77.1.12:7789 --set-defaults --ping-int=9
"""
CONNECTED = "0: cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate C r-----"
AWAY = "0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/Outdated C r-----"
FROZEN = "0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/Outdated C s---F-"
UNKNOWN = "0: cs:WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown C r-----"


def _tool(place: Path, name: str, text: str) -> None:
    tool = place / name
    tool.write_text(f"#!/bin/sh\n{text}\n")
    tool.chmod(0o755)


def adjusted(place: Path, doing: str, proc: str, *, apart: str = "", same: bool = False) -> (
    tuple[int, str, list[str]]
):  # fmt: skip
    """Run the script with real sh, its tools noting what they are told; give what they noted."""
    (place / "doing").write_text(doing)
    (place / "proc").write_text(f" {proc}\n")
    device = place / "disk"
    device.touch()
    slave = place / "slaves" / "dm-0"
    slave.mkdir(parents=True)
    (slave / "dev").write_text("0:0\n" if same else "254:9\n")
    _tool(place, "drbdadm", f"cat {place}/doing")
    for name in ("drbdsetup", "drbdmeta"):
        _tool(place, name, f'echo "{name}-84 $*" >> {place}/told')
    text = ADJUST.replace("/proc/drbd", str(place / "proc"))
    text = text.replace('/sys/block/drbd"$minor"/slaves', str(place / "slaves"))
    script = f"set -e\n_f() {{\n{text}\n}}\n_f data 0 {device} '{apart}'\n"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, timeout=20,
        env={**os.environ, "PATH": f"{place}:{os.environ['PATH']}"},
    )  # fmt: skip
    told = place / "told"
    return done.returncode, done.stdout, told.read_text().splitlines() if told.exists() else []


@pytest.mark.parametrize("doing", [DETACH, PARTED, ANOTHER_MINOR, OPTIONS + DETACH])
def test_nothing_at_all_is_done_where_drbdadm_would_take_something_away(
    tmp_path: Path, doing: str
) -> None:
    status, said, told = adjusted(tmp_path, doing, CONNECTED)
    assert (status, told) == (1, [])
    assert "nothing was changed" in said


def test_the_same_disk_by_another_name_stays_attached_and_options_change(tmp_path: Path) -> None:
    """Its options stand in what drbdadm would attach it with."""
    net = OPTIONS.splitlines()[1]
    status, _, told = adjusted(tmp_path, f"{DETACH}{net}\n", CONNECTED, same=True)
    assert status == 0
    assert told == ["drbdsetup-84 disk-options 0 --c-min-rate=24M", net]


def test_a_disk_that_is_missing_is_left_to_its_own_step(tmp_path: Path) -> None:
    attach = "".join(DETACH.splitlines(keepends=True)[1:])
    assert adjusted(tmp_path, attach + OPTIONS, CONNECTED)[::2] == (0, OPTIONS.splitlines())


@pytest.mark.parametrize("proc", [CONNECTED, FROZEN, UNKNOWN])
def test_a_connection_is_not_cut_while_the_peer_is_there_or_may_be_ahead(
    tmp_path: Path, proc: str
) -> None:
    assert adjusted(tmp_path, PARTED, proc, apart="apart")[::2] == (1, [])


def test_a_connection_is_made_anew_while_the_peer_is_away(tmp_path: Path) -> None:
    status, _, told = adjusted(tmp_path, PARTED, AWAY, apart="apart")
    assert (status, told) == (0, PARTED.splitlines())


def test_what_drbdadm_says_is_split_not_evaluated(tmp_path: Path) -> None:
    trap = f"drbdsetup-84 net-options $(touch {tmp_path}/trap) ; touch {tmp_path}/trap *\n"
    adjusted(tmp_path, trap, CONNECTED)
    assert not (tmp_path / "trap").exists()
