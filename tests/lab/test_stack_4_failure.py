"""Storage servers die under load, an application server reboots: the cluster comes back alone.

Nobody applies in this file but where a person's choice is needed.
"""

from __future__ import annotations

import pytest
from cluster_site import Site
from under_load import Progress, assert_nothing_lost

from sanglier.lab import control
from sanglier.lab.manner import Manner
from sanglier.lab.power import Action, PowerEvent

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

ADDRESSES = {"disk-a": "10.77.0.11", "disk-b": "10.77.0.12"}


def _power(site: Site, since: int) -> tuple[PowerEvent, ...]:
    return control.power_events(site.lab)[since:]


def _assert_switched_on_by(site: Site, victim: str, killer: str, since: int) -> None:
    events = _power(site, since)
    assert {(event.host, event.requester) for event in events} == {(victim, ADDRESSES[killer])}
    assert events[-1].action in {Action.ON, Action.CYCLE, Action.RESET}, events


def test_the_open_server_dies_and_the_other_fences_it_and_opens_and_nothing_is_lost(
    site: Site,
) -> None:
    assert site.open_on() == "disk-a"
    since = len(control.power_events(site.lab))
    assert_nothing_lost(site, "kill", lambda _: site.lab.kill("disk-a"))
    _assert_switched_on_by(site, "disk-a", "disk-b", since)


def test_the_dead_server_boots_and_is_in_sync_again_by_itself(site: Site) -> None:
    site.assert_whole()
    assert site.open_on() == "disk-b"
    assert "ds:UpToDate/UpToDate" in site.on("disk-a", "cat /proc/drbd")


def test_without_a_confirmed_kill_nothing_opens_and_writers_wait_and_nothing_is_lost(
    site: Site,
) -> None:
    """The open server dies and its power switch with it, until somebody plugs that in again."""
    since = len(control.power_events(site.lab))

    def deed(progress: Progress) -> None:
        site.lab.cut_bmc("disk-b")
        site.lab.kill("disk-b")
        try:
            site.until("disk-a", "crm_mon -1 | grep -q 'disk-b: UNCLEAN'")
            before = progress()
            said = site.refused("status", status=4)
            assert progress() == before, "somebody acknowledged a write"
        finally:
            site.lab.heal_bmc("disk-b")
        assert "SG-SSH-001" in said
        assert "disk-b is lost and not confirmed dead" in said
        assert "I/O FROZEN" in said
        assert _power(site, since) == ()

    assert_nothing_lost(site, "unconfirmed", deed)
    _assert_switched_on_by(site, "disk-b", "disk-a", since)
    site.assert_whole()
    assert site.open_on() == "disk-a"


BESIDE_A_LOOK = """
crm_resource --refresh --resource fence-disk-b-1 >/dev/null 2>&1
timeout 60 sh -c 'until pidof -x fence_ipmilan >/dev/null; do sleep 0.1; done'
stonith_admin --reboot disk-b --timeout 60 >/dev/null 2>&1 &
most=0
while kill -0 "$!" 2>/dev/null; do
    set -- $(pidof -x fence_ipmilan)
    [ "$#" -le "$most" ] || most=$#
    sleep 0.1
done
echo "$most"
"""
"""Shell: how many fence agents run at once while disk-b is killed during a look at its switch."""


@pytest.mark.long
def test_a_kill_does_not_wait_for_a_look_at_its_switch(site: Site) -> None:
    site.assert_whole()
    since = len(control.power_events(site.lab))
    site.lab.behave("disk-b", Manner.LATE)
    try:
        assert int(site.on("disk-a", BESIDE_A_LOOK)) >= 2
    finally:
        site.lab.behave("disk-b", Manner.HONEST)
    _assert_switched_on_by(site, "disk-b", "disk-a", since)
    site.assert_whole()


def test_an_application_server_mounts_by_itself_after_a_reboot(site: Site) -> None:
    site.lab.stop("srv-b")
    site.lab.start("srv-b")
    site.assert_whole()


GUARD_OFF = "crm_attribute --name maintenance-mode --update true; crm_resource --wait --timeout=60s"
GUARD_ON = "crm_attribute --name maintenance-mode --delete; crm_resource --wait --timeout=60s"
WITHOUT_FENCING = "drbdsetup disk-options 0 --fencing=dont-care"
WRITE_APART = """
drbdadm disconnect data
dd if=/dev/urandom of=/dev/drbd0 bs=4k count=1 seek=100000 oflag=direct 2>&1
"""
GOING_ON_ALONE = "cs:StandAlone ro:Primary/Unknown ds:UpToDate/Outdated"
DISCARD_MINE = "drbdadm disconnect data || :; drbdadm connect --discard-my-data data"


def test_a_split_brain_made_by_hand_is_said_and_nobodys_writes_are_discarded(site: Site) -> None:
    """With the guard switched off both sides write apart; only a person may choose one.

    ``apply`` refuses to; the mirror's fencing, which it restores, kills the side that is not
    open, and that one never opens with the data that it wrote apart.
    """
    since = len(control.power_events(site.lab))
    site.on("disk-a", GUARD_OFF)
    for host in ("disk-a", "disk-b"):
        site.on(host, WITHOUT_FENCING)
    site.on("disk-b", WRITE_APART)
    site.on("srv-a", "echo mine > /data/split; sync")
    site.on("disk-b", "drbdadm connect data")
    site.until("disk-a", "grep -q cs:StandAlone /proc/drbd")
    said = site.refused("apply", "--yes", status=1)
    assert "SPLIT-BRAIN" in said
    assert "SG-DRBD-004" in said
    site.until("disk-a", "crm_mon -1 | grep -q 'Online: .* disk-b '")
    site.until("disk-a", f"grep -q '{GOING_ON_ALONE}' /proc/drbd")
    _assert_switched_on_by(site, "disk-b", "disk-a", since)
    site.on("disk-a", GUARD_ON)
    site.until("disk-b", "grep -q 'cs:WFConnection ro:Secondary/Unknown ds:Consistent' /proc/drbd")
    assert site.open_on() == "disk-a"
    site.on("disk-b", DISCARD_MINE)
    site.on("disk-a", "drbdadm connect data")
    site.assert_whole()
    assert site.on("srv-b", "cat /data/split") == "mine"
