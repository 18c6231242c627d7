"""The device, the port and the size under a live volume: what the kernel runs is what counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cluster_site import DISK, DISK_BYTES, Site
from under_load import Progress, assert_nothing_lost

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

OTHER = "/dev/ubdc"
SECTORS, MORE = DISK_BYTES // 512, 131072
GROW = f"""
dmsetup table disk > /run/disk.table
other=$(lsblk -dno MAJ:MIN /dev/ubdc | tr -d " ")
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


def _kernel_names(site: Site, host: str) -> str:
    return site.on(host, "drbdsetup show data | grep 'disk.*\"'; grep cs: /proc/drbd")


@pytest.mark.long
def test_the_same_device_by_another_name_is_a_renaming_and_detaches_nothing(site: Site) -> None:
    before = {host: _kernel_names(site, host) for host in ("disk-a", "disk-b")}
    detached = "dmesg | grep -c 'Diskless' || :"
    count = {host: site.on(host, detached) for host in before}
    for host in before:
        node = site.on(host, f"readlink -f {DISK}")
        _write(site, f"{host}: {DISK}", f"{host}: {node}")
    site.on("disk-a", "drbdsetup net-options 10.77.1.11:7789 10.77.1.12:7789 --ping-int=9")
    site.apply()
    assert site.steps() == []
    assert {host: _kernel_names(site, host) for host in before} == before
    assert {host: site.on(host, detached) for host in before} == count
    assert DISK not in "".join(_resource_files(site))
    for host in before:
        node = site.on(host, f"readlink -f {DISK}")
        _write(site, f"{host}: {node}", f"{host}: {DISK}")
    site.apply()
    site.assert_whole()


def _grown(site: Site) -> dict[str, Any]:
    """Give the plan while disk-b's device is larger than it was."""
    site.on("disk-b", GROW)
    try:
        return site.plan()
    finally:
        site.on("disk-b", SHRINK)


@pytest.mark.long
def test_a_device_is_exchanged_one_side_at_a_time_under_load_and_nothing_is_lost(
    site: Site,
) -> None:
    """disk-b goes to another disk and back; meanwhile its first one has grown, and is not wiped."""
    text = site.file.read_text()

    def deed(_: Progress) -> None:
        site.must("maintain", "disk-b")
        _attach_other(site, "disk-b")
        plan = _grown(site)
        assert [step["summary"] for step in plan["steps"]] == []
        (told,) = [p["what"] for p in plan["problems"] if p["code"] == "SG-DISK-011"]
        assert str(DISK_BYTES) in told
        assert str(DISK_BYTES + MORE * 512) in told
        _write(site, f"disk-b: {DISK}", f"disk-b: {OTHER}")
        said = site.apply()
        assert f"create metadata on {OTHER}" in said
        assert site.steps() == []
        site.must("maintain", "disk-b", "--done", timeout=1000)
        assert OTHER in _kernel_names(site, "disk-b")
        assert site.steps() == []

    site.on("disk-b", f"[ ! -b {OTHER} ] || wipefs -qa {OTHER}")
    assert_nothing_lost(site, "device", deed)
    site.assert_whole()
    site.must("maintain", "disk-b")
    site.file.write_text(text)
    site.apply("--allow", "reuse:disk-b/mapper/disk")
    site.must("maintain", "disk-b", "--done", timeout=1000)
    site.assert_whole()
