"""What brings o2cb's cluster online, in a real shell on files in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from layers.goal import GOAL

from sanglier.layers.ocfs2.desired import VALUES_PATH, cluster_file, values_file

from .host import Host

NAME = GOAL.cluster.name
CLUSTER = f"/sys/kernel/config/cluster/{NAME}"
MOUNTS = "configfs /sys/kernel/config configfs rw 0 0\n"
DLMFS = "ocfs2_dlmfs /dlm ocfs2_dlmfs rw 0 0\n"

Run = Callable[[str], tuple[int, str]]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path)
    made.put(VALUES_PATH, values_file(GOAL.cluster).text)
    made.put("/sys/fs/ocfs2/cluster_stack", "\n")
    made.put("/proc/mounts", MOUNTS)
    made.noting("modprobe", "mount", "umount", "o2hbmonitor", "systemctl")
    return made


@pytest.fixture
def run(host: Host) -> Run:
    return lambda verb: host.plain(cluster_file().text, verb)


def registers(host: Host, local: str) -> None:
    """Make o2cb(8) put what the kernel then shows; ``local``: whether this server listens."""
    place = f"{host.place}{CLUSTER}"
    host.noting(
        "o2cb",
        then=f'[ "$1" = register-cluster ] || {{ rm -r {place}; exit 0; }}\n'
        f"mkdir -p {place}/heartbeat {place}/node/srv-a {place}/node/srv-b\n"
        f"echo 0 > {place}/node/srv-b/local; echo {local} > {place}/node/srv-a/local\n"
        f"exit {1 - int(local)}",
    )


def online(host: Host) -> None:
    host.put(f"{CLUSTER}/node/srv-a/local", "1\n")


def value(host: Host, name: str) -> str:
    return (host.place / f"{CLUSTER[1:]}/{name}").read_text().strip()


def test_it_comes_online_with_the_values_of_our_own_file(host: Host, run: Run) -> None:
    registers(host, "1")
    assert run("online") == (0, "")
    timings = GOAL.cluster.timings
    assert value(host, "heartbeat/dead_threshold") == str(timings.o2cb_threshold)
    assert value(host, "idle_timeout_ms") == str(timings.o2cb_idle_ms)
    assert value(host, "keepalive_delay_ms") == str(timings.o2cb_keepalive_ms)
    assert value(host, "reconnect_delay_ms") == str(timings.o2cb_reconnect_ms)
    assert (host.place / "sys/fs/ocfs2/cluster_stack").read_text() == "o2cb\n"
    assert host.calls("o2cb") == [f"o2cb register-cluster {NAME}"]


def test_one_whose_address_is_not_there_yet_fails_and_leaves_nothing(host: Host, run: Run) -> None:
    registers(host, "0")
    status, told = run("online")
    assert status == 1
    assert "does not come online" in told
    assert host.calls("o2cb")[-1] == f"o2cb unregister-cluster {NAME}"
    assert not (host.place / CLUSTER[1:]).exists()


def test_a_cluster_that_is_online_keeps_its_values(host: Host, run: Run) -> None:
    online(host)
    host.put(f"{CLUSTER}/heartbeat/dead_threshold", "31\n")
    assert run("online") == (0, "")
    assert value(host, "heartbeat/dead_threshold") == "31"
    assert host.calls("o2cb", "modprobe") == []


def test_it_stays_online_under_a_mount(host: Host, run: Run) -> None:
    online(host)
    host.put(f"{CLUSTER}/heartbeat/DBBEAC67228E4EF8/dead", "")
    status, told = run("offline")
    assert status == 1
    assert "a volume is mounted" in told
    assert host.calls("o2cb", "umount") == []


def test_it_goes_offline_and_so_does_what_it_mounted(host: Host, run: Run) -> None:
    online(host)
    host.put(f"{CLUSTER}/heartbeat/mode", "local\n")
    host.put("/proc/mounts", MOUNTS + DLMFS)
    registers(host, "1")
    assert run("offline") == (0, "")
    assert host.calls("o2cb") == [f"o2cb unregister-cluster {NAME}"]
    assert len(host.calls("umount")) == 1
    assert run("offline")[0] == 0


def test_only_an_offline_cluster_is_started_again(host: Host, run: Run) -> None:
    assert run("again") == (0, "")
    assert host.calls("systemctl") == ["systemctl restart o2cb.service"]
    online(host)
    assert run("again") == (0, "")
    assert len(host.calls("systemctl")) == 1


def test_without_its_values_it_does_nothing(host: Host, run: Run) -> None:
    (host.place / VALUES_PATH[1:]).unlink()
    for verb in ("online", "offline"):
        status, told = run(verb)
        assert status == 1
        assert "sanglier apply writes it" in told
    assert host.calls("o2cb", "modprobe") == []
