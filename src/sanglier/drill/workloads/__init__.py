"""The workloads of a drill: a Perl program each, how to read it back, and its oracle."""

from __future__ import annotations

from sanglier.drill.workloads.appends import Appends
from sanglier.drill.workloads.base import Workload
from sanglier.drill.workloads.counters import Counters
from sanglier.drill.workloads.races import Races
from sanglier.drill.workloads.registers import Registers
from sanglier.drill.workloads.retired import Retired
from sanglier.drill.workloads.trees import Trees


def all_workloads(volumes: int = 1) -> tuple[Workload, ...]:
    """Give every workload at its modest rate, which several volumes share."""
    return (
        Appends(rate_hz=20 / volumes),
        Registers(rate_hz=10 / volumes),
        Retired(pause_s=3 * volumes),
        Races(rate_hz=2 / volumes),
        Counters(rate_hz=4 / volumes),
        Trees(rate_hz=2 / volumes),
    )
