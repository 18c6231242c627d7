"""Bare Debian servers to a mounted filesystem: every package comes from the lab's own mirror."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_site import EXAMPLE, Site

from sanglier.lab.control import Lab
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def test_apply_takes_bare_hosts_to_a_mounted_filesystem(
    small_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    lab = small_lab(wish=Wish(kind=Kind.BARE, applications=2))
    (tmp_path / "lab.yaml").write_text(EXAMPLE.read_text())
    site = Site(lab=lab, directory=tmp_path)
    for host in ("disk-a", "srv-a"):
        assert site.on(host, "dpkg-query -W drbd-utils ocfs2-tools 2>/dev/null || :") == ""
    plan = site.plan()
    installs = {step["host"]: step["summary"] for step in plan["steps"]
                if step["layer"] == "packages"}  # fmt: skip
    assert installs["disk-a"] == "install drbd-utils, targetcli-fb"
    assert installs["srv-b"] == "install multipath-tools, ocfs2-tools, open-iscsi"
    site.apply()
    site.assert_converged()
    assert site.on("disk-a", "systemctl is-enabled rtslib-fb-targetctl || :") == "disabled"
    assert "Nothing to do" in site.apply()
