"""The verbs of the lab.  Each may be repeated, and mends what an earlier one left half done."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from sanglier.lab import (
    daemon,
    identity,
    image,
    lock,
    manner,
    mirror,
    network,
    place,
    power,
    preflight,
    record,
    topology,
    volatile,
)
from sanglier.lab.driver import Driver, Sighting, State
from sanglier.lab.errors import refuse
from sanglier.lab.image import Image, Report
from sanglier.lab.manner import Manner
from sanglier.lab.power import PowerEvent
from sanglier.lab.readiness import Wait
from sanglier.lab.recipe import RELEASE, Kind
from sanglier.lab.record import Record, Wish
from sanglier.lab.topology import LabHost, Topology
from sanglier.lab.uml import UserModeLinux

BOOT_SECONDS = 180.0
STOP_SECONDS = 30.0
HOST_PATIENCE = STOP_SECONDS + 5.0
"""Seconds that a verb waits for another one on the same host."""

NEEDED_BYTES = 1 << 30
"""Free space asked for before hosts write to their disks."""

MIRROR = "mirror"
BMC = "bmc"
"""What ``cut`` and ``heal`` call a host's power switch."""

POWER_SECONDS = 20.0
"""How long ``up`` waits for the power switches, once the hosts answer."""


def _quiet(_subject: str, _what: str) -> None:
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
    """One lab that exists; ``up`` makes it, ``find`` looks it up."""

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

    def start(self, name: str, report: Report = _quiet) -> None:
        """Boot a dead host, its disks kept, and wait until it answers ssh."""
        host = self.topology.host(name)
        with lock.shared(self.place.lock):
            self._boot((host,), report)

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

    def wait(self, *names: str, report: Report = _quiet) -> None:
        """Wait until running hosts answer ssh, such as after a reboot; all without names."""
        hosts = tuple(h for h in self.topology.hosts if not names or h.name in names)
        self._await(tuple(h for h in hosts if self.driver.sight(h).state is State.RUNNING), report)

    def attach_disk(self, name: str, device: str, size: int) -> None:
        """Hot-plug an empty disk of ``size`` bytes as ``device``, such as ubdc; gone at power-off.

        Its file is kept, so that attaching it again finds the same data.
        """
        host = self.topology.host(name)
        file = self.place.data / f"{host.name}.{device}"
        if not file.exists():
            file.touch()
            os.truncate(file, size)
        self._on(name, lambda host: self.driver.attach_disk(host, device, file))

    def must_answer(self, name: str) -> None:
        """SG-LAB-022 if ssh to the host cannot work because it is dead or frozen."""
        self._must_run(name)
        if self.driver.sight(self.topology.host(name)).state is State.FROZEN:
            raise refuse(22, name, "is frozen", fix=f"`lab thaw {name}`")

    def _must_run(self, name: str) -> None:
        if self.driver.sight(self.topology.host(name)).state is State.DEAD:
            raise refuse(22, name, "is not running", fix=f"`lab start {name}`")

    def _on(self, name: str, act: Callable[[LabHost], None]) -> None:
        host = self.topology.host(name)
        with lock.shared(self.place.lock), self._alone(host):
            act(host)

    def _alone(self, host: LabHost) -> AbstractContextManager[None]:
        """Let one verb at a time work on a host."""
        return lock.whole(self.place.host_lock(host.name), "lab verb", patience=HOST_PATIENCE)

    def _boot(self, hosts: tuple[LabHost, ...], report: Report) -> None:
        """Start the dead ones among ``hosts``, then wait for every one that is not frozen."""
        awaited = []
        for host in hosts:
            if self._start(host, report) is State.FROZEN:
                report(host.name, "is frozen: left as it is")
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
            alive=lambda host: self.driver.sight(host).state is not State.DEAD,
            arrived=lambda host, seconds: report(host.name, f"answers after {seconds:.1f} s"),
            patience=BOOT_SECONDS,
        ).until_all_answer(hosts)


def power_events(lab: Lab) -> tuple[PowerEvent, ...]:
    """List what the power switches did, in order; what they refused is only in the file."""
    return tuple(event for event in power.read(lab.power_log) if event.done)


def _cut(links: network.Links, host: LabHost) -> tuple[str, ...]:
    return links.cut(host) + ((BMC,) if links.bmc_cut(host) else ())


def up(name: str, wish: Wish, report: Report = _quiet) -> Lab:
    """Make the lab, or mend it; returns when every wanted host answers ssh.

    Whatever is made is recorded first: interrupted anywhere, it can be called
    again, or ``down``.
    """
    preflight.check_extra()
    preflight.check()
    where = place.place(name)
    began = time.monotonic()
    with lock.whole(where.lock, "lab up", patience=1.0):
        lab = _prepare(where, wish, report)
        wanted = tuple(h for h in lab.topology.hosts if lab.record.wants(h.name))
        lab._boot(wanted, report)
        _await_power(lab)
    report(name, f"is up, {time.monotonic() - began:.1f} s; ssh -F {lab.ssh_config} HOST")
    return lab


