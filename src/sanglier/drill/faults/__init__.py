"""The faults, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sanglier.drill.faults import (
    changes,
    clocks,
    daemons,
    hosts,
    insides,
    networks,
    planted,
    restarts,
    sides,
    switches,
)
from sanglier.drill.faults.base import Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            *hosts.FAULTS,
            *networks.FAULTS,
            *insides.FAULTS,
            *daemons.FAULTS,
            *restarts.FAULTS,
            *changes.FAULTS,
            *clocks.FAULTS,
            *sides.FAULTS,
            *switches.FAULTS,
            *planted.FAULTS,
        )
    }
)
"""Every fault that a schedule may name."""
