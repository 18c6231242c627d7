"""Every fault, through the whole engine: it is made, seen to take, and healed; or it is a doubt."""

from __future__ import annotations

import pytest
from layers.recordings import facts_of

from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.drill.faults import (
    FAULTS,
    changes,
    clocks,
    daemons,
    insides,
    networks,
    planted,
    restarts,
    sides,
)
from sanglier.drill.result import Verdict
from sanglier.drill.schedule import single
from sanglier.layers.base import Goal
from sanglier.run import change

from .simulated import jumping
from .voices import key
from .world import World, check_of, play, verdicts

SCRIPTS = {
    key(text)
    for module in (insides, networks, sides, changes, clocks, planted, daemons, restarts)
    for text in vars(module).values()
    if isinstance(text, str)
}
"""What the faults run inside hosts."""


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> World:
    async def gathered(*_: object, **__: object) -> Facts:
        return facts_of("converged")

    async def kept(goal: Goal, *_: object, **__: object) -> tuple[Goal, Facts]:
        return goal, facts_of("converged")

    monkeypatch.setattr(change, "gather", gathered)
    monkeypatch.setattr(changes, "gather_kept", kept)
    monkeypatch.setattr(changes, "plan_for", lambda *_: Plan(stages=()))
    return World(jumping(monkeypatch))


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_seen_to_take_and_is_healed(world: World, name: str) -> None:
    run = play(world, single(name), patience_s=600)
    found = verdicts(run)
    assert found["faults"] is Verdict.VALID, check_of(run, "faults")
    assert found["healed"] is Verdict.VALID
    assert run.injections == 1
    assert all(server.lives and not server.cut for server in world.servers.values())
    texts = [moment.text for moment in run.moments]
    assert name in texts
    assert f"{name} healed" in texts


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_one_that_does_nothing_is_a_doubt(world: World, name: str) -> None:
    """The power does nothing and says it did; what is run inside a host fails."""
    world.dead_power = True
    world.refuses = SCRIPTS.__contains__
    run = play(world, single(name), looks=False, patience_s=600)
    assert verdicts(run)["faults"] is Verdict.UNKNOWN
    assert run.injections == 0
