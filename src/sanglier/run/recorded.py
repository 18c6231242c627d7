"""Answers of hosts as files: save them from a real run, load them as fixtures.

``DIR/HOST/LAYER/PROBE.txt``: the exit status on the first line, then exactly
what was printed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sanglier.core.facts import Facts
from sanglier.core.probe import Output, Outputs
from sanglier.layers.base import Goal, StackLayer


def save_recording(place: Path, host: str, layer: str, outputs: Outputs) -> None:
    """Write one file per probe."""
    folder = place / host / layer
    folder.mkdir(parents=True, exist_ok=True)
    for name, output in outputs.items():
        path = folder / f"{name}.txt"
        path.write_bytes(f"{output.status}\n{output.text}".encode())


def load_recording(place: Path, host: str, layer: str) -> Mapping[str, Output]:
    """Read the files back; empty when the layer was not asked on that host."""
    return {path.stem: _load(path) for path in sorted((place / host / layer).glob("*.txt"))}


def recorded_facts(goal: Goal, layers: Sequence[StackLayer], place: Path) -> Facts:
    """Derive the facts of all hosts from saved answers, as a gathering would."""
    facts = Facts()
    for host in goal.cluster.hosts:
        for layer in layers:
            outputs = load_recording(place, host.name, layer.name)
            if outputs and layer.probes(goal, host.name):
                facts = facts.with_(host.name, layer.parse(goal, host.name, outputs))
    return facts


def _load(path: Path) -> Output:
    status, _, text = path.read_bytes().decode().partition("\n")
    return Output(status=int(status), text=text)
