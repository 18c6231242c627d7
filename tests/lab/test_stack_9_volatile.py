"""Drills on disks that lose their cache: every acknowledged write was flushed, and is there."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cluster_site import DISK_BYTES, Site, make_site
from drilled import drill, last_run, verdicts

from sanglier.lab.control import Lab
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory, module_lab: Callable[..., Lab]) -> Site:
    lab = module_lab(wish=Wish(applications=2, disk_bytes=DISK_BYTES, volatile=True))
    site = make_site(lab, tmp_path_factory.mktemp("volatile"))
    site.apply()
    site.assert_whole()
    return site


@pytest.mark.parametrize("name", ["open-killed", "standby-killed"])
def test_nothing_acknowledged_is_lost_with_a_cache(losing: Site, name: str) -> None:
    done = drill(losing, name)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    run = last_run(losing)
    assert set(verdicts(run).values()) == {"VALID"}, told
    assert [m for m in run["moments"] if "blocks that were not flushed" in m["text"]]


# Blocks of their own, each flushed before its number is printed.
WRITE = (
    "i=0; while [ $i -lt 8 ]; do i=$((i + 1)); "
    "printf 'n%s-%4000s' $i '' | dd of=/data/kept bs=4096 count=1 seek=$i "
    "conv=notrunc,sync,fdatasync oflag=direct iflag=fullblock 2>/dev/null && echo $i; done"
)
# Reads and writes at once, a flush after 3 s (dm-delay; 98:16 is ubdb).
FLUSHES_LATE = (
    "modprobe dm-delay; numbers=$(cat /sys/block/ubdb/dev); size=$(cat /sys/block/ubdb/size); "
    'echo "0 $size delay $numbers 0 0 $numbers 0 0 $numbers 0 3000" | dmsetup reload disk; '
    "dmsetup suspend --noflush disk; dmsetup resume disk"
)
RECORD = "cat /var/lib/sanglier/open/data"


def test_after_a_blackout_the_data_of_the_open_side_counts(losing: Site) -> None:
    """Whatever it flushed is there; the other one flushes 3 s later, and says that it was shut."""
    losing.assert_whole()
    first = losing.open_on()
    other = "disk-b" if first == "disk-a" else "disk-a"
    losing.until(other, f"[ $({RECORD}) = shut ]")
    assert losing.on(first, RECORD).strip() == "open"
    losing.on("srv-a", "dd if=/dev/zero of=/data/kept bs=4096 count=10 conv=fsync 2>/dev/null")
    losing.on(other, FLUSHES_LATE)
    with losing.write("srv-a", WRITE) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 3:
                break
        with ThreadPoolExecutor(2) as both:
            list(both.map(losing.lab.kill, (first, other)))
            time.sleep(1)
            list(both.map(losing.lab.power_on, (first, other)))
        writer.stdout.read()
        assert writer.wait(timeout=600) == 0
    losing.assert_whole()
    kept = losing.on("srv-a", "dd if=/data/kept bs=4096 count=10 iflag=direct | tr -d ' \\0'")
    assert all(f"n{number}-" in kept for number in range(1, 9)), kept
    assert "uuid_compare()=1 by rule 40" in losing.on(
        first, "dmesg | grep uuid_compare | head -n 1"
    )
    said = losing.on(other, "journalctl -b -t sanglier -o cat")
    assert "the data of the other server counts" in said
