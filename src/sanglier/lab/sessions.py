"""What all back ends do alike: a host is one session of processes, and its cards are taps."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass

from sanglier.lab import daemon, network, process
from sanglier.lab.driver import Sighting, State
from sanglier.lab.place import Place
from sanglier.lab.topology import LabHost

PAGE = os.sysconf("SC_PAGE_SIZE")

FREEZE_SECONDS = 10.0
"""How long a busy machine may take to stop a process; it is frozen in any case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """The part of a driver (see ``driver.Driver``) that needs nothing but processes and taps."""

    place: Place
    disk_bytes: int
    disks: int = 1
    """Data disks of each storage server."""

    def sight(self, host: LabHost) -> Sighting:
        """Look at the host's session."""
        leader = self.leader(host)
        if leader is None:
            return Sighting(state=State.DEAD)
        state = State.FROZEN if leader.state == "T" else State.RUNNING
        resident = leader.resident_pages * PAGE
        return Sighting(state=state, pid=leader.pid, resident_bytes=resident)

    def alive(self, host: LabHost) -> bool:
        """Look for its process."""
        return self.leader(host) is not None

    def kill(self, host: LabHost) -> None:
        """SIGKILL the session; data that the guest had written stays in its disks' files."""
        daemon.end(self.place, host.name)

    def freeze(self, host: LabHost) -> None:
        """SIGSTOP its own processes, and wait until they have stopped.

        One that is traced would report it to its tracer.
        """
        own = self._own(host)
        for pid in own:
            process.send(pid, signal.SIGSTOP)
        deadline = time.monotonic() + FREEZE_SECONDS
        while not all(map(process.is_stopped, own)) and time.monotonic() < deadline:
            time.sleep(0.01)

    def thaw(self, host: LabHost) -> None:
        """SIGCONT what was frozen."""
        for pid in self._own(host):
            process.send(pid, signal.SIGCONT)

    def _own(self, host: LabHost) -> tuple[int, ...]:
        members = daemon.session(self.place, host.name)
        return tuple(one.pid for one in members if not process.is_traced(one.pid))

    def plug(self, host: LabHost, network_name: str) -> None:
        """Put the tap into its bridge."""
        network.plug(self.place, host.interface(network_name).tap, network_name)

    def unplug(self, host: LabHost, network_name: str) -> None:
        """Take the tap out of its bridge."""
        network.unplug(self.place, host.interface(network_name).tap)

    def leader(self, host: LabHost) -> process.Process | None:
        """Find the process that is the host."""
        return daemon.leader(self.place, host.name)

    def make_disks(self, host: LabHost) -> None:
        """Make the keyboard and the data disks that are not there yet."""
        keyboard = self.place.keyboard(host.name)
        if not keyboard.exists():
            os.mkfifo(keyboard, 0o600)
        for disk in self.place.disks(host.name, self.disks).values() if host.data_disk else ():
            if not disk.exists():
                disk.touch()
                os.truncate(disk, self.disk_bytes)
