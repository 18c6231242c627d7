"""Files, o2cb online, the filesystem once, the mount on every application server."""

from __future__ import annotations

from collections.abc import Sequence

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Step
from sanglier.layers.backing.desired import wipe_consent
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.base import Goal
from sanglier.layers.drbd.traces import new_consent
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.multipath.steps import map_of
from sanglier.layers.ocfs2 import judge, moves
from sanglier.layers.ocfs2.desired import (
    CONF_PATH,
    FORMER_PATHS,
    NODES_PATH,
    O2CB_PATH,
    VALUES_PATH,
    files_of,
    is_former,
    is_other,
    unit_name,
)
from sanglier.layers.ocfs2.facts import Filesystem, Ocfs2Facts
from sanglier.layers.services import Unit
from sanglier.spec.cluster import ApplicationServer, Volume


def _o2cb(goal: Goal, host: str, now: Ocfs2Facts) -> tuple[Step, ...]:
    online = bool(now.cluster_values)
    wrong = judge.wrong_values(goal.cluster, now) if online else {}
    if online and wrong and not now.holds:
        return (moves.restart_o2cb(goal, host, wrong),)
    if not online or not now.o2cb.is_active or not now.o2cb_at_boot:
        return (moves.start_o2cb(goal, host, now),)
    return ()


def _held(mounted: Sequence[judge.Mounted]) -> frozenset[str]:
    """Give the files that would bring o2cb up with other values than a mounted server has."""
    held: set[str] = set()
    for other in mounted:
        nodes = [key for key in other.other if key.startswith("node/")]
        if nodes or not other.values:
            held |= {CONF_PATH, NODES_PATH}
        if len(nodes) < len(other.other) or not other.values:
            held |= {VALUES_PATH, O2CB_PATH, *FORMER_PATHS}
    return frozenset(held)


def _configure(
    goal: Goal, host: str, now: Ocfs2Facts, held: frozenset[str] = frozenset()
) -> tuple[Step, ...]:
    """Write what differs and bring o2cb online; not while files of o2cb are held back."""
    files: tuple[Step, ...] = tuple(
        moves.write(host, wanted, now)
        for wanted in files_of(goal.cluster)
        if is_other(wanted, now.files) and wanted.path not in held
    )
    former = (path for path in FORMER_PATHS if path not in held and is_former(path, now.files))
    files = (*files, *(moves.remove_former(host, path) for path in former))
    wrong = judge.wrong_panic(now)
    if wrong:
        files = (*files, moves.set_panic(host, wrong))
    return files if held else (*files, *_o2cb(goal, host, now))


def _has_map(facts: Facts, host: str, volume: Volume) -> bool:
    """Whether there is (or will be) a map with a working path: without one, a mount hangs."""
    if not facts.has(host, MultipathFacts):
        return False
    found = map_of(facts.of(host, MultipathFacts), volume)
    return found is not None and len(found.dead) < len(found.paths)


def _maker(goal: Goal, facts: Facts, volume: Volume) -> ApplicationServer | None:
    """Find the server that makes the filesystem: one with a marker first, else the first."""
    able = [
        server
        for server in goal.cluster.applications
        if facts.has(server.name, Ocfs2Facts) and _has_map(facts, server.name, volume)
    ]
    pending = [s for s in able if _filesystem(facts, s.name, volume).pending]
    return next(iter((*pending, *able)), None)


def _filesystem(facts: Facts, host: str, volume: Volume) -> Filesystem:
    return facts.of(host, Ocfs2Facts).filesystems[volume.name]


def _mounted_somewhere(goal: Goal, facts: Facts, volume: Volume) -> bool:
    return any(
        volume.mount in facts.of(server.name, Ocfs2Facts).mounts
        for server in goal.cluster.applications
        if facts.has(server.name, Ocfs2Facts)
    )


