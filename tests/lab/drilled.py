"""Drills as processes of the command line, and what they kept."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from cluster_site import Site


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
