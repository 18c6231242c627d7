#!/usr/bin/env python3
"""Measure what barriers cost: OCFS2 mounted without them and with them, in turns, in one lab.

Run as root from the repository after scripts/setup: .venv/bin/python benchmarks/barriers.py
It boots a lab of its own; with the ssh_config of a lab whose cluster is up as argument it uses
that.  Everything runs on srv-a alone.  Flushes are counted below both storage servers' sides.
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
SECONDS = 3
SERVERS = ("srv-a", "srv-b")
STORAGE = ("disk-a", "disk-b")
FLUSHES = "awk '{print $16}' /sys/block/$(basename $(readlink -f /dev/mapper/disk))/slaves/*/stat"
KINDS = {
    "overwrite": "4 KiB overwrites, fsync after each",
    "create": "new files of 4 KiB, fsync each",
    "direct": "4 KiB direct overwrites, no sync",
    "sequential": "256 KiB direct, sequential, no sync",
}

WORK = """
import itertools, json, mmap, os, sys, time
kind, seconds = sys.argv[1], float(sys.argv[2])
where = "/data/barriers"
os.makedirs(where, exist_ok=True)
size = 262144 if kind == "sequential" else 4096
page = mmap.mmap(-1, size)
page.write(b"x" * size)
direct = os.O_DIRECT if kind in ("direct", "sequential") else 0
file = os.open(f"{where}/{size}{bool(direct)}", os.O_RDWR | os.O_CREAT | direct, 0o600)
blocks = 64
for i in range(blocks): os.pwrite(file, page, i * size)
os.sync()

def write(i): os.pwrite(file, page, i % blocks * size)
def overwrite(i): write(i); os.fsync(file)
def create(i):
    new = os.open(f"{where}/new-{i}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(new, page)
    os.fsync(new)
    os.close(new)

act = {"overwrite": overwrite, "create": create}.get(kind, write)
took, began, now = [], time.monotonic(), time.monotonic()
for i in itertools.count():
    act(i)
    then, now = now, time.monotonic()
    took.append(now - then)
    if now - began > seconds: break
took.sort()
print(json.dumps({"done": len(took), "rate": len(took) / (now - began),
                  "p99_ms": 1000 * took[len(took) * 99 // 100]}))
for i in range(len(took) if kind == "create" else 0): os.unlink(f"{where}/new-{i}")
os.sync()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One workload, once."""

    barriers: bool
    kind: str
    rate: float
    """Operations per second."""
    p99_ms: float
    flushes: tuple[float, ...]
    """Per operation, of each storage server's disk."""


def on(config: str, host: str, *command: str) -> str:
    """Run a command on a host; raises when it fails."""
    argv = ("ssh", "-F", config, host, " ".join(command))
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120).stdout


def counted(config: str) -> tuple[int, ...]:
    """Flushes that both disks have finished so far."""
    return tuple(int(on(config, server, FLUSHES)) for server in STORAGE)


def one(config: str, kind: str, *, barriers: bool) -> Run:
    """Run one workload; what it clears away and settles afterwards counts as its flushes too."""
    before = counted(config)
    done = json.loads(
        on(config, "srv-a", "python3", "-", kind, str(SECONDS), f"<<'END'\n{WORK}END")
    )
    spent = (after - then for then, after in zip(before, counted(config), strict=True))
    return Run(
        barriers=barriers, kind=kind, rate=done["rate"], p99_ms=done["p99_ms"],
        flushes=tuple(flushes / done["done"] for flushes in spent),
    )  # fmt: skip


def remount(config: str, *, barriers: bool) -> None:
    """Mount with or without on both servers."""
    for server in SERVERS:
        on(config, server, f"mount -o remount,barrier={barriers:d} /data")


def measure(config: str) -> Iterator[Run]:
    """Take turns; each round begins with the other one."""
    try:
        for number in range(ROUNDS):
            for barriers in (number % 2 == 0, number % 2 == 1):
                remount(config, barriers=barriers)
                for kind in KINDS:
                    yield one(config, kind, barriers=barriers)
    finally:
        remount(config, barriers=True)


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
    flushes = " / ".join(
        f"{statistics.median(run.flushes[at] for run in with_):.1f}" for at in range(len(STORAGE))
    )
    return f"| {KINDS[kind]} | {cell(off)} | {cell(with_)} | {ratio - 1:+.0%} | {p99} | {flushes} |"


def table(runs: list[Run]) -> list[str]:
    """Give the lines of the table."""
    return [
        "| per second, on one server | without | with | difference | p99 in ms, without / with |"
        " flushes of each, with: open side / standby |",
        "|---|---|---|---|---|---|",
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
