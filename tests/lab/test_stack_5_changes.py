"""Planned changes: the open side moves under load; a storage server is emptied and taken back."""

from __future__ import annotations

import pytest
from cluster_site import SIDE, Site
from under_load import Progress, assert_nothing_lost

from sanglier.lab import control

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def test_the_open_side_moves_there_and_back_under_load_and_nothing_is_lost(site: Site) -> None:
    def deed(_: Progress) -> None:
        for host, other in (("disk-b", "disk-a"), ("disk-a", "disk-b")):
            site.must("move", "data", "--to", host)
            assert site.open_on() == host
            assert site.on(other, f"cat {SIDE}") == "2"

    site.assert_whole()
    assert site.open_on() == "disk-a"
    assert_nothing_lost(site, "move", deed)
    site.assert_whole()
    assert "already" in site.must("move", "data", "--to", "disk-a")


def test_what_the_file_does_not_name_cannot_be_moved(site: Site) -> None:
    for words in (("data", "--to", "srv-a"), ("mail", "--to", "disk-b")):
        assert "SG-RUN-050" in site.refused("move", *words, status=2)


SLOWLY = "drbdsetup disk-options 0 --c-plan-ahead=0 --resync-rate=500k"
DEMOTE = "crm_resource -r data-mirror --ban --promoted --node disk-b >/dev/null 2>&1"
PROMOTE = "crm_resource -r data-mirror --clear --node disk-b >/dev/null 2>&1"


@pytest.mark.long
def test_a_move_to_a_side_that_is_behind_is_refused(site: Site) -> None:
    for host in ("disk-a", "disk-b"):
        site.on(host, SLOWLY)
    site.on("disk-b", DEMOTE)
    site.until("disk-b", "grep -q ro:Secondary/Primary /proc/drbd")
    site.on("disk-b", "drbdadm invalidate data")
    site.until("disk-b", "grep -q cs:SyncTarget /proc/drbd")
    said = site.refused("move", "data", "--to", "disk-b")
    assert "SG-MOVE-002" in said
    assert "Inconsistent" in said
    assert "SG-MOVE-002" in site.refused("maintain", "disk-a")
    assert site.open_on() == "disk-a"
    site.on("disk-b", PROMOTE)
    for host in ("disk-a", "disk-b"):
        site.on(host, "drbdadm adjust data")
    site.assert_whole()


@pytest.mark.long  # five minutes
def test_maintenance_empties_a_server_over_a_reboot_and_takes_it_back_under_load(
    site: Site,
) -> None:
    since = len(control.power_events(site.lab))

    def deed(_: Progress) -> None:
        site.must("maintain", "disk-a")
        _assert_empty(site)
        assert site.steps() == []
        site.lab.stop("disk-a")
        site.lab.start("disk-a")
        site.until("disk-b", "crm_mon -1 | grep -q 'Node disk-a: standby$'")
        _assert_empty(site)
        said = site.refused("move", "data", "--to", "disk-a")
        assert "SG-MOVE-001" in said
        assert "SG-CLU-003" in site.refused("status", status=1)
        done = site.must("maintain", "disk-a", "--done", timeout=1000)
        assert "open on it again: data" in done

    assert_nothing_lost(site, "maintain", deed)
    site.assert_whole()
    assert site.open_on() == "disk-a"
    assert control.power_events(site.lab)[since:] == (), "nobody was to be fenced"


def _assert_empty(site: Site) -> None:
    """Nothing of the volume runs on disk-a, and disk-b carries it."""
    left = f"set +e; exec 2>/dev/null; grep cs: /proc/drbd; ls {SIDE}; :"
    assert site.on("disk-a", left) == ""
    assert site.open_on() == "disk-b"
