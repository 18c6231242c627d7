"""What runs on an application server: paths, sessions, o2cb, mounts."""

from __future__ import annotations

from pathlib import Path

import pytest
from layers.goal import VOLUME

from sanglier.core.shell import render
from sanglier.layers import files, services
from sanglier.layers.initiator import moves as initiator
from sanglier.layers.multipath import steps as multipath
from sanglier.layers.multipath import teardown
from sanglier.layers.multipath.change import hasten
from sanglier.layers.ocfs2 import moves as ocfs2

from .host import Host

UNIT, AGAIN = "data.mount", "sanglier-mount-again@data.service"


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path) -> Host:
    host = Host(tmp_path, places="etc|sys|proc|var|run|dev/mapper")
    host.noting("systemctl", "iscsiadm", "multipathd", "multipath", "umount", "dmsetup", "sleep")
    for tool in ("dmesg", "fuser"):
        host.tool(tool, ":")
    host.put("/proc/mounts", "proc /proc proc rw 0 0\n")
    return host


# Paths.

STATUS = (
    "0 204800 multipath 2 0 1 0 2 1 A 0 2 2 8:16 A 0 0 1 8:32 F 1 0 1 E 0 2 2 8:48 F 0 0 1 8:64 A 0"
)


def paths(host: Host, **states: str) -> None:
    host.noting("dmsetup", then=f'case $1 in status) echo "{STATUS}" ;; esac')
    for number, state in states.items():
        device = number.replace("_", ":").lstrip(":")
        host.put(f"/sys/dev/block/{device}/device/state", f"{state}\n")


def hastened(host: Host) -> list[str]:
    """Run it with a standard input that ends at once; what was asked of device-mapper."""
    script = hasten((VOLUME,))
    text = render(script, reveal=False).replace("/sys/dev", f"{host.place}/sys/dev")
    status, told = host.shell(f"{{\n{text}\n}} </dev/null")
    assert (status, told.splitlines()[0]) == (0, "ready")
    return sorted({call for call in host.calls("dmsetup") if "message" in call})


def test_failed_paths_whose_session_lives_are_tried_again(host: Host) -> None:
    paths(host, _8_16="running", _8_32="running", _8_48="running", _8_64="running")
    assert hastened(host) == [
        f"dmsetup message {VOLUME.alias} 0 reinstate_path 8:32",
        f"dmsetup message {VOLUME.alias} 0 reinstate_path 8:48",
    ]


def test_paths_whose_session_is_lost_are_left_alone(host: Host) -> None:
    paths(host, _8_32="transport-offline", _8_48="running")
    assert hastened(host) == [f"dmsetup message {VOLUME.alias} 0 reinstate_path 8:48"]
    paths(host, _8_48="blocked")
    (host.place / "calls").unlink()
    assert hastened(host) == []


def wait(host: Host, *lines: str) -> tuple[int, str]:
    host.put("/paths", "".join(f"{line}\n" for line in lines))
    host.noting("multipathd", then=f'case "$2" in paths) cat {host.place}/paths ;; esac')
    text = multipath.WAIT.replace("tries=300", "tries=31").replace("-b ", "-e ")
    return host.run(text, "3600abc", "sanglier-data", "2")


@pytest.mark.parametrize("checker", ["faulty", "i/o pending", "shaky"])
def test_a_map_is_whole_when_all_its_paths_work(host: Host, checker: str) -> None:
    host.put("/dev/mapper/sanglier-data")
    status, told = wait(host, "3600abc ready", f"3600abc {checker}", "3600abcd ready")
    assert status == 1
    assert "map sanglier-data (3600abc) has 1 working paths, not 2:" in told
    assert "multipathd reconfigure" in host.calls("multipathd")
    assert wait(host, "3600abc ready", "3600abc ghost") == (0, "")


def test_paths_without_a_map_are_none(host: Host) -> None:
    assert wait(host, "3600abc ready", "3600abc ready")[0] == 1


@pytest.mark.parametrize(("active", "asked"), [(":", True), ("exit 3", False)])
def test_only_a_daemon_that_runs_is_reconfigured(host: Host, active: str, *, asked: bool) -> None:
    host.noting("systemctl", then=active)
    assert host.run(multipath.RECONFIGURE)[0] == 0
    assert ("multipathd reconfigure" in host.calls()) is asked


def test_a_map_that_stays_in_use_is_not_called_flushed(host: Host) -> None:
    assert host.run(teardown.FLUSH, "sanglier-data") == (0, "")
    host.noting("multipath", then="exit 1")
    assert host.run(teardown.FLUSH, "sanglier-data")[0] == 1


# Sessions.


@pytest.mark.parametrize(("status", "wanted"), [(0, 0), (15, 0), (5, 1)])
def test_a_session_that_exists_is_a_login(host: Host, status: int, wanted: int) -> None:
    host.noting("iscsiadm", then=f"exit {status}")
    assert host.run(initiator.LOGIN_PORTAL, "iqn.x", "10.0.0.1")[0] == wanted


@pytest.mark.parametrize(("status", "wanted"), [(0, 0), (21, 0), (5, 1)])
def test_what_is_not_known_is_forgotten(host: Host, status: int, wanted: int) -> None:
    host.noting("iscsiadm", then=f"exit {status}")
    assert host.run(initiator.FORGET, "iqn.x")[0] == wanted


