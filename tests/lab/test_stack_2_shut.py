"""What must be shut is watched where it is: opened by hand, or its port group removed.

Nobody applies but where it says so; what the cluster can mend it mends by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_site import SIDE, TARGETS, Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

GROUP = SIDE.rpartition("/")[0]
BOUND_S = 10
SHUT_BY_ITSELF = f"""
printf 0 > {SIDE}
read -r since _ < /proc/uptime
while read -r state < {SIDE} && [ "$state" = 0 ]; do
    read -r now _ < /proc/uptime
    [ $((${{now%.*}} - ${{since%.*}})) -le 40 ] || exit 1
    sleep 0.1
done
read -r now _ < /proc/uptime
echo $((${{now%.*}} - ${{since%.*}}))
"""
"""Open the side by hand and print after how many seconds it was shut again."""
MEMBERS = f"""
for group in {TARGETS}/core/iblock_0/data/alua/*; do
    if read -r member < $group/members; then
        read -r state < $group/alua_access_state; echo "${{group##*/}} $state"
    fi
done
"""
"""The port groups that have a LUN, with their states."""
GUARD_OFF = "crm_attribute --name maintenance-mode --update true; crm_resource --wait --timeout=60s"

AGENT = "/usr/lib/ocf/resource.d/sanglier/side"
BLIND = rf"""printf '#!/bin/sh\n[ "$1" = monitor ] && exit 7\n' > {AGENT}"""
"""An agent that looks at nothing: in maintenance mode Pacemaker goes on with the monitors of what
is stopped, and ours would shut the side."""


OPENED = "/run/sanglier/opened-data"
"""When a side was shut that nobody had opened by order: told until the administrator removes it."""


@pytest.fixture(scope="module", autouse=True)
def forgotten(site: Site) -> Iterator[None]:
    """Leave no warning of ours to the tests after: a reboot of the server would hide that."""
    yield
    for host in ("disk-a", "disk-b"):
        site.on(host, f"rm -f {OPENED}")
    assert site.plan()["problems"] == []


@pytest.fixture
def unguarded(site: Site) -> Iterator[Site]:
    """A cluster that nobody watches: Pacemaker's maintenance mode, until an apply."""
    site.on("disk-a", GUARD_OFF)
    yield site
    site.apply()
    site.assert_whole()


def test_a_side_opened_by_hand_is_shut_again_within_ten_seconds(site: Site) -> None:
    assert site.open_on() == "disk-a"
    assert int(site.on("disk-b", SHUT_BY_ITSELF)) <= BOUND_S
    assert site.open_on() == "disk-a"
    site.assert_whole()
    assert [(p["code"], p["address"]) for p in site.plan()["problems"]] == [
        ("SG-CLU-010", "disk-b/cluster/data")
    ]


def test_a_group_removed_in_standby_is_made_again_shut(site: Site) -> None:
    site.on("disk-b", f"rmdir {GROUP}")
    assert site.on("disk-b", MEMBERS) in {"default_tg_pt_gp 2", "sanglier 2", ""}
    site.until("disk-b", f"[ -e {SIDE} ]", seconds=60)
    site.assert_whole()
    assert site.on("disk-b", MEMBERS) == "sanglier 2"


def test_apply_makes_a_missing_group_shut(unguarded: Site) -> None:
    unguarded.on("disk-b", f"rmdir {GROUP}")
    assert unguarded.on("disk-b", MEMBERS) == "default_tg_pt_gp 2"
    assert "default_tg_pt_gp" in unguarded.refused("status", status=1)
    unguarded.apply()
    assert unguarded.on("disk-b", MEMBERS) == "sanglier 2"
    assert unguarded.open_on() == "disk-a"


def test_an_open_side_that_nobody_watches_is_told_and_shut_by_apply(unguarded: Site) -> None:
    unguarded.on("disk-b", f"{BLIND}; printf 0 > {SIDE}")
    assert "SG-CLU-009" in unguarded.refused("status", status=1)
    assert "SG-CLU-009" in unguarded.refused("timings", "--check", status=1)
    assert "disk-b/cluster/data-shut" in unguarded.steps()
    unguarded.apply()
    assert unguarded.on("disk-b", f"cat {SIDE}") == "2"
    assert unguarded.open_on() == "disk-a"


def test_the_open_side_comes_back_when_its_group_is_removed(site: Site) -> None:
    site.on("disk-a", f"rmdir {GROUP}")
    site.assert_whole()
    assert site.on(site.open_on(), MEMBERS) == "sanglier 0"
    site.must("move", "data", "--to", "disk-a")
    assert site.open_on() == "disk-a"
