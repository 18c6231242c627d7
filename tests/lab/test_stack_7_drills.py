"""Drills on the real kernels, and the proof that their oracle bites."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cluster_site import Site

from sanglier.drill.catalogue import REPRESENTATIVE

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def campaign(site: Site) -> dict[str, Any]:
    """The newest campaign that the site's verbs kept."""
    newest = max((site.directory / "state" / "drills").iterdir(), key=lambda path: path.name)
    found: dict[str, Any] = json.loads((newest / "campaign.json").read_text())
    assert (Path(newest) / "page.html").read_text().startswith("<!DOCTYPE html>")
    return found


@pytest.fixture(scope="module")
def drilled(site: Site) -> Site:
    site.apply()
    return site


@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_the_cluster_survives(drilled: Site, name: str) -> None:
    done = drilled.run("drill", "run", name, "--lab", drilled.lab.place.name, timeout=800)
    assert done.returncode == 0, done.stdout + done.stderr
    text = json.dumps(campaign(drilled))
    assert '"INVALID"' not in text
    assert '"UNKNOWN"' not in text
