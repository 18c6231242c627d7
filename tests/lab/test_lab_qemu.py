"""Hosts that are virtual machines: the stock kernel, two processors, and the verbs of every lab."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from sanglier.lab.control import Lab
from sanglier.lab.driver import State
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1500)]
"""The first one may build an image, and boots; where hosts are emulated that takes minutes."""

HOST, OTHER = "disk-a", "witness"
STILL_S = 25.0
"""How long a host is stopped."""
LATE_S = 10.0
"""How long an emulated host on a busy machine may not come to a look at its clock."""
TICKS = "nohup sh -c 'while sleep 0.2; do date +%s; done' > /run/ticks 2>/dev/null < /dev/null &"


@pytest.fixture(name="there", scope="module")
def fixture_there(module_lab: Callable[..., Lab]) -> Lab:
    return module_lab(wish=Wish(driver="qemu", only=(HOST, OTHER)))


def said(lab: Lab, script: str) -> str:
    done = lab.run(HOST, "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    return done.stdout


def state(lab: Lab) -> State:
    return lab.driver.sight(lab.topology.host(HOST)).state


def longest(ticks: str) -> int:
    """Seconds by the host's own clock between two looks at it."""
    seen = [int(tick) for tick in ticks.split()]
    return max(late - early for early, late in itertools.pairwise(seen))


def pings(lab: Lab, times: int = 5) -> bool:
    """Whether an answer comes to one of so many."""
    argv = ("ping", "-c", str(times), "-W", "2", lab.topology.host(HOST).address)
    return lab.run(OTHER, *argv).returncode == 0


def test_a_host_has_the_stock_kernel_two_processors_and_virtio(there: Lab) -> None:
    script = "uname -r; nproc; for what in /dev/ubdb /sys/class/net/eth0/device/driver; do "
    script += "basename $(readlink -f $what); done"
    kernel, processors, disk, card = said(there, script).split()
    assert kernel.endswith("-amd64") and processors == "2"
    assert (disk, card) == ("vdb", "virtio_net")


def test_the_handler_of_standby_paths_is_there(there: Lab) -> None:
    said(there, "modprobe --all scsi_dh_alua drbd ocfs2_stack_o2cb iscsi_target_mod dm_multipath")
    assert "scsi_dh_alua" in said(there, "cut -d' ' -f1 /proc/modules").split()


def stopped(lab: Lab, stop: Callable[[str], None], go_on: Callable[[str], None]) -> State:
    """Stop the host for a while; return what it was seen as."""
    said(lab, TICKS)
    stop(HOST)
    try:
        seen = state(lab)
        assert not pings(lab, times=1)
        time.sleep(STILL_S)
    finally:
        go_on(HOST)
    assert state(lab) is State.RUNNING and pings(lab)
    return seen


def test_the_clock_of_a_paused_host_stands_still(there: Lab) -> None:
    assert stopped(there, there.pause, there.resume) is State.PAUSED
    assert longest(said(there, "pkill sleep; cat /run/ticks")) < LATE_S


def test_the_clock_of_a_frozen_host_goes_on(there: Lab) -> None:
    assert stopped(there, there.freeze, there.thaw) is State.FROZEN
    assert longest(said(there, "pkill sleep; cat /run/ticks")) >= STILL_S - 1


def test_a_cut_host_is_silent_and_comes_back(there: Lab) -> None:
    there.cut(HOST, "management")
    assert not pings(there, times=1)
    there.heal(HOST, "management")
    assert pings(there)


def test_a_disk_comes_goes_and_comes_back_with_its_data(there: Lab) -> None:
    for _ in range(2):
        there.attach_disk(HOST, "ubdd", 64 << 20)
    assert said(there, "blockdev --getsize64 /dev/ubdd; printf kept > /dev/ubdd; sync /dev/ubdd")
    for _ in range(2):
        there.detach_disk(HOST, "ubdd")
    said(there, "udevadm settle; ! test -e /dev/ubdd")
    there.attach_disk(HOST, "ubdd", 64 << 20)
    assert said(there, "head -c 4 /dev/ubdd") == "kept"


def test_what_was_flushed_outlives_the_power(there: Lab) -> None:
    said(there, "printf root > /root/kept; sync; printf data | dd of=/dev/ubdb conv=fsync seek=9")
    there.kill(HOST)
    assert state(there) is State.DEAD
    there.start(HOST)
    assert said(there, "cat /root/kept; dd if=/dev/ubdb skip=9 count=1 | head -c 4") == "rootdata"


def test_a_paused_host_is_powered_off_cleanly(there: Lab) -> None:
    there.pause(HOST)
    there.stop(HOST)
    assert state(there) is State.DEAD
    log = there.place.console(HOST).read_text(errors="replace")
    assert log.rstrip().endswith("reboot: Power down")
