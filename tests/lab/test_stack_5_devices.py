"""The device, the port and the size under a live volume: what the kernel runs is what counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_site import DISK, DISK_BYTES, Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

OTHER = "/dev/ubdc"
SECTORS, MORE = DISK_BYTES // 512, 131072
GROW = f"""
dmsetup table disk > /run/disk.table
other=$(cat /sys/block/ubdc/dev)
(cat /run/disk.table; echo "{SECTORS} {MORE} linear $other 0") > /run/disk.grown
dmsetup suspend disk; dmsetup load disk /run/disk.grown; dmsetup resume disk
"""
SHRINK = "dmsetup suspend disk; dmsetup load disk /run/disk.table; dmsetup resume disk"


@pytest.fixture(autouse=True)
def same_file(site: Site) -> Iterator[None]:
    """Restore the cluster's file after each test."""
    text = site.file.read_text()
    yield
    site.file.write_text(text)


def _write(site: Site, old: str, new: str) -> None:
    text = site.file.read_text()
    assert old in text
    site.file.write_text(text.replace(old, new))


def _attach_other(site: Site, host: str) -> None:
    if site.on(host, "[ ! -b /dev/ubdc ] || echo there") != "there":
        site.lab.attach_disk(host, "ubdc", DISK_BYTES)


def _resource_files(site: Site) -> list[str]:
    return [site.on(host, "cat /etc/drbd.d/data.res") for host in ("disk-a", "disk-b")]


def _assert_refused(site: Site, code: str, *words: str) -> None:
    """Neither plan nor apply goes on, and nothing is written."""
    before = _resource_files(site)
    said = site.refused("plan")
    assert code in said
    for word in words:
        assert word in said
    site.refused("apply", "--yes")
    assert _resource_files(site) == before
    assert code in site.refused("status", status=1)


def test_another_device_under_a_live_volume_is_refused_with_the_way(site: Site) -> None:
    for host in ("disk-a", "disk-b"):
        _attach_other(site, host)
        _write(site, f"{host}: {DISK}", f"{host}: {OTHER}")
    _assert_refused(site, "SG-DRBD-021", DISK, OTHER, "maintain")


def test_another_port_of_a_live_volume_is_refused_with_the_way(site: Site) -> None:
    _write(site, "data:\n    on:", "data:\n    port: 7799\n    on:")
    _assert_refused(site, "SG-DRBD-022", ":7789", ":7799", "maintain")


def test_a_device_that_grew_while_it_was_detached_is_not_offered_for_wiping(site: Site) -> None:
    site.must("maintain", "disk-b")
    _attach_other(site, "disk-b")
    site.on("disk-b", GROW)
    try:
        plan = site.plan()
    finally:
        site.on("disk-b", SHRINK)
        site.must("maintain", "disk-b", "--done", timeout=1000)
    assert [step["summary"] for step in plan["steps"]] == []
    told = [p for p in plan["problems"] if p["code"] == "SG-DISK-011"]
    assert len(told) == 1
    assert str(DISK_BYTES) in told[0]["what"]
    assert str(DISK_BYTES + MORE * 512) in told[0]["what"]
    site.assert_whole()
