"""Drills with two volumes that are open on different servers: both are loaded, and judged apart."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cluster_site import DISK_BYTES, EXAMPLES, Site, make_site
from drilled import drill, last_run, verdicts

from sanglier.lab.control import Lab
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, module_lab: Callable[..., Lab]) -> Site:
    lab = module_lab(wish=Wish(applications=2, disk_bytes=DISK_BYTES, disks=2))
    site = make_site(lab, tmp_path_factory.mktemp("two"), EXAMPLES / "lab-two-volumes.yaml")
    site.apply()
    site.assert_whole()
    return site


@pytest.mark.parametrize("name", ["open-killed", "replication-cut", "corosync-killed"])
def test_both_volumes_survive(two: Site, name: str) -> None:
    done = drill(two, name)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    run = last_run(two)
    assert set(verdicts(run).values()) == {"VALID"}, told
    kept = {c["subject"] for c in run["checks"] if c["name"] == "lost"}
    assert kept == {"appends on data", "appends on mail"}
    first = {v: next(s["host"] for s in run["open_spans"] if s["volume"] == v)
             for v in ("data", "mail")}  # fmt: skip
    assert set(first.values()) <= {"disk-a", "disk-b"}
    if name == "open-killed":
        assert first == {"data": "disk-a", "mail": "disk-b"}
