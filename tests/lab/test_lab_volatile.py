"""A disk with a volatile write cache: what was not flushed is lost with the power, nothing else."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from sanglier.lab.control import Lab
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

HOST = "disk-a"
BLOCKS = 200
DISK = "/dev/mapper/disk"
# Blocks of one letter each.
WRITE = (
    "tr '\\0' n < /dev/zero | "
    f"dd of={DISK} bs=4096 count={{count}} seek={{at}} iflag=fullblock oflag=direct {{end}}"
)
COUNT = (
    f"dd if={DISK} bs=4096 count={{count}} skip={{at}} iflag=direct 2>/dev/null | tr -cd n | wc -c"
)
BOOT = "cat /proc/sys/kernel/random/boot_id"


@pytest.fixture(scope="module")
def volatile(module_lab: Callable[..., Lab]) -> Lab:
    return module_lab(wish=Wish(only=(HOST,), volatile=True))


def on(lab: Lab, script: str) -> str:
    done = lab.run(HOST, "sh", "-ec", script, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def blocks(lab: Lab, at: int) -> int:
    return int(on(lab, COUNT.format(count=BLOCKS, at=at))) // 4096


def test_the_guest_knows_of_a_write_cache(volatile: Lab) -> None:
    assert on(volatile, "cat /sys/block/ubdb/queue/write_cache") == "write back"


@pytest.mark.parametrize("turn", range(3))
def test_what_was_flushed_is_there_and_of_the_rest_what_the_disk_put_there(
    volatile: Lab, turn: int
) -> None:
    """How much is lost is drawn at each boot; what the library says that it held is gone."""
    flushed, not_flushed = 1000 + turn * 1000, 50_000 + turn * 1000
    on(volatile, WRITE.format(count=BLOCKS, at=flushed, end="conv=fsync"))
    on(volatile, WRITE.format(count=BLOCKS, at=not_flushed, end=""))
    assert blocks(volatile, not_flushed) == BLOCKS
    volatile.kill(HOST)
    lost = volatile.unflushed(HOST)
    assert lost is not None
    volatile.start(HOST)
    assert blocks(volatile, flushed) == BLOCKS
    assert blocks(volatile, not_flushed) == BLOCKS - lost


def boot(lab: Lab) -> str:
    """Return the id of the host's boot; empty while it goes down or comes up.

    A login that was begun before its kernel went hears nothing from the next one.
    """
    try:
        return lab.run(HOST, "sh", "-c", BOOT, timeout=15).stdout.strip()
    except subprocess.TimeoutExpired:
        return ""


def test_a_host_that_is_powered_off_cleanly_loses_nothing(volatile: Lab) -> None:
    on(volatile, WRITE.format(count=BLOCKS, at=90_000, end=""))
    volatile.stop(HOST)
    assert volatile.unflushed(HOST) == 0, "killed, for it was not off within 30 s"
    volatile.start(HOST)
    assert blocks(volatile, 90_000) == BLOCKS


def test_a_host_that_reboots_loses_nothing(volatile: Lab) -> None:
    on(volatile, WRITE.format(count=BLOCKS, at=95_000, end=""))
    before = boot(volatile)
    volatile.run(HOST, "systemctl", "--no-block", "reboot")
    deadline = time.monotonic() + 120
    while boot(volatile) in {"", before}:
        assert time.monotonic() < deadline
        time.sleep(1)
    assert blocks(volatile, 95_000) == BLOCKS
