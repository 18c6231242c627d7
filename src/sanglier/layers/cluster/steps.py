"""Files, fencing that answers, the engine, its configuration; then it brings up the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sanglier.core.action import Action, Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Effect, Step
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib, judge, link, moves, sides
from sanglier.layers.cluster.corosync import AUTHKEY, CONF, checked_values
from sanglier.layers.cluster.desired import BEFORE_PACEMAKER, BEFORE_QDEVICE, UNITS, files_of
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.cluster.moves import Phase
from sanglier.layers.files import WantedFile, as_read, differs, write_step
from sanglier.layers.services import Unit, Units
from sanglier.spec.cluster import StorageServer

# New timeouts are taken over by both running servers at once, corosync-cfgtool(8).
RELOAD = Script(text="corosync-cfgtool -R")


def _runs(units: Units, names: tuple[str, ...]) -> bool:
    return all(units.get(n, Unit()).is_active and units.get(n, Unit()).is_enabled for n in names)


def engine_runs(facts: Facts, host: str) -> bool:
    """Whether the whole engine runs on ``host``, and at its next boot."""
    return facts.has(host, ClusterFacts) and _runs(facts.of(host, ClusterFacts).units, UNITS)


def _written(host: str, wanted: WantedFile, goal: Goal) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, ClusterFacts)
        values = dict(now.values)
        if wanted.path == CONF and values:
            values |= checked_values(goal.cluster)
        files = {**now.files, wanted.path: as_read(wanted)}
        return facts.with_(host, replace(now, files=files, values=values))

    return effect


def _files(goal: Goal, server: StorageServer, now: ClusterFacts) -> Iterator[Step]:
    running = now.units.get(UNITS[0], Unit()).is_active
    for wanted in files_of(goal, server):
        if differs(wanted, now.files) and not (wanted.path == AUTHKEY and running):
            reload: tuple[Action, ...] = (RELOAD,) if wanted.path == CONF and running else ()
            address = Address(host=server.name, layer="cluster", subject=_subject(wanted.path))
            effect = _written(server.name, wanted, goal)
            phase = Phase.CONFIGURE if wanted.path == CONF else Phase.FILES
            yield write_step(address, wanted, now.files, effect, phase=phase, then=reload)


def _subject(path: str) -> str:
    drop_ins = {BEFORE_PACEMAKER: "before-pacemaker", BEFORE_QDEVICE: "before-qdevice"}
    return drop_ins.get(path) or path.rsplit("/", 1)[-1]


def _stale(goal: Goal, server: StorageServer, now: ClusterFacts) -> Iterator[Step]:
    """Values in force that are not the file's, although the file is right: read it again."""
    wanted = checked_values(goal.cluster)
    wrong = [f"{k} is {now.values[k]}, not {v}" for k, v in wanted.items()
             if k in now.values and now.values[k] != v]  # fmt: skip
    conf = files_of(goal, server)[0]
    if wrong and not differs(conf, now.files):
        effect = _written(server.name, conf, goal)
        yield moves.reload(server.name, "; ".join(wrong), RELOAD, effect)


def _checks(goal: Goal, host: str) -> Iterator[Step]:
    for server in goal.cluster.storage:
        if server.name != host:
            for device in server.fence:
                yield moves.check_device(host, server, device)


def _engine(goal: Goal, facts: Facts) -> tuple[Step, ...]:
    stopped = [s.name for s in goal.cluster.storage if not engine_runs(facts, s.name)]
    steps: list[Step] = []
    for host in stopped:
        steps += _checks(goal, host)
    steps += [moves.start_engine(host, goal) for host in stopped]
    if stopped:
        steps.append(moves.gather(goal.cluster.storage[0].name, goal.cluster))
    return tuple(steps)


def _configuration(goal: Goal, facts: Facts) -> tuple[str, ...]:
    """Differences between the wanted and the loaded configuration, in words."""
    wanted = cib.form(cib.configuration(goal.cluster))
    forms = [facts.of(s.name, ClusterFacts).configuration for s in goal.cluster.storage
             if facts.has(s.name, ClusterFacts)]  # fmt: skip
    found = next((form for form in forms if form is not None), None)
    if found is None:
        return ("none is loaded",)
    return cib.differences(wanted, found)


def _fencing_differs(reasons: tuple[str, ...]) -> bool:
    return any(reason.startswith("fence-") for reason in reasons)


def _arbitration(goal: Goal, facts: Facts) -> tuple[Step, ...]:
    first = goal.cluster.storage[0].name
    steps = list(_engine(goal, facts))
    started, reasons = bool(steps), _configuration(goal, facts)
    if reasons:
        if not started and _fencing_differs(reasons):
            for server in goal.cluster.storage:
                steps += _checks(goal, server.name)
        steps.append(moves.load(first, goal, reasons))
    closed = _closed(goal, facts)
    if started or reasons or closed:
        changes = "the configuration changes" if reasons else f"{closed} is open nowhere"
        why = "the engine is started" if started else changes
        steps.append(moves.settle(first, goal, why))
    return tuple(steps)


def _closed(goal: Goal, facts: Facts) -> str:
    """Name the volumes of which no server says that a side is open."""
    states = [facts.of(s.name, ClusterFacts).state for s in goal.cluster.storage]
    return ", ".join(
        volume.name
        for volume in goal.cluster.volumes
        if not any(state and state.where(cib.side(volume)) for state in states)
    )


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose for the guarded mode; in the article's mode only say what it is."""
    if not goal.cluster.guarded:
        return Proposal(problems=judge.article(goal))
    steps = list(link.steps(goal, facts))
    steps += [sides.shut(goal, found) for found in sides.opened(goal, facts)]
    problems = [*judge.problems(goal, facts), *link.problems(goal, facts)]
    problems += sides.problems(goal, facts)
    read = [s for s in goal.cluster.storage if facts.has(s.name, ClusterFacts)]
    for server in read:
        now = facts.of(server.name, ClusterFacts)
        steps += [*_files(goal, server, now), *_stale(goal, server, now)]
        if now.units.get(UNITS[0], Unit()).is_active and differs(
            files_of(goal, server)[1], now.files
        ):
            problems.append(judge.stale_key(server.name))
    if len(read) == len(goal.cluster.storage):
        steps += _arbitration(goal, facts)
    return Proposal(steps=tuple(steps), problems=tuple(problems))
