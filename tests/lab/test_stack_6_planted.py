"""The prover is proved on the real kernels: what is planted must be INVALID, by its own check.

Not here: switch-lies, after which the cluster is not whole by itself.
"""

from __future__ import annotations

import pytest
from cluster_site import Site
from drilled import drill, last_run, verdicts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def test_a_late_write_is_found(site: Site) -> None:
    """An old block is put back with dd onto the replicated device, under the filesystem."""
    done = drill(site, "late-write")
    told = done.stdout + done.stderr
    assert done.returncode == 1, told
    found = verdicts(last_run(site))
    assert found.pop("late") == "INVALID", told
    assert set(found.values()) == {"VALID"}, told
    assert "a late write:" in told
    site.assert_whole()


def test_a_lie_about_a_server_that_still_talks_is_not_believed(site: Site) -> None:
    done = drill(site, "link-cut-switch-lies", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(verdicts(last_run(site)).values()) == {"VALID"}
    site.assert_whole()
