"""The faults, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sanglier.drill.faults import (
    changes,
    clocks,
    hosts,
    insides,
    networks,
    planted,
    sides,
)
from sanglier.drill.faults.base import Fault

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        fault.name: fault
        for fault in (
            *hosts.FAULTS,
            *networks.FAULTS,
            *insides.FAULTS,
            *changes.FAULTS,
            *clocks.FAULTS,
            *sides.FAULTS,
            *planted.FAULTS,
        )
    }
)
"""Every fault that a schedule may name."""
