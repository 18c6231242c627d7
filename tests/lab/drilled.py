"""Drills as processes of the command line, and what they kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

from cluster_site import Site

PATIENCE_S = 1100


def _argv(site: Site, words: Iterable[str]) -> tuple[str, ...]:
    options = ("--lab", site.lab.place.name, "--secrets", str(site.secrets))
    argv = (sys.executable, "-m", "sanglier.cli.main", "drill", "run", str(site.file))
    return (*argv, *words, *options)


def drill(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _argv(site, words), capture_output=True, text=True, timeout=PATIENCE_S,
        stdin=subprocess.DEVNULL, env=site.environment, check=False,
    )  # fmt: skip


def drill_while(
    site: Site, deed: Callable[[], None], *words: str
) -> subprocess.CompletedProcess[str]:
    """Drill, and do something meanwhile; the drill ends whatever becomes of that."""
    run = subprocess.Popen(
        _argv(site, words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        stdin=subprocess.DEVNULL, env=site.environment,
    )  # fmt: skip
    try:
        deed()
    finally:
        told, _ = run.communicate(timeout=PATIENCE_S)
    return subprocess.CompletedProcess(run.args, run.returncode, told, "")


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
