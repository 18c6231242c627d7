"""Clocks are stepped, and what was killed when is known all the same: nothing rests on the time."""

from __future__ import annotations

import time

import pytest
from cluster_site import Site
from under_load import Progress, assert_nothing_lost

from sanglier.lab import control

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(600)]

KILL_OF_THE_FUTURE = "date -s '+1 hour'; stonith_admin --reboot disk-b; date -s '-1 hour'"
LONGEST_S = 60
"""Longer than the standby side holds its fire: where the open side shoots nobody, it does."""


def _fenced_since(site: Site, since: int) -> set[tuple[str, str]]:
    return {(e.host, e.requester) for e in control.power_events(site.lab)[since:]}


def test_a_kill_of_the_future_is_no_kill_of_now(site: Site) -> None:
    """The open server's clock is an hour ahead while it has the other one rebooted, and set right.

    When the mirror is cut later, the memory of that kill must not count as this one: the open side
    would go on without a kill, and the other one, whose hold of fire ends later, would really
    kill it and open without what was written meanwhile.
    """
    site.assert_whole()
    assert site.open_on() == "disk-a"
    site.on("disk-a", KILL_OF_THE_FUTURE)
    site.assert_whole()
    since = len(control.power_events(site.lab))

    def deed(_: Progress) -> None:
        site.lab.cut("disk-a", "replication")
        try:
            deadline = time.monotonic() + LONGEST_S
            while not _fenced_since(site, since) and time.monotonic() < deadline:
                time.sleep(0.5)
        finally:
            site.lab.heal("disk-a", "replication")

    assert_nothing_lost(site, "clock", deed)
    assert _fenced_since(site, since) == {("disk-b", "10.77.0.11")}
    site.assert_whole()
    assert site.open_on() == "disk-a"
