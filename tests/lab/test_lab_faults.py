"""What the lab can do to its hosts, and that it mends it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab.control import Lab
from sanglier.lab.driver import State

pytestmark = pytest.mark.lab


def state(lab: Lab, name: str) -> State:
    return next(s.sighting.state for s in lab.status() if s.host.name == name)


def pings(lab: Lab, name: str, address: str) -> bool:
    return lab.run(name, "ping", "-c", "1", "-W", "1", address).returncode == 0


def test_a_killed_host_keeps_its_disks(small_lab: Callable[..., Lab]) -> None:
    lab = small_lab("disk-b")
    write = "echo kept > /root/kept && sync && printf kept | dd of=/dev/ubdb conv=fsync seek=2000"
    assert lab.run("disk-b", "sh", "-c", write).returncode == 0
    lab.kill("disk-b")
    lab.kill("disk-b")
    assert state(lab, "disk-b") is State.DEAD
    with pytest.raises(SanglierError, match="SG-LAB-022"):
        lab.must_answer("disk-b")
    lab.start("disk-b")
    read = "cat /root/kept; dd if=/dev/ubdb bs=4 skip=256000 count=1"
    assert lab.run("disk-b", "sh", "-c", read).stdout == "kept\nkept"


def test_stop_shuts_down_cleanly(lab: Lab) -> None:
    unit = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/touch /root/clean\n"
    unit += "ExecStart=/bin/true\n"
    start = "cat > /run/systemd/system/witness-test.service && systemctl start witness-test"
    lab.run("witness", "mkdir", "-p", "/run/systemd/system")
    assert lab.run("witness", "sh", "-c", start, text=unit).returncode == 0
    lab.stop("witness")
    assert state(lab, "witness") is State.DEAD
    lab.start("witness")
    assert lab.run("witness", "rm", "/root/clean").returncode == 0


def test_a_frozen_host_is_silent_and_goes_on_where_it_was(lab: Lab) -> None:
    boot = lab.run("srv-b", "cat", "/proc/sys/kernel/random/boot_id").stdout
    assert pings(lab, "srv-a", "10.77.2.22")
    lab.freeze("srv-b")
    assert state(lab, "srv-b") is State.FROZEN
    assert not pings(lab, "srv-a", "10.77.2.22")
    lab.thaw("srv-b")
    assert state(lab, "srv-b") is State.RUNNING
    assert lab.run("srv-b", "cat", "/proc/sys/kernel/random/boot_id").stdout == boot


def test_a_cut_link_carries_nothing_and_others_go_on(lab: Lab) -> None:
    lab.cut("srv-a", "san-a")
    try:
        cut = next(s.cut for s in lab.status() if s.host.name == "srv-a")
        assert cut == ("san-a",)
        assert not pings(lab, "srv-a", "10.77.2.11")
        assert not pings(lab, "disk-a", "10.77.2.21")
        assert pings(lab, "srv-a", "10.77.3.11")
    finally:
        lab.heal("srv-a", "san-a")
    assert any(pings(lab, "srv-a", "10.77.2.11") for _ in range(5))


def test_a_network_that_a_host_is_not_in_cannot_be_cut(lab: Lab) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-021"):
        lab.cut("srv-a", "replication")


def test_clocks_agree_within_a_tenth_of_a_second(lab: Lab) -> None:
    before = time.time()
    there = float(lab.run("srv-a", "date", "+%s.%N").stdout)
    assert before - 0.1 <= there <= time.time() + 0.1