def _holds_something(facts: Facts, volume: Volume) -> bool:
    """Whether a backing device that nobody has attached shows a filesystem under the mirror."""
    devices = [
        facts.of(host, BackingFacts).devices[volume.name]
        for host in volume.devices
        if facts.has(host, BackingFacts)
    ]
    return any(set(device.signatures) - {"drbd"} for device in devices)


def _is_known(goal: Goal, facts: Facts, volume: Volume) -> bool:
    """Whether a server mounts it at boot: there was a filesystem, and no wipe is allowed."""
    units = [
        facts.of(server.name, Ocfs2Facts).units.get(unit_name(volume.mount), Unit())
        for server in goal.cluster.applications
        if facts.has(server.name, Ocfs2Facts)
    ]
    wiped = all(wipe_consent(h, path) in goal.consents for h, path in volume.devices.items())
    return any(unit.is_enabled for unit in units) and not wiped


def _make(goal: Goal, facts: Facts, volume: Volume) -> tuple[Step, ...]:
    """Make the filesystem where nothing is, or finish a making that was cut."""
    maker = _maker(goal, facts, volume)
    if maker is None or _mounted_somewhere(goal, facts, volume):
        return ()
    found = _filesystem(facts, maker.name, volume)
    if found.pending and found.kind in {"", "ocfs2"}:
        reason = "a run was cut while it was made"
        return (moves.make(goal, maker.name, volume, reason, how="cut"),)
    if found.kind or (not found.readable and _holds_something(facts, volume)):
        return ()
    known = _is_known(goal, facts, volume)
    if known and not found.blank and new_consent(volume) not in goal.consents:
        return ()
    if found.blank or not found.readable:
        consent = new_consent(volume) if known else None
        reason = "the volume is blank" if found.blank else "made only if the volume is found blank"
        return (moves.make(goal, maker.name, volume, reason, how="blank", consent=consent),)
    return (moves.make_over(goal, maker.name, volume),)


def _mount(
    goal: Goal, facts: Facts, server: ApplicationServer, volume: Volume,
    mounted: Sequence[judge.Mounted],
) -> tuple[Step, ...]:  # fmt: skip
    host, now = server.name, facts.of(server.name, Ocfs2Facts)
    unit = now.units.get(unit_name(volume.mount), Unit())
    if not _has_map(facts, host, volume):
        return ()
    if volume.mount not in now.mounts:
        admitted = all(other.admits(server, now) for other in mounted if other.host != host)
        return (moves.mount(goal, host, volume),) if admitted else ()
    missing = judge.missing_options(volume, now)
    remounts = (moves.remount(host, volume, missing),) if missing else ()
    enables = () if unit.is_enabled else (moves.enable_mount(host, volume),)
    return (*remounts, *enables)


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose for every application server, and the making of each filesystem once."""
    proposal = Proposal()
    mounted = judge.mounted(goal, facts)
    servers = [s for s in goal.cluster.applications if facts.has(s.name, Ocfs2Facts)]
    for server in servers:
        proposal += _server(goal, server.name, facts.of(server.name, Ocfs2Facts), mounted)
    for volume in goal.cluster.volumes:
        proposal += Proposal(steps=_make(goal, facts, volume))
        for server in servers:
            proposal += Proposal(steps=_mount(goal, facts, server, volume, mounted))
    return proposal


def _server(goal: Goal, host: str, now: Ocfs2Facts, mounted: Sequence[judge.Mounted]) -> Proposal:
    """Configure one server, as far as those that have a volume mounted leave it free."""
    binding = next((other for other in mounted if other.binds), None)
    problems = judge.problems(goal, host, now)
    free = _configure(goal, host, now)
    if binding is None:
        return Proposal(steps=free, problems=problems)
    steps = _configure(goal, host, now, _held(mounted))
    told = (judge.held_back(host, binding),) if len(free) > len(steps) else ()
    return Proposal(steps=steps, problems=(*problems, *told))
