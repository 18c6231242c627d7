"""What a contributor runs before a commit: bare servers get a volume, and one of them dies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cluster_site import DISK_BYTES, make_site
from drilled import drill, last_run, verdicts

from sanglier.lab.control import Lab
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.quick, pytest.mark.timeout(900)]


def test_bare_servers_become_a_cluster_that_survives_a_death(
    tmp_path_factory: pytest.TempPathFactory, module_lab: Callable[..., Lab]
) -> None:
    lab = module_lab(wish=Wish(kind=Kind.BARE, applications=2, disk_bytes=DISK_BYTES))
    site = make_site(lab, tmp_path_factory.mktemp("quick"))
    site.apply()
    site.assert_whole()
    done = drill(site, "open-killed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(verdicts(last_run(site)).values()) == {"VALID"}, done.stdout
    assert "Nothing to do" in site.apply()
