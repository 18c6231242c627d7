"""How a lab begins, is found again, and ends.

``up`` may be repeated, and mends what an earlier one left half done.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from sanglier.lab import (
    choice,
    daemon,
    identity,
    image,
    lock,
    mirror,
    network,
    place,
    power,
    preflight,
    record,
    topology,
    volatile,
)
from sanglier.lab.backend import DEFAULT, Backend, Ground
from sanglier.lab.control import Lab, quiet
from sanglier.lab.errors import refuse
from sanglier.lab.image import Image, Report
from sanglier.lab.recipe import RELEASE, Kind
from sanglier.lab.record import Record, Wish
from sanglier.lab.topology import LabHost, Topology

NEEDED_BYTES = 1 << 30
"""Free space asked for before hosts write to their disks."""
MIRROR = "mirror"
POWER_SECONDS = 20.0
"""How long ``up`` waits for the power switches, once the hosts answer."""


def check(driver: str | None = None) -> None:
    """Refuse what cannot be on this machine, before anything is begun."""
    backend = choice.choose(driver or DEFAULT)
    preflight.check_extra()
    preflight.check_architecture()
    preflight.check(f"lab up --driver {backend.name}", backend.commands)
    preflight.check_machine()
    preflight.check_directory(place.cache_dir(), "SANGLIER_CACHE", programs=True)
    preflight.check_directory(place.run_dir(), "SANGLIER_LAB_DIR", programs=False)


def up(name: str, wish: Wish, report: Report = quiet) -> Lab:
    """Make the lab, or mend it; returns when every wanted host answers ssh.

    Whatever is made is recorded first: interrupted anywhere, it can be called
    again, or ``down``.
    """
    where = place.place(name)
    check(_backend(where, wish).name)
    began = time.monotonic()
    with lock.whole(where.lock, "lab up", patience=1.0):
        lab = _prepare(where, wish, report)
        wanted = tuple(h for h in lab.topology.hosts if lab.record.wants(h.name))
        lab.boot(wanted, report)
        _await_power(lab)
        if lab.record.volatile:
            _see_flushes(lab, wanted)
    report(name, f"is up, {time.monotonic() - began:.1f} s; ssh -F {lab.ssh_config} HOST")
    return lab


def _backend(where: place.Place, wish: Wish) -> Backend:
    """Tell of what back end the lab is, or is to be."""
    old = record.load(where)
    return choice.choose(old.driver if old else wish.driver or DEFAULT)


def _prepare(where: place.Place, wish: Wish, report: Report) -> Lab:
    backend = _backend(where, wish)
    _check_wish(where.name, backend, wish)
    old = record.load(where)
    if old is None:
        release = wish.release or RELEASE
        found = image.ensure(wish.kind or Kind.FULL, release, backend.kernel, report)
        new = record.first(wish, found.key)
    else:
        new = record.again(where.name, old, wish)
        found = _recorded_image(where.name, old)
        image.refuse_broken(found)
    hosts = topology.build(where.name, new.applications, backend.memory_mib)
    for host in new.only:
        hosts.host(host)
    ground = _ground(where, new, hosts, found)
    if old is None:
        preflight.check_memory(int(ground.memory_bytes * backend.resident))
    _check_space(backend, ground, beginning=old is None)
    where.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.sockets.mkdir(exist_ok=True)
    record.save(where, new)
    network.ensure(where, hosts)
    identity.ensure(where, hosts, backend.cards)
    power.ensure(where, hosts)
    backend.ready(ground, report)
    lab = Lab(place=where, record=new, topology=hosts, driver=backend.drive(ground))
    _serve_power(where)
    if new.kind is Kind.BARE:
        _serve_mirror(where, found)
    return lab


def _check_space(backend: Backend, ground: Ground, *, beginning: bool) -> None:
    """Refuse hosts whose disks do not fit, or whose memory, where it must lie beside them."""
    data = ground.place.data
    beside = backend.memory_on_disk(ground.memory_bytes, data) if beginning else 0
    why = "and their memory, for which /dev/shm has no room (or is noexec)"
    preflight.check_space(
        data, NEEDED_BYTES + beside, f"hosts' disks are kept there{f', {why}' if beside else ''}"
    )


def _check_wish(lab: str, backend: Backend, wish: Wish) -> None:
    if wish.volatile and not backend.volatile:
        raise refuse(
            38, lab, f"cannot have volatile disks with --driver {backend.name}",
            fix=f"leave out --volatile, or make the lab with --driver {choice.with_volatile()}",
        )  # fmt: skip


def _ground(where: place.Place, known: Record, hosts: Topology, found: Image) -> Ground:
    return Ground(
        place=where,
        image=found,
        disk_bytes=known.disk_bytes,
        disks=known.disks,
        volatile=known.volatile,
        memory_bytes=sum(h.memory_mib for h in hosts.hosts if known.wants(h.name)) << 20,
    )


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


def _see_flushes(lab: Lab, hosts: tuple[LabHost, ...]) -> None:
    """Have each volatile disk flushed by its host; SG-LAB-036 if that is not seen here.

    The lab would otherwise lose what was flushed, and prove the wrong thing.
    """
    for host in (one for one in hosts if one.data_disk):
        for device, disk in lab.place.disks(host.name, lab.record.disks).items():
            before = volatile.read(disk)
            lab.run(host.name, "sync", f"/dev/{device}")
            after = volatile.read(disk)
            if before is None or after is None or after.flushes <= before.flushes:
                raise refuse(
                    36, host.name, f"{device} was flushed, and its cache did not see it",
                    fix="this kernel passes flushes in another way than volatile.c expects: "
                    "lab down, then lab up without --volatile",
                )  # fmt: skip


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


def find(name: str) -> Lab:
    """Look up a lab; SG-LAB-011 if there is none."""
    where = place.place(name)
    known = record.load(where)
    if known is None:
        raise refuse(11, name, "there is no such lab", fix=f"`lab up --name {name}`")
    backend = choice.choose(known.driver)
    hosts = topology.build(name, known.applications, backend.memory_mib)
    ground = _ground(where, known, hosts, _recorded_image(name, known))
    return Lab(place=where, record=known, topology=hosts, driver=backend.drive(ground))


def down(name: str, report: Report = quiet) -> bool:
    """Remove every trace of the lab, however it ended; False if there was none.

    Works from names and from what lives in the namespace, not from records: these
    may be missing.
    """
    preflight.check("lab down")
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
