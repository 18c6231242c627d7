"""What a back end of the lab must be able to do; everything above speaks only this.

``backend.py`` is what is the same for all labs of a back end, ``choice.py`` which there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sanglier.lab.topology import LabHost


class State(StrEnum):
    """Whether a host runs, as seen from outside."""

    RUNNING = "running"
    FROZEN = "frozen"
    """It does nothing, and its clock goes on: a machine that was suspended."""
    PAUSED = "paused"
    """It does nothing, and its clock stands still: a virtual machine that was."""
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A host as its back end sees it."""

    state: State
    pid: int | None = None
    resident_bytes: int = 0
    """Memory that it really uses on the machine."""


class Driver(Protocol):
    """Real kernels, one per host.  Every verb may be repeated.

    A disk is called by the lab's name for it, ubdb and so on: it is found below /dev by that name.
    """

    @property
    def title(self) -> str:
        """What the hosts run in, and their kernel, in a few words."""

    @property
    def boot_s(self) -> float:
        """Seconds that all hosts may take to boot, when they boot at once."""

    @property
    def pauses(self) -> bool:
        """Whether a host's clock can be stopped with it."""

    @property
    def pace(self) -> float:
        """How much of a drill's usual load its hosts bear, 1 for all of it."""

    @property
    def programs(self) -> float:
        """How many times longer than on real hardware a program takes in its hosts."""

    def sight(self, host: LabHost) -> Sighting:
        """Look at a host without touching it."""

    def alive(self, host: LabHost) -> bool:
        """Whether it is not dead; cheap, and asks nothing of the host."""

    def start(self, host: LabHost) -> None:
        """Begin to boot a dead host with the disks that it has; does not wait."""

    def stop(self, host: LabHost, patience: float) -> None:
        """Power off cleanly, within ``patience`` seconds, else kill."""

    def kill(self, host: LabHost) -> None:
        """Cut the power."""

    def freeze(self, host: LabHost) -> None:
        """Stop every instruction of the host; its network cards fall silent."""

    def thaw(self, host: LabHost) -> None:
        """Let it go on where it was."""

    def pause(self, host: LabHost) -> None:
        """Stop host and clock; SG-LAB-038 from a back end that has no such thing."""

    def resume(self, host: LabHost) -> None:
        """Let a paused host go on: it has noticed nothing."""

    def plug(self, host: LabHost, network: str) -> None:
        """Connect a network card."""

    def unplug(self, host: LabHost, network: str) -> None:
        """Disconnect a network card, in both directions."""

    def attach_disk(self, host: LabHost, device: str, file: Path) -> None:
        """Add a disk to a running host."""

    def detach_disk(self, host: LabHost, device: str) -> None:
        """Take a disk away from a running host."""