def test_one_portal_that_answers_is_enough_and_none_is_a_failure(host: Host) -> None:
    host.noting("iscsiadm", then='case "$*" in *10.0.0.1*) exit 4 ;; esac')
    assert host.run(initiator.DISCOVER, "10.0.0.1", "10.0.0.2")[0] == 0
    assert len(host.calls("iscsiadm")) == 2
    status, told = host.run(initiator.DISCOVER, "10.0.0.1")
    assert status == 1
    assert "no portal of this storage server answers" in told


def test_a_portal_is_not_left_before_its_path_works_again(host: Host) -> None:
    host.step("multipathd", "printf 'ready\\nready\\n'", 1, "echo ready")
    status, told = host.run(initiator.LOGIN_AGAIN, "iqn.x", "10.0.0.1")
    assert status == 1
    assert "only 1 of 2 paths work again" in told
    host.step("multipathd", "echo ready", 1, "printf 'ready\\nghost\\n'")
    assert host.run(initiator.LOGIN_AGAIN, "iqn.x", "10.0.0.1")[0] == 0


def test_timeouts_are_set_where_the_disk_still_is(host: Host) -> None:
    host.put("/sys/block/sda/device/timeout", "30\n")
    host.put("/sys/block/sdc/device/timeout", "30\n")
    assert host.run(initiator.TIMEOUT, "20", "sda", "sdb", "sdc") == (0, "")
    for disk in ("sda", "sdc"):
        assert (host.place / f"sys/block/{disk}/device/timeout").read_text() == "20\n"
    assert not (host.place / "sys/block/sdb").exists()


def test_the_recovery_timeout_is_set_and_a_session_that_is_gone_is_told(host: Host) -> None:
    host.put("/sys/class/iscsi_session/session1/recovery_tmo", "120\n")
    assert host.run(initiator.RECOVER, "5", "session1") == (0, "")
    assert (host.place / "sys/class/iscsi_session/session1/recovery_tmo").read_text() == "5\n"
    assert host.run(initiator.RECOVER, "5", "session2")[0] != 0


# o2cb and mounts.


def test_o2cb_has_started_when_its_cluster_is_online(host: Host) -> None:
    status, told = host.run(ocfs2.START, "guiguiabloc", "start")
    assert status == 1
    assert "o2cb did not bring guiguiabloc online" in told
    host.put("/sys/kernel/config/cluster/guiguiabloc/heartbeat/mode")
    assert host.run(ocfs2.START, "guiguiabloc", "start") == (0, "")
    assert host.calls("systemctl")[-1] == "systemctl start o2cb.service"
    host.run(ocfs2.START, "guiguiabloc", "restart")
    assert host.calls("systemctl")[-1:] == ["systemctl restart o2cb.service"]


def begun(host: Host, *, known: str) -> list[str]:
    """Have a unit start at boot, of which systemd says that it is ``known``; what was done."""
    host.noting("systemctl", then=f"case $1 in is-enabled) echo {known};; esac")
    (host.place / "calls").unlink(missing_ok=True)
    assert host.run(services.AT_BOOT + 'at_boot "$@"', "a.service") == (0, "")
    return [call for call in host.calls("systemctl") if "is-enabled" not in call]


def test_a_unit_is_enabled_only_where_it_is_not(host: Host) -> None:
    assert begun(host, known="enabled") == []
    assert begun(host, known="disabled") == ["systemctl enable -q --no-reload -- a.service"]
    assert begun(host, known="enabled-runtime") != []


def test_a_unit_starts_by_the_file_that_a_killed_run_left(host: Host) -> None:
    host.put(files.OWED)
    assert begun(host, known="enabled") == ["systemctl daemon-reload"]
    assert begun(host, known="enabled") == []


MOUNTED = "/dev/mapper/sanglier-data /data ocfs2 rw,barrier=1,noatime 0 0\n"


def test_a_mount_is_made_when_it_is_seen_and_its_unit_is_enabled(host: Host) -> None:
    arguments = (UNIT, "/data", "barrier=1,noatime", "sanglier-heard-data.service")
    assert host.run(ocfs2.MOUNT, *arguments)[0] == 1
    host.put("/proc/mounts", MOUNTED)
    assert host.run(ocfs2.MOUNT, *arguments) == (0, "")
    assert f"systemctl enable -q --no-reload -- {UNIT}" in host.calls("systemctl")
    host.noting("systemctl", then='case "$1" in start) exit 1 ;; esac')
    assert host.run(ocfs2.MOUNT, *arguments)[0] == 1


def test_what_is_busy_is_not_called_unmounted(host: Host) -> None:
    assert host.run(ocfs2.UNMOUNT, UNIT, "/data", AGAIN) == (0, "")
    assert host.calls("umount") == []
    host.put("/proc/mounts", MOUNTED)
    host.noting("umount", then="exit 32")
    status, told = host.run(ocfs2.UNMOUNT, UNIT, "/data", AGAIN)
    assert status == 1
    assert "/data is busy" in told
    assert host.calls("systemctl")[-2:] == [f"systemctl stop {AGAIN}", f"systemctl stop {UNIT}"]
