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
LEAST_HZ = 1.0
"""However little the load is: a longer pause between two operations would be taken for a stall."""
LONGEST_PAUSE_S = 12.0
"""Of a lane, for the same reason: 32 of them then write two or three times a second."""


def all_workloads(volumes: int = 1, load: float = 1.0) -> tuple[Workload, ...]:
    """Give every workload at ``load`` of its modest rate, which several volumes share."""

    def rate(usual_hz: float) -> float:
        return max(LEAST_HZ, usual_hz * load / volumes)

    return (
        Appends(rate_hz=rate(20)),
        Registers(rate_hz=rate(10)),
        Retired(pause_s=min(LONGEST_PAUSE_S, 3 * volumes / load)),
        Races(rate_hz=rate(2)),
        Counters(rate_hz=rate(4)),
        Trees(rate_hz=rate(2)),
    )
