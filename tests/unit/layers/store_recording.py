"""Take a recording into the fixtures, as small as it can be kept.

    python -m layers.store_recording RECORDING CASE [BASE]

from ``tests/unit``; RECORDING is what ``sanglier plan FILE --record RECORDING``
wrote.  With a BASE, only the layers whose facts differ from it are kept, and of
these only the answers that differ.  Clocks differ in every recording and are
kept in a case without a base only.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from sanglier.layers.base import StackLayer
from sanglier.run.recorded import load_recording, save_recording

from .goal import GOAL
from .recordings import CASES, asked, outputs_of

CLOCKS = {"clock", "controller-clock"}


def store(recording: Path, case: str, base: str | None) -> None:
    """Write the case's folder anew."""
    place = CASES / case
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if base:
        (place / "base.txt").write_text(f"{base}\n")
    silent = {host for host, _ in asked() if not (recording / host).is_dir()}
    if silent:
        (place / "unreachable.txt").write_text("".join(f"{host}\n" for host in sorted(silent)))
    for host, layer in asked():
        if host not in silent:
            _store_layer(recording, place, base, host, layer)


def _store_layer(
    recording: Path, place: Path, base: str | None, host: str, layer: StackLayer
) -> None:
    found = dict(load_recording(recording, host, layer.name))
    if layer.name != "network":
        found.pop("controller-clock", None)
    if base:
        below = outputs_of(base, host, layer.name)
        new = {n: o for n, o in found.items() if n not in CLOCKS and o != below.get(n)}
        same = layer.parse(GOAL, host, {**below, **new}) == layer.parse(GOAL, host, below)
        found = {} if same else new
    if found:
        save_recording(place, host, layer.name, found)


if __name__ == "__main__":
    store(Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
