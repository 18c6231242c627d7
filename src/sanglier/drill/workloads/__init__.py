"""The workloads of a drill: a Perl program each, how to read it back, and its oracle."""

from __future__ import annotations

from sanglier.drill.workloads.appends import Appends
from sanglier.drill.workloads.base import Workload
from sanglier.drill.workloads.counters import Counters
from sanglier.drill.workloads.races import Races
from sanglier.drill.workloads.registers import Registers
from sanglier.drill.workloads.retired import Retired
from sanglier.drill.workloads.trees import Trees

LEAST_LOAD = 0.05
"""Of the usual rate: with less, a drill has too few writes to lose one."""


def all_workloads(volumes: int = 1, load: float = 1.0) -> tuple[Workload, ...]:
    """Give every workload at ``load`` of its modest rate, which several volumes share."""
    share = load / volumes
    return (
        Appends(rate_hz=20 * share),
        Registers(rate_hz=10 * share),
        Retired(pause_s=3 / share),
        Races(rate_hz=2 * share),
        Counters(rate_hz=4 * share),
        Trees(rate_hz=2 * share),
    )
