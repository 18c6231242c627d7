"""The timeouts in force on the hosts, beside those that the file wants.

Read back from what the layers' facts hold of the running kernel and daemons:
``drbdsetup show``, sysfs, configfs, ``corosync-cmapctl``, multipathd, the CIB; never
from a configuration file, which says nothing about what was taken over from it.
"""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.runtime_value import RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.stack import LAYERS


def runtime_values(goal: Goal, facts: Facts) -> tuple[RuntimeValue, ...]:
    """Give every timeout that the facts know of, in the order of the stack.

    Hosts and layers that were not read give none; see ``Facts.unreachable``.
    """
    return tuple(value for layer in LAYERS for value in layer.in_force(goal, facts))
