"""Drills on the real kernels, and the proof that their oracle bites."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from cluster_site import DESTROY, EXAMPLES, REUSE, Site

from sanglier.drill.catalogue import REPRESENTATIVE

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def drill(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    options = ("--lab", site.lab.place.name, "--secrets", str(site.secrets))
    argv = (sys.executable, "-m", "sanglier.cli.main", "drill", "run", str(site.file))
    return subprocess.run(
        (*argv, *words, *options), capture_output=True, text=True, timeout=1100,
        stdin=subprocess.DEVNULL, env=site.environment, check=False,
    )  # fmt: skip


def last_run(site: Site) -> dict[str, Any]:
    """The last drill of the newest campaign that the site's verbs kept."""
    newest = max((site.directory / "state" / "drills").iterdir(), key=lambda path: path.name)
    assert "</svg>" in (newest / "page.html").read_text()
    found = json.loads((newest / "campaign.json").read_text())
    runs: list[dict[str, Any]] = found.get("campaign", found)["runs"]
    return runs[-1]


def verdicts(run: dict[str, Any]) -> dict[str, str]:
    """The worst verdict of each check, by name."""
    order = ("VALID", "UNKNOWN", "INVALID")
    found: dict[str, str] = {}
    for check in run["checks"]:
        seen = found.get(check["name"], "VALID")
        found[check["name"]] = max(seen, check["verdict"], key=order.index)
    return found


@pytest.fixture(scope="module")
def drilled(site: Site) -> Site:
    site.apply()
    return site


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_the_cluster_survives(drilled: Site, name: str) -> None:
    quick = () if name == "replication-cut" else ("--quick",)
    done = drill(drilled, name, *quick)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    run = last_run(drilled)
    assert set(verdicts(run).values()) == {"VALID"}, told
    assert run["injections"] >= 1
    assert sum(c["numbers"].get("acknowledged", 0) for c in run["checks"]) > 100


def test_the_same_cut_loses_the_article_s_cluster(drilled: Site) -> None:
    """Both sides open and no fencing: the checks must find what is lost."""
    drilled.must("destroy", "--yes", *DESTROY)
    drilled.file.write_text((EXAMPLES / "article.yaml").read_text())
    drilled.must("apply", "--yes", "--allow", "article:guiguiabloc", *REUSE)
    done = drill(drilled, "replication-cut", "--quick", "--patience", "20")
    assert done.returncode == 1, done.stdout + done.stderr
    found = verdicts(last_run(drilled))
    bitten = {name for name, verdict in found.items() if verdict == "INVALID"}
    assert bitten & {"lost", "stale", "torn", "races", "counter", "tree"}, found
