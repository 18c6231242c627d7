"""Data that is truly gone: begun anew, or from the older side, each with its own consent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_site import DISK, Site

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(900)]

SERVERS = ("srv-a", "srv-b")
STOP = "systemctl stop pacemaker; systemctl stop corosync-qdevice corosync"
ZEROED = f"""
{STOP}
[ "$(blockdev --getsize64 {DISK})" -gt 0 ]
dd if=/dev/zero of={DISK} bs=1M oflag=direct conv=fsync 2>&1 | grep -q 'No space left'
"""
"""The whole device, to its last byte."""
HELD_OUT = "systemctl disable pacemaker corosync-qdevice corosync"


@pytest.fixture
def unused(site: Site) -> Iterator[Site]:
    """Nobody has the volume mounted or mapped, and nobody can until a storage server is back."""
    site.assert_whole()
    site.on("srv-a", "echo early > /data/early; sync")
    for server in SERVERS:
        site.lab.stop(server)
    yield site
    site.assert_whole()


def apply_with_consent_alone(site: Site, code: str, consent: str) -> None:
    """The application servers boot; without the consent nothing is done, with it all is whole."""
    for server in SERVERS:
        site.lab.start(server)
    said = site.refused("apply", "--yes")
    assert code in said
    assert f"--allow {consent}" in said
    site.apply("--allow", consent)
    site.assert_whole()


def test_a_volume_whose_disks_are_blank_is_begun_anew_where_that_is_meant(unused: Site) -> None:
    for host in ("disk-b", "disk-a"):
        unused.on(host, ZEROED)
    apply_with_consent_alone(unused, "SG-DRBD-011", "new:data")
    assert unused.on("srv-a", "ls /data") == "lost+found"


def test_the_older_side_is_gone_on_from_where_that_is_meant(unused: Site) -> None:
    """disk-b left first and knows it; then the disk of disk-a, which had all, is replaced."""
    unused.on("disk-b", f"{STOP}; {HELD_OUT}")
    unused.lab.start("srv-a")
    unused.until("srv-a", "mountpoint -q /data")
    unused.on("srv-a", "echo late > /data/late; sync")
    unused.lab.stop("srv-a")
    unused.on("disk-a", ZEROED)
    apply_with_consent_alone(unused, "SG-DRBD-012", "older:data")
    assert unused.on("srv-a", "cat /data/early") == "early"
    assert unused.on("srv-a", "ls /data/late 2>&1 || :").endswith("No such file or directory")
