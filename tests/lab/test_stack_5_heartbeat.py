"""No server mounts while another one's heartbeat may only be held up: it would not see it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from cluster_site import Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

MAP, POINT = "sanglier-data", "/data"
MOUNTED = f"grep -q ' {POINT} ocfs2 ' /proc/mounts"
JOINED = "dmesg -t | tr -d '\\n' | grep -o 'Joining domain.*'"
HELD_S = 15
"""A mount by itself is through in less; what follows it within these seconds did not wait."""


@pytest.fixture(autouse=True)
def whole_before_and_after(site: Site) -> Iterator[None]:
    site.assert_whole()
    yield
    site.on("srv-b", f"dmsetup resume {MAP}")
    site.on("srv-a", f"systemctl start data.mount; {MOUNTED}")
    site.assert_whole()


def test_a_mount_waits_for_a_server_whose_storage_stalls(site: Site) -> None:
    """Without it: a lock domain of its own, a journal replayed under the other's feet."""
    site.on("srv-a", "systemctl stop data.mount; dmesg -C")
    site.on("srv-b", f"dmsetup suspend --noflush --nolockfs {MAP}")
    site.on("srv-a", "systemctl start --no-block data.mount")
    time.sleep(HELD_S)
    site.on("srv-a", f"! {MOUNTED}")
    said = site.on("srv-a", "systemctl status sanglier-heard-data.service || :")
    assert "waits for srv-b" in said
    assert "waits for other servers' heartbeats" in site.run("status").stdout
    site.on("srv-b", f"dmsetup resume {MAP}")
    site.until("srv-a", MOUNTED, 60)
    assert "( 0 1 ) 2 nodes" in site.on("srv-a", JOINED)


@pytest.mark.long  # o2cb's patience has to pass, 122 s
def test_one_that_hangs_alone_is_alive_and_is_not_taken_for_dead(site: Site) -> None:
    """Its kernel extends its own deadline for ever: nobody is left who would not hang alike."""
    site.on("srv-a", "systemctl stop data.mount")
    boot = site.on("srv-b", "cat /proc/sys/kernel/random/boot_id; dmesg -C")
    site.on("srv-b", f"dmsetup suspend --noflush --nolockfs {MAP}")
    site.on("srv-a", "systemctl start data.mount && exit 1; :", timeout=400)
    site.on("srv-a", f"! {MOUNTED}")
    said = site.on("srv-a", "journalctl -u sanglier-heard-data --no-pager -n 20")
    assert "srv-b (silent, but it answers at" in said
    assert "all nodes hb write hung" in site.on("srv-b", "dmesg")
    assert site.on("srv-b", "cat /proc/sys/kernel/random/boot_id") == boot
    site.on("srv-b", f"dmsetup resume {MAP}")
    site.until("srv-a", MOUNTED, 300)


@pytest.mark.long  # the same
def test_one_that_is_dead_is_waited_for_and_then_its_journal_is_replayed(site: Site) -> None:
    site.on("srv-a", "systemctl stop data.mount; dmesg -C")
    site.lab.kill("srv-b")
    site.on("srv-a", f"systemctl start data.mount; {MOUNTED}", timeout=400)
    said = site.on("srv-a", "journalctl -u sanglier-heard-data --no-pager -n 20")
    assert "waits until it is known whether these have" in said
    assert "Begin replay journal (node 1" in site.on("srv-a", "dmesg")
    site.lab.start("srv-b")
    site.until("srv-b", MOUNTED, 300)
