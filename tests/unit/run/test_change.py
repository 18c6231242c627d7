"""Planned changes while a storage server does not answer: said as such, as ``plan`` says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from layers.alter import without
from layers.goal import GOAL, VOLUME
from layers.recordings import facts_of

from sanglier.cli.exits import OUT_OF_REACH, exit_status
from sanglier.core.errors import SanglierError
from sanglier.core.facts import Facts
from sanglier.core.shell import render
from sanglier.layers.cluster import change
from sanglier.run.change import Changer
from sanglier.run.codes import Code
from sanglier.run.gather import unreachable
from sanglier.run.transport import Result, Session, Transport
from sanglier.spec.cluster import Host

A, B = GOAL.cluster.storage
HELD = "watch the paths"


@dataclass
class Far:
    """Hosts that do whatever they are told; notes it."""

    told: list[tuple[str, str]] = field(default_factory=list)

    async def run(self, host: Host, script: str, **_: object) -> Result:
        self.told.append((host.name, script))
        return Result(status=0, text="", seconds=0)

    async def hold(self, host: Host, *_: object, **__: object) -> Session:
        self.told.append((host.name, HELD))
        raise silent(host)


def silent(host: Host) -> SanglierError:
    return SanglierError(code=Code.UNREACHABLE, subject=host.name, what="ssh does not get through")


def out_of_reach(*hosts: Host) -> Facts:
    """Facts of a converged cluster whose ``hosts`` ssh does not reach; they run all the same."""
    facts = facts_of("converged")
    for host in hosts:
        facts = without(facts, host.name)
    return facts.merge(Facts({}, {host.name: unreachable(host, silent(host)) for host in hosts}))


def changer(far: Far) -> Changer:
    return Changer(goal=GOAL, transport=cast(Transport, far))


def assert_said(error: SanglierError, host: Host) -> None:
    expected = unreachable(host, silent(host))
    assert (error.code, error.subject) == (expected.code, str(expected.address))
    assert exit_status(error.code) == OUT_OF_REACH


@pytest.mark.parametrize("silent_ones", [(A,), (A, B)], ids=["the other", "both"])
async def test_a_server_is_not_emptied_onto_one_out_of_reach(silent_ones: tuple[Host]) -> None:
    far = Far()
    with pytest.raises(SanglierError) as caught:
        await changer(far).empty(out_of_reach(*silent_ones), B)
    assert_said(caught.value, A)
    assert far.told == []


async def test_no_side_moves_to_a_server_out_of_reach() -> None:
    far = Far()
    with pytest.raises(SanglierError) as caught:
        await changer(far).move(out_of_reach(B), VOLUME, B)
    assert_said(caught.value, B)
    assert far.told == []


async def test_a_server_out_of_reach_can_be_emptied_from_the_other() -> None:
    """It is kept out when it comes back: what to do with one that is rebooted again and again."""
    far = Far()
    await changer(far).empty(out_of_reach(B), B)
    assert far.told == [(A.name, render(change.empty(B), reveal=False))]


async def test_the_open_side_is_moved_before_its_server_is_emptied() -> None:
    """A path tried again while its target goes would hold its I/O until it is given up, 5 s."""
    far, (opened, other) = Far(), (A, B)
    found = change.state_of(GOAL, facts_of("converged"))
    assert found and change.open_on(GOAL, found[1], VOLUME) == opened
    await changer(far).empty(facts_of("converged"), opened)
    watched = [(server.name, HELD) for server in GOAL.cluster.applications]
    assert far.told == [
        *watched,
        (other.name, render(change.move(VOLUME, other), reveal=False)),
        (other.name, render(change.empty(opened), reveal=False)),
    ]


async def test_a_server_with_nothing_open_is_emptied_and_no_path_is_touched() -> None:
    far = Far()
    await changer(far).empty(facts_of("converged"), B)
    assert far.told == [(A.name, render(change.empty(B), reveal=False))]
