"""Drills on disks that lose their cache: every acknowledged write was flushed, and is there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cluster_site import DISK_BYTES, Site, make_site
from drilled import drill, last_run, verdicts

from sanglier.lab.control import Lab
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def losing(tmp_path_factory: pytest.TempPathFactory, module_lab: Callable[..., Lab]) -> Site:
    lab = module_lab(wish=Wish(applications=2, disk_bytes=DISK_BYTES, volatile=True))
    site = make_site(lab, tmp_path_factory.mktemp("volatile"))
    site.apply()
    site.assert_whole()
    return site


@pytest.mark.parametrize("name", ["open-killed", "standby-killed"])
def test_nothing_acknowledged_is_lost_with_a_cache(losing: Site, name: str) -> None:
    done = drill(losing, name)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    run = last_run(losing)
    assert set(verdicts(run).values()) == {"VALID"}, told
    assert [m for m in run["moments"] if "blocks that were not flushed" in m["text"]]
