"""Bare Debian servers to a mounted filesystem: every package comes from the lab's own mirror."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_site import make_site

from sanglier.lab.control import Lab
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

STORAGE = "corosync, corosync-qdevice, fence-agents, ipmitool, pacemaker, pacemaker-cli-utils"


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
    site.apply()
    site.assert_whole()
    assert site.open_on() == "disk-a"
    assert site.on("disk-a", "systemctl is-enabled rtslib-fb-targetctl || :") == "disabled"
    assert "Nothing to do" in site.apply()
