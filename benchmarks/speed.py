#!/usr/bin/env python3
"""Measure what a user waits for, in a fresh lab, and print a table for the README.

Run as root from the repository after scripts/setup: .venv/bin/python benchmarks/speed.py
Absolute seconds depend on the machine; the last column compares with something done in the
same run: one plain `ssh HOST true` to every host at once, new connections included (cold).  Warm
is over connections that are there, as they are for a minute after each verb.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "lab.yaml"
LAB = "bench"
HOSTS = ("disk-a", "disk-b", "srv-a", "srv-b", "witness")
PLANS = 7
GOALS = {"boot": 13.0, "apply": 60.0, "plan": 2.0, "status": 2.0}
"""Seconds, on two cores."""


def sanglier(*words: str, **extra: str) -> str:
    """Run a verb; raises when it fails."""
    argv = (sys.executable, "-m", "sanglier.cli.main", *words)
    environment = {**os.environ, **extra}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


def timed(act: Callable[[], object]) -> float:
    """Seconds that ``act`` takes."""
    began = time.monotonic()
    act()
    return time.monotonic() - began


def floor(config: str, *options: str) -> float:
    """Median seconds of one ssh to every host at once."""

    def one(host: str) -> None:
        subprocess.run(("ssh", "-F", config, *options, host, "true"), check=True)

    def everywhere() -> None:
        with concurrent.futures.ThreadPoolExecutor(len(HOSTS)) as pool:
            list(pool.map(one, HOSTS))

    return statistics.median(timed(everywhere) for _ in range(PLANS))


def warm(directory: Path) -> tuple[str, ...]:
    """Options that keep connections for a minute; the first use makes them."""
    return (
        "-oControlMaster=auto", "-oControlPersist=60", f"-oControlPath={directory}/%C",
    )  # fmt: skip


def row(name: str, seconds: float, goal: float | None, unit: float) -> str:
    """One line of the table."""
    told = f"{goal:g} s" if goal else "–"
    return f"| {name} | {seconds:.1f} s | {told} | {seconds / unit:.1f} |"


def measure(directory: Path) -> list[str]:
    """Do it all; gives the table's lines."""
    sanglier("lab", "up", "--name", LAB)
    sanglier("lab", "down", "--name", LAB)
    boot = timed(lambda: sanglier("lab", "up", "--name", LAB))
    config = json.loads(sanglier("lab", "status", "--name", LAB, "--json"))["ssh_config"]
    file = directory / "lab.yaml"
    file.write_text(EXAMPLE.read_text())
    shutil.copy(Path(config).with_name("cluster.secrets"), directory / "lab.secrets")
    extra = {"SANGLIER_SSH_CONFIG": config, "SANGLIER_STATE": str(directory / "state")}
    apply = timed(lambda: sanglier("apply", str(file), "--yes", **extra))
    cold = {**extra, "SANGLIER_SSH_PERSIST": "0"}

    def median(verb: str, environment: dict[str, str]) -> float:
        words = (verb, str(file), "--json")
        return statistics.median(timed(lambda: sanglier(*words, **environment))
                                 for _ in range(PLANS))  # fmt: skip

    unit = floor(config)
    rows = {
        "boot five hosts from the cached image to ssh": (boot, "boot"),
        "`apply`: hosts with nothing configured to mounted on both": (apply, "apply"),
        f"`plan` on the converged cluster, warm (median of {PLANS})": (
            median("plan", extra),
            "plan",
        ),
        "`plan`, cold": (median("plan", cold), ""),
        "`status`, warm": (median("status", extra), "status"),
        "one `ssh HOST true` to all five at once, cold": (unit, ""),
        "the same, warm": (floor(config, *warm(directory)), ""),
    }
    return [
        "| what | time | goal | times one ssh to every host, cold |",
        "|---|---|---|---|",
        *(row(name, seconds, GOALS.get(goal), unit) for name, (seconds, goal) in rows.items()),
    ]


def main() -> None:
    """Measure in a lab of its own and clean up."""
    with tempfile.TemporaryDirectory() as directory:
        try:
            lines = measure(Path(directory))
        finally:
            sanglier("lab", "down", "--name", LAB)
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
