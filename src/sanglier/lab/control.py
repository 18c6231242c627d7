"""A lab that exists: its hosts, and what can be done to each; :mod:`life` makes and ends labs."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sanglier.lab import (
    lock,
    manner,
    network,
    place,
    power,
    volatile,
)
from sanglier.lab.driver import Driver, Sighting, State
from sanglier.lab.errors import refuse
from sanglier.lab.image import Report
from sanglier.lab.kernel import TIMED_OUT
from sanglier.lab.manner import Manner
from sanglier.lab.power import PowerEvent
from sanglier.lab.readiness import Wait
from sanglier.lab.record import Record
from sanglier.lab.topology import LabHost, Topology

STOP_SECONDS = 30.0
HOST_PATIENCE = STOP_SECONDS + 5.0
"""Seconds that a verb waits for another one on the same host."""
ATTACH_SECONDS = 40
"""How long a host may take to see a new disk."""

UNDONE = {State.FROZEN: "thaw", State.PAUSED: "resume"}
"""States in which a host answers nothing, and the verb that ends each."""

BMC = "bmc"
"""What ``cut`` and ``heal`` call a host's power switch."""


def quiet(_subject: str, _what: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStatus:
    """One host as ``lab status`` shows it."""

    host: LabHost
    sighting: Sighting
    cut: tuple[str, ...]
    """Networks, and "bmc" if its power switch does not answer."""
    manner: Manner = Manner.HONEST
    """How its power switch behaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One lab that exists."""

    place: place.Place
    record: Record
    topology: Topology
    driver: Driver

    @property
    def ssh_config(self) -> str:
        """Path of the ssh_config by which everything else reaches the hosts."""
        return str(self.place.ssh_config)

    @property
    def secrets(self) -> Path:
        """Secrets file for a cluster in this lab, with the power switches' password."""
        return self.place.secrets

    @property
    def power_log(self) -> Path:
        """What the power switches did, a JSON object per line; see ``power_events``."""
        return self.place.power_log

    def status(self) -> tuple[HostStatus, ...]:
        """Look at every host; touches none."""
        links = network.links(self.place)
        return tuple(
            HostStatus(
                host=host,
                sighting=self.driver.sight(host),
                cut=_cut(links, host),
                manner=self.manner(host.name),
            )
            for host in self.topology.hosts
        )

    def ssh_argv(self, host: str, command: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Command that logs in, or runs ``command`` with its words kept apart."""
        words = (shlex.join(command),) if command else ()
        return ("ssh", "-F", self.ssh_config, self.topology.host(host).name, *words)

    def run(
        self, host: str, *command: str, text: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root and return its streams and exit status."""
        return subprocess.run(
            self.ssh_argv(host, command), input=text, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip

    def start(self, name: str, report: Report = quiet) -> None:
        """Boot a dead host, its disks kept, and wait until it answers ssh."""
        host = self.topology.host(name)
        with lock.shared(self.place.lock):
            self.boot((host,), report)

    def power_on(self, name: str) -> None:
        """Boot a dead host, and do not wait for it."""
        self._on(name, self.driver.start)

    def stop(self, name: str) -> None:
        """Power off cleanly, within 30 seconds, else kill."""
        self._on(name, lambda host: self.driver.stop(host, STOP_SECONDS))

    def kill(self, name: str) -> None:
        """Cut the power."""
        self._on(name, self.driver.kill)

    def freeze(self, name: str) -> None:
        """Stop every instruction of a running host."""
        self._must_run(name)
        self._on(name, self.driver.freeze)

    def thaw(self, name: str) -> None:
        """Let a frozen host go on."""
        self._must_run(name)
        self._on(name, self.driver.thaw)

    def pause(self, name: str) -> None:
        """Stop a running host and its clock."""
        self._must_obey(name)
        self._on(name, self.driver.pause)

    def resume(self, name: str) -> None:
        """Let a paused host go on."""
        self._must_obey(name)
        self._on(name, self.driver.resume)

    def cut(self, name: str, network_name: str) -> None:
        """Unplug a host from a network."""
        self._on(name, lambda host: self.driver.unplug(host, network_name))

    def heal(self, name: str, network_name: str) -> None:
        """Plug it in again."""
        self._on(name, lambda host: self.driver.plug(host, network_name))

    def cut_bmc(self, name: str) -> None:
        """Let nothing answer at the address of a host's power switch."""
        self._on(name, lambda host: network.unplug_bmc(self.place, host))

    def heal_bmc(self, name: str) -> None:
        """Let it answer again."""
        self._on(name, lambda host: network.plug_bmc(self.place, host))

    def behave(self, name: str, how: Manner) -> None:
        """Have a host's power switch behave so from now on."""
        self._on(name, lambda host: manner.write(self.place, host.name, how))

    def manner(self, name: str) -> Manner:
        """Tell how a host's power switch behaves."""
        return manner.read(self.place, self.topology.host(name).name)

    def unflushed(self, name: str) -> int | None:
        """Count the blocks that a host's disks hold, or lost with its power; None: no caches."""
        disks = self.place.disks(self.topology.host(name).name, self.record.disks).values()
        found = [counts for disk in disks if (counts := volatile.read(disk))]
        return sum(one.held for one in found) if self.record.volatile and found else None

    def wait(self, *names: str, report: Report = quiet) -> None:
        """Wait until running hosts answer ssh, such as after a reboot; all without names."""
        hosts = tuple(h for h in self.topology.hosts if not names or h.name in names)
        self._await(tuple(h for h in hosts if self.driver.sight(h).state is State.RUNNING), report)

    def attach_disk(self, name: str, device: str, size: int) -> None:
        """Hot-plug an empty disk of ``size`` bytes as ``device``, such as ubdc; gone at power-off.

        Its file is kept, so that attaching it again finds the same data.  Returns when the host
        has it, SG-LAB-040 if it does not take it; at once where ssh does not answer.
        """
        self.must_answer(name)
        host = self.topology.host(name)
        file = self.place.data / f"{host.name}.{device}"
        if not file.exists():
            file.touch()
            os.truncate(file, size)
        self._on(name, lambda host: self.driver.attach_disk(host, device, file))
        if self._never_sees(name, device):
            raise refuse(
                40, name, f"has no /dev/{device} after {ATTACH_SECONDS} s",
                fix=f"`lab exec {name} -- dmesg` tells what its kernel made of it",
            )  # fmt: skip

    def _never_sees(self, name: str, device: str) -> bool:
        look = f"until test -b /dev/{device}; do sleep 0.2; done"
        words = ("timeout", str(ATTACH_SECONDS), "sh", "-c", look)
        try:
            return self.run(name, *words, timeout=ATTACH_SECONDS * 2).returncode == TIMED_OUT
        except subprocess.TimeoutExpired:
            return True

    def detach_disk(self, name: str, device: str) -> None:
        """Hot-unplug a disk that was attached; the host must not use it.  Its file is kept."""
        self.must_answer(name)
        self._on(name, lambda host: self.driver.detach_disk(host, device))

    def must_answer(self, name: str) -> None:
        """SG-LAB-022 if ssh to the host cannot work because it is dead, frozen or paused."""
        state = self._must_run(name)
        if state in UNDONE:
            raise refuse(22, name, f"is {state}", fix=f"`lab {UNDONE[state]} {name}`")

    def _must_obey(self, name: str) -> None:
        """SG-LAB-022 if nothing takes an order for the host: it is dead or frozen."""
        if self._must_run(name) is State.FROZEN:
            raise refuse(22, name, f"is {State.FROZEN}", fix=f"`lab {UNDONE[State.FROZEN]} {name}`")

    def _must_run(self, name: str) -> State:
        state = self.driver.sight(self.topology.host(name)).state
        if state is State.DEAD:
            raise refuse(22, name, "is not running", fix=f"`lab start {name}`")
        return state

    def _on(self, name: str, act: Callable[[LabHost], None]) -> None:
        host = self.topology.host(name)
        with lock.shared(self.place.lock), self._alone(host):
            act(host)

    def _alone(self, host: LabHost) -> AbstractContextManager[None]:
        """Let one verb at a time work on a host."""
        return lock.whole(self.place.host_lock(host.name), "lab verb", patience=HOST_PATIENCE)

    def boot(self, hosts: tuple[LabHost, ...], report: Report) -> None:
        """Start the dead ones among ``hosts``, then wait for every one that can answer."""
        awaited = []
        for host in hosts:
            state = self._start(host, report)
            if state in UNDONE:
                report(host.name, f"is {state}: left as it is")
                continue
            if "management" in network.links(self.place).cut(host):
                report(host.name, "is cut off from management: not waited for")
                continue
            awaited.append(host)
        self._await(tuple(awaited), report)

    def _start(self, host: LabHost, report: Report) -> State:
        """Start a host if it is dead; return what it was before."""
        with self._alone(host):
            state = self.driver.sight(host).state
            if state is State.DEAD:
                report(host.name, "boots")
                self.driver.start(host)
        return state

    def _await(self, hosts: tuple[LabHost, ...], report: Report) -> None:
        Wait(
            place=self.place,
            alive=self.driver.alive,
            arrived=lambda host, seconds: report(host.name, f"answers after {seconds:.1f} s"),
            patience=self.driver.boot_s,
        ).until_all_answer(hosts)


def power_events(lab: Lab) -> tuple[PowerEvent, ...]:
    """List what the power switches did, in order; what they refused is only in the file."""
    return tuple(event for event in power.read(lab.power_log) if event.done)


def _cut(links: network.Links, host: LabHost) -> tuple[str, ...]:
    return links.cut(host) + ((BMC,) if links.bmc_cut(host) else ())
