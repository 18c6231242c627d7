"""Stop the engine, which closes and takes down what it runs, and remove its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.step import Effect, Step
from sanglier.layers.base import Goal
from sanglier.layers.cluster import exchange, moves
from sanglier.layers.cluster.corosync import CONF
from sanglier.layers.cluster.desired import (
    QNETD_UNIT,
    UNITS,
    files_of,
    requiring_file,
)
from sanglier.layers.cluster.facts import ClusterFacts, WitnessFacts
from sanglier.layers.files import HEADER, Files, WantedFile, differs, remove_step
from sanglier.layers.services import Unit, Units
from sanglier.spec.cluster import StorageServer


def _lives(units: Units, names: tuple[str, ...]) -> bool:
    return any(units.get(n, Unit()).is_active or units.get(n, Unit()).is_enabled for n in names)


def _forgotten(host: str, path: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, ClusterFacts)
        files = {key: value for key, value in now.files.items() if key != path}
        return facts.with_(host, replace(now, files=files))

    return effect


def _is_ours(wanted: WantedFile, files: Files) -> bool:
    """Whether a file is there and not the example that Debian installs, nor somebody else's."""
    state = files.get(wanted.path)
    if state is None or wanted.path != CONF:
        return state is not None
    return not differs(wanted, files) or (state.text or "").startswith(HEADER)


def _server(goal: Goal, facts: Facts, server: StorageServer) -> tuple[Step, ...]:
    now = facts.of(server.name, ClusterFacts)
    steps = [moves.stop_engine(server.name, goal)] if _lives(now.units, UNITS) else []
    for wanted in files_of(goal, server):
        if _is_ours(wanted, now.files):
            subject = wanted.path.rsplit("/", 1)[-1]
            address = Address(host=server.name, layer="cluster", subject=subject)
            effect = _forgotten(server.name, wanted.path)
            steps.append(remove_step(address, wanted.path, effect, phase=2))
    if now.link.database:
        steps.append(exchange.forget(server.name))
    return tuple(steps)


def _witness(facts: Facts, host: str) -> Iterator[Step]:
    """Stop the daemon and give it back its own options; the authority is the package's."""
    if not facts.has(host, WitnessFacts):
        return
    now, wanted = facts.of(host, WitnessFacts), requiring_file()
    if _lives(now.units, (QNETD_UNIT,)):
        yield moves.stop_witness(host)
    if wanted.path in now.files:
        address = Address(host=host, layer="cluster", subject="encryption")
        yield remove_step(address, wanted.path, _plain_again(host), phase=2)


def _plain_again(host: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        return facts.with_(host, replace(facts.of(host, WitnessFacts), files={}))

    return effect


def teardown(goal: Goal, facts: Facts) -> Proposal:
    """Remove this layer's part."""
    steps: list[Step] = []
    for server in goal.cluster.storage:
        if facts.has(server.name, ClusterFacts):
            steps += _server(goal, facts, server)
    witness = goal.cluster.witness
    if witness:
        steps += _witness(facts, witness.name)
    return Proposal(steps=tuple(steps))
