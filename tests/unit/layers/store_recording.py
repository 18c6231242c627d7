"""Take a recording into the fixtures, as small as it can be kept.

RECORDING is what ``sanglier plan FILE --record RECORDING`` wrote.  With a base,
only the layers whose facts differ from it are kept, and of these only the
answers that differ.  Clocks differ in every recording and are kept in a case
without a base only.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sanglier.layers.base import Goal, StackLayer
from sanglier.run.recorded import load_recording, save_recording

from .goal import FIXTURES, GOAL
from .recordings import asked, base_of, outputs_at
from .today import of_today

CLOCKS = {"clock", "controller-clock"}


def store(recording: Path, place: Path, base: str | None = None, *, goal: Goal = GOAL) -> None:
    """Write the case's folder anew."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if base:
        (place / "base.txt").write_text(f"{base}\n")
    silent = {host for host, _ in asked(goal) if not (recording / host).is_dir()}
    if silent:
        (place / "unreachable.txt").write_text("".join(f"{host}\n" for host in sorted(silent)))
    for host, layer in asked(goal):
        if host not in silent:
            _store_layer(recording, place, goal, host, layer)


def _store_layer(recording: Path, place: Path, goal: Goal, host: str, layer: StackLayer) -> None:
    found = dict(load_recording(recording, host, layer.name))
    if layer.name != "network":
        found.pop("controller-clock", None)
    base = base_of(place)
    if base:
        below = outputs_at(base, host, layer.name)
        now = {name: of_today(layer.name, name, output) for name, output in found.items()}
        new = [n for n, output in now.items() if n not in CLOCKS and output != below.get(n)]
        seen = {**below, **{name: now[name] for name in new}}
        same = layer.parse(goal, host, seen) == layer.parse(goal, host, below)
        found = {} if same else {name: found[name] for name in new}
    if found:
        save_recording(place, host, layer.name, found)


if __name__ == "__main__":
    store(Path(sys.argv[1]), FIXTURES / "cases" / sys.argv[2], *sys.argv[3:4])
