"""The article's own shape, on servers without any other cluster: the oracle bites."""

from __future__ import annotations

from pathlib import Path

import pytest
from cluster_site import DESTROY, EXAMPLES, WIPE, Site, make_site
from drilled import drill, last_run, verdicts

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


@pytest.mark.long
def test_the_same_cut_loses_the_article_s_cluster(site: Site, tmp_path: Path) -> None:
    """Both sides open and no fencing: the checks must find what is lost."""
    site.must("destroy", "--yes", *DESTROY, *WIPE)
    teaching = make_site(site.lab, tmp_path, EXAMPLES / "article.yaml")
    teaching.must("apply", "--yes", "--allow", "article:guiguiabloc")
    done = drill(teaching, "replication-cut", "--quick", "--patience", "20")
    assert done.returncode == 1, done.stdout + done.stderr
    found = verdicts(last_run(teaching))
    bitten = {name for name, verdict in found.items() if verdict == "INVALID"}
    assert bitten & {"lost", "stale", "torn", "races", "counter", "tree"}, found
