"""Run plans on predicted facts, cut them anywhere, and watch what must always hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from math import prod

from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.core.planner import plan_apply, plan_destroy
from sanglier.core.problem import Severity
from sanglier.core.step import Risk, Step
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.base import Goal
from sanglier.layers.cluster import cib
from sanglier.layers.cluster.corosync import conf_file
from sanglier.layers.cluster.desired import REQUIRED, files_of
from sanglier.layers.cluster.facts import ClusterFacts, WitnessFacts
from sanglier.layers.cluster.steps import engine_runs
from sanglier.layers.drbd.facts import UP_TO_DATE, DrbdFacts, Resource
from sanglier.layers.files import differs
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2.facts import Filesystem, Ocfs2Facts
from sanglier.layers.stack import LAYERS
from sanglier.layers.target.desired import OPTIMIZED, state_path, tpg
from sanglier.layers.target.facts import TargetFacts

from .goal import APPLICATIONS, GOAL, STORAGE, VOLUME

Make = Callable[[Goal, Facts], Plan]


def applying(goal: Goal, facts: Facts) -> Plan:
    return plan_apply(LAYERS, goal, facts, goal.consents)


def destroying(goal: Goal, facts: Facts) -> Plan:
    return plan_destroy(LAYERS, goal, facts, goal.consents)


def may_run(plan: Plan) -> bool:
    return not plan.blockers and not plan.missing_consents


def is_waiting(plan: Plan) -> bool:
    return any(problem.severity is Severity.WAITING for problem in plan.problems)


# What must hold.


def sides(facts: Facts) -> dict[str, Resource]:
    return {host: facts.of(host, DrbdFacts).resources[VOLUME.name] for host in STORAGE}


def filesystems(facts: Facts) -> dict[str, Filesystem]:
    return {h: facts.of(h, Ocfs2Facts).filesystems[VOLUME.name] for h in APPLICATIONS}


def mounted(facts: Facts) -> set[str]:
    return {h for h in APPLICATIONS if VOLUME.mount in facts.of(h, Ocfs2Facts).mounts}


def exported(facts: Facts) -> set[str]:
    servers = {server.name: server for server in GOAL.cluster.storage}
    return {
        host
        for host, server in servers.items()
        if facts.of(host, TargetFacts)
        .exports[VOLUME.name]
        .value(f"{tpg(GOAL, VOLUME, server)}/enable")
        == "1"
    }


def open_sides(facts: Facts) -> set[str]:
    """Give the servers whose target takes I/O (ALUA active/optimized)."""
    exports = {host: facts.of(host, TargetFacts).exports[VOLUME.name] for host in STORAGE}
    return {h for h, export in exports.items() if export.value(state_path(VOLUME)) == OPTIMIZED}


def violations(facts: Facts) -> set[str]:
    """Tell what is wrong in a state that no step may lead to."""
    found = {f"{h} is exported and not exportable" for h in exported(facts)
             if not sides(facts)[h].exportable}  # fmt: skip
    if len(open_sides(facts)) > 1:
        found.add("both sides are open")
    for host in APPLICATIONS:
        maps = facts.of(host, MultipathFacts).maps
        if host in mounted(facts) and not maps:
            found.add(f"{host} has a mount without a map")
        if maps and not facts.of(host, InitiatorFacts).sessions:
            found.add(f"{host} has a map without a session")
    return found


def _check_metadata(facts: Facts, step: Step) -> None:
    host = step.address.host
    device = facts.of(host, BackingFacts).devices[VOLUME.name]
    side = sides(facts)[host]
    assert device.blank or device.pending or side.pending, f"{step.address}: not blank"
    wiped = device.emptied and device.blank
    assert not side.metadata or side.pending or wiped, f"{step.address}: has metadata"
    assert not side.up


def _check_promotion(facts: Facts, step: Step) -> None:
    assert sides(facts)[step.address.host].disk == UP_TO_DATE, f"{step.address}: behind"


def _check_skip(facts: Facts) -> None:
    for host, side in sides(facts).items():
        assert side.fresh, f"{host} holds a generation of data"
        assert (side.disk, side.role, side.connected) == ("Inconsistent", "Secondary", True)


def _check_making(facts: Facts, step: Step) -> None:
    assert not mounted(facts)
    for host in STORAGE:
        device = facts.of(host, BackingFacts).devices[VOLUME.name]
        assert not set(device.signatures) - {"drbd"}, f"{step.address}: {host} holds something"
    found = filesystems(facts)
    pending = any(fs.pending for fs in found.values())
    for fs in found.values():
        if fs.device and not pending:
            assert not fs.kind, f"{step.address}: makes over {fs.kind}"
            assert fs.blank or step.consent, f"{step.address}: makes over data"


def _check_engine_start(facts: Facts, step: Step) -> None:
    files = facts.of(step.address.host, ClusterFacts).files
    assert {f.path for f in files_of(GOAL, GOAL.cluster.storage[0])} <= set(files)


def _check_unused(facts: Facts) -> None:
    assert not mounted(facts)


def _check_load(facts: Facts) -> None:
    assert all(engine_runs(facts, host) for host in STORAGE)


def _check_settling(facts: Facts) -> None:
    wanted = cib.form(cib.configuration(GOAL.cluster))
    assert all(facts.of(host, ClusterFacts).configuration == wanted for host in STORAGE)


def _check_link(facts: Facts, step: Step) -> None:
    """What runs with TLS has a certificate of the witness, and is told so."""
    now, witness = facts.of(step.address.host, ClusterFacts), facts.of("witness", WitnessFacts)
    assert now.link.certificate, f"{step.address}: no certificate"
    assert now.link.authority == witness.authority, f"{step.address}: of another authority"
    assert not differs(conf_file(GOAL), now.files), f"{step.address}: not told to use TLS"
    others = (facts.of(host, ClusterFacts) for host in STORAGE if host != step.address.host)
    losing = now.device_votes and any(o.state and not o.device_votes for o in others)
    assert not losing, f"{step.address}: gives up the only vote"


def _check_requiring(facts: Facts) -> None:
    running = {facts.of(host, ClusterFacts).link.tls for host in STORAGE}
    assert running <= {"", REQUIRED}, "a storage server would be locked out"


CHECKS: tuple[tuple[str, Callable[[Facts, Step], None]], ...] = (
    ("create metadata", _check_metadata),
    ("promote", _check_promotion),
    ("skip the first sync", lambda facts, _: _check_skip(facts)),
    ("make OCFS2", _check_making),
    ("start corosync,", _check_engine_start),
    ("start corosync,", _check_link),
    ("connect to the witness anew", _check_link),
    ("make corosync-qnetd require", lambda facts, _: _check_requiring(facts)),
    ("load Pacemaker", lambda facts, _: _check_load(facts)),
    ("wait until one side", lambda facts, _: _check_settling(facts)),
    ("stop pacemaker", lambda facts, _: _check_unused(facts)),
)
"""How the summary of a step begins, and what must hold before it."""


def check_before(facts: Facts, step: Step) -> None:
    """Check that a step may be begun."""
    if step.risk is Risk.DESTRUCTIVE:
        assert step.consent, f"{step.address} destroys without a consent"
    for beginning, check in CHECKS:
        if step.summary.startswith(beginning):
            check(facts, step)


def take(facts: Facts, step: Step) -> Facts:
    """Take one step; it may not begin nor end badly."""
    check_before(facts, step)
    after = step.effect(facts)
    bad = violations(after)
    new = bad - violations(facts) if bad else bad
    assert not new, f"{step.address} {step.summary}: {new}"
    return after


def take_all(facts: Facts, steps: Sequence[Step]) -> Facts:
    for step in steps:
        facts = take(facts, step)
    return facts


# Cutting.


def phases(plan: Plan) -> Iterator[tuple[Step, ...]]:
    """Give the steps that run at the same time, in order."""
    for stage in plan.stages:
        steps = stage.proposal.steps
        for number in sorted({step.phase for step in steps}):
            yield tuple(step for step in steps if step.phase == number)


MANY = 30


def _lengths(most: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Tell how far each host may have come; of very many ways, those where one is apart."""
    if prod(n + 1 for n in most) <= MANY:
        yield from product(*(range(n + 1) for n in most))
        return
    together = (tuple(min(i, n) for n in most) for i in range(max(most) + 1))
    apart = (
        tuple(i if at == host else rest for at, rest in enumerate(others))
        for others in (most, (0,) * len(most))
        for host, n in enumerate(most)
        for i in range(n + 1)
    )
    yield from dict.fromkeys((*together, *apart))


