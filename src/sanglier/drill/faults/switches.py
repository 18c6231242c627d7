"""Power switches that are slow, answer late, die with their server, or lie.

A kill that cannot be confirmed must not be believed, and one that takes its time must not be
overtaken.  A lie about a server that is silent can only lose: no guard with one device sees through
it, so that drill is among those that must not pass.  A lie about one that still talks to Corosync
must not be believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sanglier.drill.faults.base import Deed, Evidence, Fault, Took, every, in_turn
from sanglier.drill.faults.hosts import dead, freeze, kill, silent, start, thaw
from sanglier.drill.faults.networks import cut, cut_mirror, heal, heal_mirror, replication_gone
from sanglier.drill.power import SWITCH, Manner
from sanglier.drill.scene import Role, Scene
from sanglier.spec.cluster import Host

SLOW_FENCE_S = 14
"""Off and on of a slow one, 5 s each, and what the agent asks between."""
LATE_FENCE_S = 20
"""An agent puts five questions and orders in a row, and each answer is 3 s late."""

Whose = Callable[[Scene, Host], Sequence[Host]]


def _its_own(_scene: Scene, host: Host) -> Sequence[Host]:
    return (host,)


def _both(scene: Scene, _host: Host) -> Sequence[Host]:
    return scene.storage


def _the_other(scene: Scene, host: Host) -> Sequence[Host]:
    return [server for server in scene.storage if server.name != host.name]


def _behaving(whose: Whose, manner: Manner) -> Deed:
    async def deed(scene: Scene, host: Host) -> None:
        power = scene.must_power()
        await asyncio.gather(*(power.behave(one.name, manner) for one in whose(scene, host)))

    return deed


def _with(whose: Whose, manner: Manner, deed: Deed) -> Deed:
    """Have switches behave so, and then do something for which they are needed."""
    return in_turn(_behaving(whose, manner), deed)


def _seen(whose: Whose, manner: Manner, evidence: Evidence) -> Evidence:
    """Ask the switches how they behave, and whether the deed took."""

    async def took(scene: Scene, host: Host) -> Took:
        power = scene.must_power()
        manners = [await power.manner(one.name) for one in whose(scene, host)]
        behave = Took.YES if set(manners) == {manner} else Took.NO
        return every((behave, await evidence(scene, host)))

    return took


def _honest(deed: Deed) -> Deed:
    """Have every switch be honest again, whatever becomes of the rest."""
    return in_turn(_behaving(_both, Manner.HONEST), deed)


def _switch(
    name: str, whose: Whose, manner: Manner, explains: str, *, cut_link: bool = False,
    hold_s: float = 30, prediction: str = "", plain: bool = True, planted: str = "",
    either: bool = False, fence_s: int = 0,
) -> Fault:  # fmt: skip
    """Freeze the open server, or cut the mirror, while some power switches behave like that."""
    deed: Deed = cut_mirror if cut_link else freeze
    undo: Deed = heal_mirror if cut_link else thaw
    evidence: Evidence = replication_gone if cut_link else silent
    aimed = Role.STANDBY if cut_link else Role.OPEN
    return Fault(
        name=name, role=Role.OPEN, hold_s=hold_s, needs_power=True, explains=explains,
        inject=_with(whose, manner, deed), heal=_honest(undo),
        took=_seen(whose, manner, evidence), prediction=prediction, plain=plain, planted=planted,
        fences=frozenset({Role.OPEN, Role.STANDBY} if either else {aimed}), fence_s=fence_s,
    )  # fmt: skip


async def _both_dead(scene: Scene, host: Host) -> Took:
    out = SWITCH in await scene.must_power().unplugged(host.name)
    return every((Took.YES if out else Took.NO, await dead(scene, host)))


FAULTS = (
    _switch(
        "switch-slow", _its_own, Manner.SLOW,
        "the open server freezes, and its power switch acts seconds after it has answered",
        prediction="open-server-frozen", fence_s=SLOW_FENCE_S,
    ),
    _switch(
        "switch-late", _its_own, Manner.LATE,
        "the open server freezes, and its power switch answers seconds late",
        prediction="open-server-frozen", fence_s=LATE_FENCE_S,
    ),
    Fault(
        name="switch-dead", role=Role.OPEN, hold_s=30, needs_power=True,
        explains="the open server loses its power, and its power switch with it: nobody can "
        "confirm that it is dead, so the other side must not open before the switch answers",
        inject=in_turn(cut(SWITCH), kill), heal=in_turn(heal(SWITCH), start), took=_both_dead,
        prediction="",
        fences=frozenset({Role.OPEN}), plain=False,
    ),
    _switch(
        "link-cut-switches-slow", _both, Manner.SLOW,
        "the replication link is cut, and both power switches act seconds after they have "
        "answered: one server may die, not both",
        cut_link=True, hold_s=25, prediction="replication-cut", fence_s=SLOW_FENCE_S,
    ),
    _switch(
        "link-cut-switch-lies", _the_other, Manner.LIES,
        "the replication link is cut, and the standby server's power switch says that it did and "
        "did nothing: the open side must not believe it while Corosync still hears the other one, "
        "which may shoot in its turn when it has held its fire",
        cut_link=True, hold_s=20, plain=False, either=True,
    ),
    _switch(
        "switch-lies", _its_own, Manner.LIES,
        "the open server freezes, and its power switch says that it did and did nothing: the "
        "other side opens, and the frozen one wakes up",
        hold_s=60, plain=False, planted="both-open",
    ),
)  # fmt: skip
