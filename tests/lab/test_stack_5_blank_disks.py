"""A volume that people use, and both its storage servers come up with blank disks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_site import DISK, Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

STORAGE = ("disk-a", "disk-b")
KEPT = "/run/real-disk"
"""File with the table of the real disk, dmsetup(8)."""
STOP = "systemctl stop pacemaker; systemctl stop corosync-qdevice corosync"
START = "systemctl start corosync corosync-qdevice; systemctl start pacemaker"
BLANK = f"""
modprobe dm-zero; dmsetup table disk > {KEPT}; read -r from sectors rest < {KEPT}
dmsetup load disk --table "0 $sectors zero"; dmsetup resume disk; blockdev --flushbufs {DISK}
"""
REAL = f"dmsetup load disk {KEPT}; dmsetup resume disk; blockdev --flushbufs {DISK}"


@pytest.fixture
def blank(site: Site) -> Iterator[Site]:
    """Both storage servers as they boot with a wrong, blank disk under the right name."""
    for host in ("disk-b", "disk-a"):
        site.on(host, STOP)
    for host in STORAGE:
        site.on(host, BLANK)
    yield site
    for host in STORAGE:
        site.on(host, REAL)
    for host in STORAGE:
        site.on(host, START)


def test_blank_disks_under_a_mounted_volume_are_a_blocker_and_nothing_is_made(blank: Site) -> None:
    plan = blank.plan()
    steps = [step["summary"] for step in plan["steps"] if step["layer"] in {"drbd", "ocfs2"}]
    assert not [s for s in steps if s.startswith(("create metadata", "skip the first", "make"))]
    (found,) = [p for p in plan["problems"] if p["code"] == "SG-DRBD-010"]
    assert "srv-a: it is mounted on /data" in found["what"]
    assert "SG-DRBD-010" in blank.refused("apply", "--yes", "--allow", "new:data")


def test_the_right_disks_are_taken_back_with_all_that_was_on_them(site: Site) -> None:
    site.assert_whole()