def _prepare(where: place.Place, wish: Wish, report: Report) -> Lab:
    old = record.load(where)
    if old is None:
        found = image.ensure(wish.kind or Kind.FULL, wish.release or RELEASE, report)
        new = record.first(wish, found.key)
    else:
        new = record.again(where.name, old, wish)
        found = _recorded_image(where.name, old)
    hosts = topology.build(where.name, new.applications)
    for host in new.only:
        hosts.host(host)
    preflight.check_space(where.data, NEEDED_BYTES)
    where.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.sockets.mkdir(exist_ok=True)
    record.save(where, new)
    network.ensure(where, hosts)
    identity.ensure(where, hosts)
    power.ensure(where, hosts)
    if new.volatile:
        volatile.ensure(where, found)
    lab = _assemble(where, new, hosts, found)
    _serve_power(where)
    if new.kind is Kind.BARE:
        _serve_mirror(where, found)
    return lab


def _serve_mirror(where: place.Place, found: Image) -> None:
    _serve(where, MIRROR, mirror.serve_argv(found.mirror))


def _serve_power(where: place.Place) -> None:
    _serve(where, power.DAEMON, power.serve_argv(where.name))


def _serve(where: place.Place, name: str, argv: tuple[str, ...]) -> None:
    """Start a daemon of the lab unless it runs."""
    if daemon.leader(where, name) is None:
        daemon.end(where, name)
        daemon.launch(where, name, argv, source=daemon.NOTHING, sink=_log(where, name), env={})


def _log(where: place.Place, name: str) -> Path:
    return where.data / f"{name}.log"


def _await_power(lab: Lab) -> None:
    """Wait until every power switch listens; SG-LAB-034 if one does not."""
    deadline = time.monotonic() + POWER_SECONDS
    while left := _silent_switches(lab):
        if time.monotonic() > deadline:
            log = _log(lab.place, power.DAEMON)
            raise refuse(
                34, lab.place.name, f"power switches do not answer: {', '.join(left)}",
                why=daemon.last_words(log), fix=f"see {log}, then run `lab up` again",
            )  # fmt: skip
        time.sleep(0.1)


def _silent_switches(lab: Lab) -> tuple[str, ...]:
    """List the addresses that are there and have no socket."""
    leader = daemon.leader(lab.place, power.DAEMON)
    table = power.udp_sockets(leader.pid) if leader else ""
    links = network.links(lab.place)
    there = (host.bmc for host in lab.topology.hosts if not links.bmc_cut(host))
    return power.unbound(table, there)


def _recorded_image(lab: str, old: Record) -> Image:
    found = image.load(place.cache_dir() / "images" / old.image)
    if found is None:
        raise refuse(
            15, lab, f"was made from the image {old.image}, which is not in the cache any more",
            why="the hosts' disks are differences to that very file",
            fix=f"`lab down --name {lab}`, then `lab up`",
        )  # fmt: skip
    return found


def _assemble(where: place.Place, known: Record, hosts: Topology, found: Image) -> Lab:
    needed = sum(host.memory_mib for host in hosts.hosts if known.wants(host.name)) << 20
    driver = UserModeLinux(
        place=where,
        image=found,
        disk_bytes=known.disk_bytes,
        disks=known.disks,
        volatile=known.volatile,
        memory_dir=preflight.memory_dir(needed, where.data),
    )
    return Lab(place=where, record=known, topology=hosts, driver=driver)


def find(name: str) -> Lab:
    """Look up a lab; SG-LAB-011 if there is none."""
    where = place.place(name)
    known = record.load(where)
    if known is None:
        raise refuse(11, name, "there is no such lab", fix=f"`lab up --name {name}`")
    hosts = topology.build(name, known.applications)
    return _assemble(where, known, hosts, _recorded_image(name, known))


def down(name: str, report: Report = _quiet) -> bool:
    """Remove every trace of the lab, however it ended; False if there was none.

    Works from names and from what lives in the namespace, not from records: these
    may be missing.
    """
    preflight.check()
    where = place.place(name)
    with lock.whole(where.lock, "lab down", patience=1.0):
        there = where.state.exists() or where.namespace_file.exists() or where.data.exists()
        for known in sorted(where.state.glob("*.process")):
            daemon.end(where, known.stem)
        network.remove(where)
        shutil.rmtree(where.data, ignore_errors=True)
        shutil.rmtree(where.state, ignore_errors=True)
        where.lock.unlink()
    report(name, "is down: no process, namespace, disk or key is left" if there else "was not up")
    return there
