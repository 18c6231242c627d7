#!/usr/bin/env python3
"""Compare labs that are up, such as one of this checkout and one of an older: a line each.

Run as root: .venv/bin/python benchmarks/network.py NAME [NAME...]
Each lab needs srv-a and srv-b; where /data is mounted on srv-a, the whole chain is measured too.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sanglier.lab import daemon, life
from sanglier.lab.control import Lab

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "lab"))
from round_trips import ping_pong

ROUNDS = 40_000
HEADINGS = (
    "lab", "median", "p99", "longest", "above 50 ms", "processor per round", "creates",
    "fsync'd 4 KiB", "its p99",
)  # fmt: skip

CHAIN = """
import json, os, shutil, time
top = f"/data/bench-{os.getpid()}"
os.mkdir(top)
began, made = time.monotonic(), 0
while time.monotonic() < began + 5:
    with open(f"{top}/{made}", "wb") as file:
        file.write(bytes(8192))
    made += 1
spent = time.monotonic() - began
took = []
with open(f"{top}/x", "wb", buffering=0) as file:
    file.truncate(64 << 20)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        start = time.perf_counter()
        os.pwrite(file.fileno(), os.urandom(4096), len(took) % 16384 * 4096)
        os.fsync(file.fileno())
        took.append(1e3 * (time.perf_counter() - start))
shutil.rmtree(top)
took.sort()
print(json.dumps([made / spent, len(took) / 5, took[len(took) * 99 // 100]]))
"""


def processor_ms(lab: Lab) -> float:
    """Processor time of everything that srv-a and srv-b are, threads included."""
    total = 0
    for host in ("srv-a", "srv-b"):
        for member in daemon.session(lab.place, host):
            for task in Path(f"/proc/{member.pid}/task").glob("*/schedstat"):
                total += int(task.read_text().split()[0])
    return total / 1e6


def chain(lab: Lab) -> list[str]:
    """Create files, then overwrite 4 KiB with fsync, on srv-a, 5 s each."""
    if lab.run("srv-a", "mountpoint", "-q", "/data").returncode:
        return ["–", "–", "–"]
    done = lab.run("srv-a", "python3", "-", text=CHAIN, timeout=300)
    creates, syncs, p99 = json.loads(done.stdout)
    return [f"{creates:.0f}/s", f"{syncs:.0f}/s", f"{p99:.1f} ms"]


def row(name: str) -> str:
    """Measure one lab."""
    lab = life.find(name)
    before = processor_ms(lab)
    found = ping_pong(lab, "srv-a", "srv-b", "10.77.3.22", ROUNDS)
    spent = processor_ms(lab) - before
    cells = [
        name, f"{found['median']:.2f} ms", f"{found['p99']:.1f} ms",
        f"{found['longest'][-1]:.0f} ms", str(found["late"]), f"{spent / ROUNDS:.2f} ms",
        *chain(lab),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table, a line as soon as it is there."""
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}", flush=True)  # noqa: T201
    for name in sys.argv[1:]:
        print(row(name), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