def _prefixes(phase: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """Give the ways in which a phase can be cut: each host has come so far with its steps."""
    hosts = dict.fromkeys(step.address.host for step in phase)
    queues = [[step for step in phase if step.address.host == host] for host in hosts]
    for lengths in _lengths(tuple(len(queue) for queue in queues)):
        yield tuple(s for queue, n in zip(queues, lengths, strict=True) for s in queue[:n])


def cut_everywhere(facts: Facts, plan: Plan) -> Iterator[Facts]:
    """Give the state after every cut of a plan, also in the middle of what takes a marker."""
    for phase in phases(plan):
        for done in _prefixes(phase):
            state = take_all(facts, done)
            yield state
            yield from half_done(state, [step for step in phase if step not in done])
        facts = take_all(facts, phase)
    yield facts


def cut_once(facts: Facts, plan: Plan, choose: Callable[[int], int]) -> Facts:
    """Cut a plan at one place; ``choose(n)`` gives a number below ``n``."""
    steps = list(phases(plan))
    chosen = choose(len(steps) + 1)
    for phase in steps[:chosen]:
        facts = take_all(facts, phase)
    if chosen == len(steps):
        return facts
    hosts = dict.fromkeys(step.address.host for step in steps[chosen])
    queues = [[step for step in steps[chosen] if step.address.host == host] for host in hosts]
    done = [step for queue in queues for step in queue[: choose(len(queue) + 1)]]
    facts = take_all(facts, done)
    states = [facts, *half_done(facts, [step for step in steps[chosen] if step not in done])]
    return states[choose(len(states))]


def half_done(facts: Facts, steps: Sequence[Step]) -> Iterator[Facts]:
    """Give the states inside of the steps that leave a marker while they write."""
    for step in steps:
        if step.summary.startswith("create metadata"):
            yield _metadata_cut(facts, step.address.host)
        if step.summary.startswith("make OCFS2"):
            yield _making_cut(facts, step.address.host, kind="")
            yield _making_cut(facts, step.address.host, kind="ocfs2")


def _metadata_cut(facts: Facts, host: str) -> Facts:
    drbd, backing = facts.of(host, DrbdFacts), facts.of(host, BackingFacts)
    side = replace(drbd.resources[VOLUME.name], pending=True)
    device = replace(backing.devices[VOLUME.name], pending=True, nonzero=True)
    facts = facts.with_(host, replace(drbd, resources={VOLUME.name: side}))
    return facts.with_(host, replace(backing, devices={VOLUME.name: device}))


def _making_cut(facts: Facts, host: str, *, kind: str) -> Facts:
    for server in APPLICATIONS:
        now = facts.of(server, Ocfs2Facts)
        seen = Filesystem(device=True, readable=True, kind=kind, pending=server == host)
        if kind:
            seen = replace(seen, label=VOLUME.label)
        facts = facts.with_(server, replace(now, filesystems={VOLUME.name: seen}))
    return facts


def settle(goal: Goal, facts: Facts, make: Make = applying) -> Facts:
    """Plan and run once; afterwards nothing may be left to do."""
    plan = make(goal, facts)
    if not may_run(plan):
        return facts
    after = take_all(facts, plan.steps)
    again = make(goal, after)
    assert again.empty, [f"{s.address} {s.summary} ({s.reason})" for s in again.steps]
    return after
