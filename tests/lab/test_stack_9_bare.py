"""Bare Debian servers to a mounted filesystem, however often ``apply`` is cut on the way.

Every package comes from the lab's own mirror.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_site import Site, cut, make_site

from sanglier.lab.control import Lab
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

STORAGE = "corosync, corosync-qdevice, fence-agents, ipmitool, pacemaker, pacemaker-cli-utils"


CUTS = (7, 8, 9, 4, 2, 8, 7, 9, 4, 2, 2)
"""Steps that each run may begin: the first is cut behind the packages, one step on each host."""


def test_apply_takes_bare_hosts_to_a_mounted_filesystem(
    small_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    site = make_site(small_lab(wish=Wish(kind=Kind.BARE, applications=2)), tmp_path)
    for host in ("disk-a", "srv-a", "witness"):
        absent = "dpkg-query -W drbd-utils pacemaker ocfs2-tools corosync-qnetd 2>/dev/null || :"
        assert site.on(host, absent) == ""
    plan = site.plan()
    installs = {step["host"]: step["summary"] for step in plan["steps"]
                if step["layer"] == "packages"}  # fmt: skip
    assert installs["disk-a"] == f"install drbd-utils, targetcli-fb, {STORAGE}"
    assert installs["srv-b"] == "install multipath-tools, ocfs2-tools, open-iscsi"
    assert installs["witness"] == "install corosync-qnetd"
    assert _times_cut(site) >= 7
    site.apply()
    site.assert_whole()
    assert site.open_on() == "disk-a"
    assert site.on("disk-a", "systemctl is-enabled rtslib-fb-targetctl || :") == "disabled"
    assert "Nothing to do" in site.apply()


def _times_cut(site: Site) -> int:
    """Cut ``apply`` by SIGKILL and SIGINT in turn, each time some steps further."""
    for number, steps in enumerate(CUTS):
        how = signal.SIGINT if number % 2 else signal.SIGKILL
        if not cut(site, steps, how, "apply"):
            return number
    return len(CUTS)
