"""Who may be fenced just now, because of which fault: kept while a drill is played."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from sanglier.drill.checkers.fences import Permission
from sanglier.drill.faults.base import Fault
from sanglier.drill.scene import Role, Scene
from sanglier.spec.cluster import Host

SIDES = frozenset({Role.OPEN, Role.STANDBY})


@dataclass(slots=True, kw_only=True)
class Permits:
    """The permissions of one drill."""

    scene: Scene
    given: list[Permission] = field(default_factory=list)
    group: int = 0
    """Number of the group of faults that is played."""
    struck_s: float = 0.0
    """When it struck, since the drill's zero."""

    def strike(self) -> None:
        """Begin a group of faults."""
        self.group += 1
        self.struck_s = self.scene.clock.now()

    def allow(self, fault: Fault, host: Host) -> None:
        """Say who may be fenced from now on, because of a fault on ``host``."""
        if hosts := frozenset(self._fenceable(fault, host)):
            now_s = self.scene.clock.now()
            self.given.append(
                Permission(group=self.group, hosts=hosts, at_most=fault.at_most, from_s=now_s)
            )

    def forbid(self) -> None:
        """The cluster is whole: from now on nobody may be fenced for what was."""
        now_s = self.scene.clock.now()
        self.given = [
            replace(one, to_s=now_s) if one.group == self.group else one for one in self.given
        ]

    def _fenceable(self, fault: Fault, host: Host) -> Iterator[str]:
        """Give who has the roles of a fault, seen from the host that it hits."""
        for role in fault.fences:
            if role is Role.APPLICATION:
                yield from (app.name for app in self.scene.applications)
            elif role is fault.role:
                yield host.name
            elif {role, fault.role} == SIDES:
                yield from (s.name for s in self.scene.storage if s.name != host.name)
            else:
                yield self.scene.cast(role).name
