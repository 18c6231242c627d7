"""Drills on the real kernels: a representative few, each on the cluster that the last one left."""

from __future__ import annotations

import pytest
from cluster_site import Site
from drilled import drill, last_run, verdicts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

LONG = ("blackout", "open-frozen-20", "disk-errors")


@pytest.mark.parametrize(
    "name",
    ("replication-cut", *(pytest.param(one, marks=pytest.mark.long) for one in LONG)),
)
def test_the_cluster_survives(site: Site, name: str) -> None:
    quick = () if name == "replication-cut" else ("--quick",)
    done = drill(site, name, *quick)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    run = last_run(site)
    assert set(verdicts(run).values()) == {"VALID"}, told
    assert run["injections"] >= 1
    assert sum(c["numbers"].get("acknowledged", 0) for c in run["checks"]) > 100
