#!/usr/bin/env python3
"""Play the same drills on two checkouts in turn, each in a lab of its own.

Run as root after ``scripts/setup`` in both checkouts:

    .venv/bin/python benchmarks/side_by_side.py OLD NEW [TIMINGS:DRILL…] [--blocks 2] [--keep DIR]

Machines are shared and noisy, so a figure of yesterday is no yardstick: the drills alternate, and
what the noise is shows in the least and the most.  A drill is five times the same fault, each when
all is whole again.  Both labs are booted by NEW, for what is compared is what runs in them: a lab
that lost no wake-ups any more had the servers write eight times as much, and the cluster looked
slower for it.  One lab idles while the other is drilled; two under load are more than two
processors carry.  Prints a table for docs/explanation; to stderr goes what was not VALID, whose
stalls count all the same; ``--keep`` keeps the campaigns.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, groupby, pairwise, repeat
from pathlib import Path
from typing import Any

DRILLS = ("safe:open-killed", "safe:replication-cut", "safe:planned-move", "fast:open-killed")
MOST_S = 1800
"""Longest that one verb may take."""
BEFORE_S = 0.5
"""A stall may begin so much before the fault is written down: the last word before it."""
BLOCK = 5
"""Faults of a drill, each when the cluster is whole again after the one before."""
SHORTEST_S = 1.0
"""Shorter stalls are not in a drill's record; one that is not there counts as this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One checkout with its lab."""

    name: str
    checkout: Path
    maker: Path
    """Checkout that boots the lab."""
    directory: Path

    @property
    def lab(self) -> str:
        """Name of its lab."""
        return f"side-{self.name}"

    @property
    def file(self) -> Path:
        """The cluster's file."""
        return self.directory / "lab.yaml"

    def sanglier(self, *words: str, expect: tuple[int, ...] = (0,)) -> str:
        """Run a verb of this checkout; raises when it ends otherwise than expected."""
        checkout = self.maker if words[0] == "lab" else self.checkout
        argv = (str(checkout / ".venv/bin/python"), "-m", "sanglier.cli.main", *words)
        environment = {**os.environ, "SANGLIER_STATE": str(self.directory / "state")}
        done = subprocess.run(
            argv, capture_output=True, text=True, env=environment, check=False, timeout=MOST_S,
            stdin=subprocess.DEVNULL, cwd=self.directory,
        )  # fmt: skip
        if done.returncode not in expect:
            raise RuntimeError(f"{self.name}: {' '.join(words)}: {done.stdout}{done.stderr}")
        return str(done.stdout)

    def build(self, timings: str) -> None:
        """Boot a new lab and build the cluster."""
        self.tear()
        self.sanglier("lab", "up", "--name", self.lab)
        found = json.loads(self.sanglier("lab", "status", "--name", self.lab, "--json"))
        state = Path(found["ssh_config"]).parent
        text = (self.checkout / "examples/lab.yaml").read_text()
        self.file.write_text(text.replace("timings: safe", f"timings: {timings}"))
        shutil.copy(next(state.glob("*.secrets")), self.directory / "lab.secrets")
        self.sanglier("apply", str(self.file), "--yes", "--ssh-config", found["ssh_config"])

    def tear(self) -> None:
        """Remove the lab."""
        self.sanglier("lab", "down", "--name", self.lab, expect=(0, 1, 2, 3))

    def drill(self, name: str, block: int) -> tuple[float, ...]:
        """Play a fault some times in one drill; gives its stalls, seconds, whatever the verdict."""
        secrets = str(self.directory / "lab.secrets")
        words = ("drill", "replay", str(self.file), *(name,) * block, "--lab", self.lab)
        try:
            said = self.sanglier(*words, "--secrets", secrets, "--quick", expect=(0, 1))
        except (RuntimeError, subprocess.TimeoutExpired) as trouble:  # the hour of the others stays
            sys.stderr.write(f"{self.name}, {name}: not played\n{trouble}\n")
            return ()
        kept = max((self.directory / "state/drills").iterdir(), key=lambda one: one.name)
        found = json.loads((kept / "campaign.json").read_text())
        campaign = found.get("campaign", found)
        if campaign["verdict"] != "VALID":
            sys.stderr.write(f"{self.name}, {name}: not VALID\n{said}")
        return tuple(stalls(campaign["runs"][-1]))


def stalls(run: Mapping[str, Any]) -> Iterator[float]:
    """Give the longest stall of any application server after each fault, until the next one."""
    faults = [moment["at_s"] for moment in run["moments"] if moment["kind"] == "fault"]
    found = [stall for series in run["series"] for stall in series["stalls"]]
    for begin, end in pairwise((*faults, run["length_s"])):
        mine = (stall for stall in found if begin - BEFORE_S <= stall["from_s"] < end - BEFORE_S)
        yield max((stall["to_s"] - stall["from_s"] for stall in mine), default=SHORTEST_S)


def spread(stalls: Iterable[float]) -> str:
    """Write a median with the least, the most and the number."""
    known = sorted(stalls)
    if not known:
        return "–"
    return f"{statistics.median(known):.1f} s ({known[0]:.1f} to {known[-1]:.1f}, {len(known)})"


def measure(sides: tuple[Side, Side], drills: Iterable[str], blocks: int) -> Iterator[str]:
    """Do it all; gives the table's lines."""
    yield "| drill | old: median (least to most, faults) | new |"
    yield "|---|---|---|"
    pairs = [tuple(word.split(":", 1)) for word in drills]
    with ThreadPoolExecutor(len(sides)) as pool:
        for timings, group in groupby(pairs, key=lambda pair: pair[0]):
            list(pool.map(Side.build, sides, repeat(timings)))
            for _, name in group:
                found = [[side.drill(name, BLOCK) for side in sides] for _ in range(blocks)]
                old, new = (chain.from_iterable(side) for side in zip(*found, strict=True))
                yield f"| {name}, {timings} | {spread(old)} | {spread(new)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("drills", nargs="*", default=DRILLS, metavar="TIMINGS:DRILL")
    parser.add_argument("--blocks", type=int, default=2, help=f"of {BLOCK} faults")
    parser.add_argument("--keep", type=Path, metavar="DIR")
    chosen = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # also when begun in the background
        signal.signal(number, signal.default_int_handler)
    root = Path(tempfile.mkdtemp(prefix="sanglier-side-"))
    names = {"old": chosen.old.resolve(), "new": chosen.new.resolve()}
    sides = [
        Side(name=name, checkout=at, maker=names["new"], directory=root / name)
        for name, at in names.items()
    ]
    for side in sides:
        side.directory.mkdir()
    try:
        for line in measure((sides[0], sides[1]), chosen.drills, chosen.blocks):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    finally:
        for side in sides:
            side.tear()
            if chosen.keep:
                shutil.copytree(
                    side.directory / "state/drills", chosen.keep / side.name, dirs_exist_ok=True
                )
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
