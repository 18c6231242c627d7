"""Waits until hosts answer ssh: cheap knocks first, one real login at the end."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sanglier.lab import network
from sanglier.lab.errors import refuse
from sanglier.lab.place import Place
from sanglier.lab.topology import LabHost

POLL = 0.1
"""Seconds between two looks at the knocks under way."""


def knock_argv(place: Place, host: LabHost) -> tuple[str, ...]:
    """Command that succeeds when the host's sshd accepts a connection."""
    knock = ("nc.openbsd", "-z", "-w", "1", host.address, "22")
    return (*network.enter(place), *knock)


def login_argv(place: Place, host: LabHost) -> tuple[str, ...]:
    """Command that succeeds when root can log in."""
    return ("ssh", "-F", str(place.ssh_config), "-o", "BatchMode=yes", host.name, "true")


@dataclass(slots=True)
class Visit:
    """The attempt under way on one host."""

    host: LabHost
    knocked: bool = False
    attempt: subprocess.Popen[bytes] | None = None
    last_error: str = ""

    def step(self, place: Place) -> bool:
        """Go on without blocking; True once a login has succeeded."""
        if self.attempt is None:
            self._begin(place)
            return False
        status = self.attempt.poll()
        if status is None:
            return False
        if status != 0 and self.attempt.stderr is not None:
            self.last_error = self.attempt.stderr.read().decode(errors="replace").strip()
        self.leave()
        if status == 0 and self.knocked:
            return True
        self.knocked = status == 0
        return False

    def _begin(self, place: Place) -> None:
        argv = login_argv(place, self.host) if self.knocked else knock_argv(place, self.host)
        self.attempt = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def leave(self) -> None:
        """End the attempt under way."""
        if self.attempt is None:
            return
        self.attempt.kill()
        self.attempt.wait()
        if self.attempt.stderr is not None:
            self.attempt.stderr.close()
        self.attempt = None


@dataclass(slots=True, kw_only=True)
class Wait:
    """Waits for several hosts at once."""

    place: Place
    alive: Callable[[LabHost], bool]
    arrived: Callable[[LabHost, float], None]
    """Called with each host that answers and the seconds that it took."""
    patience: float
    """Seconds for all of them."""
    visits: list[Visit] = field(default_factory=list)

    def until_all_answer(self, hosts: tuple[LabHost, ...]) -> None:
        """Return when every host lets root in; SG-LAB-033 for the first that never will."""
        began = time.monotonic()
        self.visits = [Visit(host=host) for host in hosts]
        try:
            while self.visits:
                self._round(time.monotonic() - began)
                time.sleep(POLL)
        finally:
            for visit in self.visits:
                visit.leave()

    def _round(self, elapsed: float) -> None:
        for visit in tuple(self.visits):
            if visit.step(self.place):
                self.visits.remove(visit)
                self.arrived(visit.host, elapsed)
            elif not self.alive(visit.host):
                raise self._lost(visit, "its kernel ended while it booted")
            elif elapsed > self.patience:
                raise self._lost(visit, f"does not answer ssh after {self.patience:.0f} s")

    def _lost(self, visit: Visit, what: str) -> Exception:
        log = self.place.console(visit.host.name)
        return refuse(
            33, visit.host.name, what, why=visit.last_error or "see its console",
            fix=f"read {log}; `lab kill {visit.host.name}` and `lab up` try again",
        )  # fmt: skip
