#!/usr/bin/env python3
"""Measure what barriers cost: OCFS2 mounted without them and with them, in turns, in one lab.

Run as root from the repository after scripts/setup: .venv/bin/python benchmarks/barriers.py
It boots a lab of its own; with the ssh_config of a lab whose cluster is up as argument it uses
that.  Everything runs on srv-a alone, in one session, and ends with barriers.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speed import EXAMPLE, LAB, sanglier

ROUNDS = 5
SECONDS = 3.0
KINDS = {
    "overwrite": "4 KiB overwrites, fsync after each",
    "create": "new files of 4 KiB, fsync each",
    "direct": "4 KiB direct overwrites, no sync",
    "sequential": "256 KiB direct, sequential, no sync",
}

# Arguments: rounds, seconds, kinds.  Each round begins with the other one of with and without.
WORK = """
import itertools, json, mmap, os, subprocess, sys, time
where = "/data/barriers"
os.makedirs(where, exist_ok=True)

def remount(barriers):
    subprocess.run(("mount", "-o", f"remount,barrier={barriers:d}", "/data"), check=True)

def measure(kind, seconds):
    size = 262144 if kind == "sequential" else 4096
    page = mmap.mmap(-1, size)
    page.write(b"x" * size)
    direct = os.O_DIRECT if kind in ("direct", "sequential") else 0
    file = os.open(f"{where}/{kind}", os.O_RDWR | os.O_CREAT | direct, 0o600)
    blocks = 64

    def write(i): os.pwrite(file, page, i % blocks * size)
    def overwrite(i): write(i); os.fsync(file)
    def create(i):
        new = os.open(f"{where}/new-{i}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(new, page)
        os.fsync(new)
        os.close(new)

    act = {"overwrite": overwrite, "create": create}.get(kind, write)
    for i in range(blocks): write(i)
    os.sync()
    took, began, now = [], time.monotonic(), time.monotonic()
    for i in itertools.count():
        act(i)
        then, now = now, time.monotonic()
        took.append(now - then)
        if now - began > seconds: break
    for i in range(len(took) if kind == "create" else 0): os.unlink(f"{where}/new-{i}")
    os.sync()
    os.close(file)
    took.sort()
    return len(took) / (now - began), 1000 * took[len(took) * 99 // 100]

try:
    for number in range(int(sys.argv[1])):
        for barriers in (number % 2 == 0, number % 2 == 1):
            remount(barriers)
            for kind in sys.argv[3:]:
                rate, p99 = measure(kind, float(sys.argv[2]))
                print(json.dumps([barriers, kind, rate, p99]), flush=True)
finally:
    remount(True)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One workload, once."""

    barriers: bool
    kind: str
    rate: float
    """Operations per second."""
    p99_ms: float


def measure(config: str) -> Iterator[Run]:
    """Take turns on srv-a, and give each run as it ends."""
    words = " ".join((str(ROUNDS), str(SECONDS), *KINDS))
    command = f"python3 - {words} <<'END'\n{WORK}END"
    argv = ("ssh", "-F", config, "srv-a", command)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as work:
        assert work.stdout
        for line in work.stdout:
            barriers, kind, rate, p99 = json.loads(line)
            yield Run(barriers=barriers, kind=kind, rate=rate, p99_ms=p99)
    if work.returncode:
        raise SystemExit(f"srv-a: the work ended with status {work.returncode}")


def cell(runs: list[Run]) -> str:
    """Median and extremes."""
    rates = [run.rate for run in runs]
    return f"{statistics.median(rates):.0f} ({min(rates):.0f} to {max(rates):.0f})"


def row(kind: str, runs: list[Run]) -> str:
    """One line of the table."""
    off = [run for run in runs if run.kind == kind and not run.barriers]
    with_ = [run for run in runs if run.kind == kind and run.barriers]
    ratio = statistics.median(r.rate for r in with_) / statistics.median(r.rate for r in off)
    p99 = " / ".join(f"{statistics.median(r.p99_ms for r in some):.1f}" for some in (off, with_))
    return f"| {KINDS[kind]} | {cell(off)} | {cell(with_)} | {ratio - 1:+.0%} | {p99} |"


def table(runs: list[Run]) -> list[str]:
    """Give the lines of the table."""
    return [
        "| per second, on one server | without | with | difference | p99 in ms, without / with |",
        "|---|---|---|---|---|",
        *(row(kind, runs) for kind in KINDS),
    ]


def own_lab(directory: Path) -> str:
    """Boot a lab, make the example's cluster, and give its ssh_config."""
    sanglier("lab", "up", "--name", LAB)
    known = json.loads(sanglier("lab", "status", "--name", LAB, "--json"))
    file = directory / "lab.yaml"
    file.write_text(EXAMPLE.read_text())
    secrets = file.with_suffix(".secrets")
    secrets.touch(mode=0o600)
    secrets.write_text(Path(known["secrets"]).read_text())
    config = str(known["ssh_config"])
    extra = {"SANGLIER_SSH_CONFIG": config, "SANGLIER_STATE": str(directory / "state")}
    sanglier("apply", str(file), "--yes", **extra)
    return config


def main() -> None:
    """Measure, and clean up what was booted."""
    if sys.argv[1:]:
        lines = table(list(measure(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory() as directory:
            try:
                lines = table(list(measure(own_lab(Path(directory)))))
            finally:
                sanglier("lab", "down", "--name", LAB)
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
