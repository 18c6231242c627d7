"""The named drills: one for each fault, and some of several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from sanglier.drill.faults import FAULTS
from sanglier.drill.faults.base import Fault
from sanglier.drill.schedule import Group, parse, single


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A schedule with a name."""

    name: str
    explains: str
    groups: tuple[Group, ...]

    @property
    def needs_power(self) -> bool:
        """Whether a fault of it needs power over the hosts."""
        return any(fault.needs_power for fault in self.faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All of its faults."""
        return tuple(item.fault for group in self.groups for item in group)

    @property
    def planted(self) -> tuple[str, ...]:
        """The checks that must not be VALID after it; empty where all must be."""
        found = (item.fault.planted for group in self.groups for item in group)
        return tuple(dict.fromkeys(name for name in found if name))


HOSTS = 5
"""Of the lab's cluster: two storage servers, a witness, two application servers."""


def _any(*choices: int) -> Group:
    """Kill some hosts together; they get their power back one by one, in this order."""
    return parse("&".join(f"any-killed:{c}+{5 + 12 * place}" for place, c in enumerate(choices)))


_COMBINED = (
    Drill(
        name="link-and-open",
        explains="the replication link is cut and at the same moment the open server dies",
        groups=(parse("replication-cut+20&open-killed+30"),),
    ),
    Drill(
        name="san-and-standby",
        explains="one storage network fails for everybody and the standby server dies",
        groups=(parse("san-cut-all+15&standby-killed+20"),),
    ),
    Drill(
        name="one-after-the-other",
        explains="the open server dies, and when all is well again, the one that took over",
        groups=(parse("open-killed"), parse("open-killed")),
    ),
    Drill(
        name="fencer-stopped-and-open",
        explains="the fencer of the standby server is stopped, and then the open server dies: it "
        "may open only when the fencer goes on and has killed it",
        groups=(parse("standby-fencer-stopped+20&open-killed+40"),),
    ),
    Drill(
        name="multipathd-stopped-and-open",
        explains="the multipath daemon of an application server is stopped, and then the open "
        "server dies: the kernel must find the other side by itself",
        groups=(parse("multipathd-stopped+25&open-killed+30"),),
    ),
    Drill(
        name="iscsid-stopped-and-path",
        explains="the iSCSI daemon of an application server is stopped, and then it loses a path",
        groups=(parse("iscsid-stopped+25&san-cut-one+15"),),
    ),
    Drill(
        name="each-host",
        explains="each host loses its power, one after the other",
        groups=tuple(_any(host) for host in range(HOSTS)),
    ),
    Drill(
        name="each-pair",
        explains="each two hosts lose their power together and get it back one by one",
        groups=tuple(_any(*pair) for pair in combinations(range(HOSTS), 2)),
    ),
    Drill(
        name="blackouts",
        explains="all hosts lose their power together and get it back one by one, in three orders",
        groups=(_any(0, 1, 2, 3, 4), _any(4, 2, 1, 3, 0), _any(1, 3, 4, 0, 2)),
    ),
)

DRILLS: Mapping[str, Drill] = MappingProxyType(
    {
        **{
            fault.name: Drill(
                name=fault.name, explains=fault.explains, groups=(single(fault.name),)
            )
            for fault in FAULTS.values()
        },
        **{drill.name: drill for drill in _COMBINED},
    }
)
"""Every drill by name."""
