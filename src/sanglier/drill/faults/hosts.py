"""Hosts that die, freeze, or lose their power together.  They need power over the hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from sanglier.drill.faults.base import Deed, Evidence, Fault, Took, every
from sanglier.drill.scene import Role, Scene
from sanglier.spec.budget import self_fence_s
from sanglier.spec.cluster import Host

ANSWER_S = 2
BEYOND_S = 150
"""Longer than o2cb's patience with every set of timings; see a test."""
RESET_S = 45
"""Until a server that must reset itself has done so: kernel.panic is 30 s."""
REBOOT_S = 100
"""Until one that has reset itself answers again, emulated."""
LOOK_S = 10
UPTIME = 'read -r up _ < /proc/uptime; echo "$up"'


async def kill(scene: Scene, host: Host) -> None:
    """Cut the power."""
    await scene.kill(host.name)


async def start(scene: Scene, host: Host) -> None:
    """Boot it, unless the cluster's fencing has done so."""
    power = scene.must_power()
    if await power.dead(host.name):
        await power.start(host.name)


async def dead(scene: Scene, host: Host) -> Took:
    """Whether it is off just now."""
    return Took.YES if await scene.must_power().dead(host.name) else Took.NO


async def cycle(scene: Scene, host: Host) -> None:
    """Cut the power and give it back at once."""
    await kill(scene, host)
    if await dead(scene, host) is not Took.YES:
        raise RuntimeError(f"{host.name} did not die")
    await start(scene, host)


async def alive(scene: Scene, host: Host) -> Took:
    """Whether it has power again; that it had none was seen meanwhile (:func:`cycle`)."""
    return Took.NO if await scene.must_power().dead(host.name) else Took.YES


async def freeze(scene: Scene, host: Host) -> None:
    """Stop every instruction."""
    await scene.must_power().freeze(host.name)


async def thaw(scene: Scene, host: Host) -> None:
    """Let it go on; if it was switched off meanwhile, there is nothing to thaw."""
    await _unless_off(scene, host, scene.must_power().thaw)


async def _unless_off(scene: Scene, host: Host, go_on: Callable[[str], Awaitable[None]]) -> bool:
    """Let it go on, or boot one that was switched off meanwhile; tell whether it was not."""
    power = scene.must_power()
    if await power.dead(host.name):
        await power.start(host.name)
        return False
    await go_on(host.name)
    return True


async def pause(scene: Scene, host: Host) -> None:
    """Stop every instruction, and its clock."""
    await scene.must_power().pause(host.name)


async def resume(scene: Scene, host: Host) -> None:
    """Let it go on as if no time had passed, until it has reset itself and is up again.

    It finds its LUN gone, and o2cb's patience begins by its own clock then.  If it was switched
    off meanwhile, it boots.
    """
    if not await _unless_off(scene, host, scene.must_power().resume):
        return
    began, clock = scene.clock.now(), scene.clock
    patience_s = self_fence_s(scene.goal.cluster.timings) + REBOOT_S
    while clock.now() - began < patience_s:
        await asyncio.sleep(LOOK_S)
        if await _booted_within(scene, host, clock.now() - began):
            return


async def _booted_within(scene: Scene, host: Host, seconds: float) -> bool:
    """Whether it tells that it is up for less than that; one that says nothing does not."""
    with suppress(Exception):  # it panics, or boots
        async with asyncio.timeout(LOOK_S):
            told = await scene.ask(host, UPTIME, limit=LOOK_S)
            return float(told.text) < seconds
    return False


async def wake(scene: Scene, host: Host) -> None:
    """Let one that others took for dead go on; it resets itself, and gets its power back.

    A kernel in user-mode Linux that panics is off, not booted anew.
    """
    power = scene.must_power()
    await thaw(scene, host)
    for _ in range(RESET_S):
        if await power.dead(host.name):
            await power.start(host.name)
            return
        await asyncio.sleep(1)


async def quiet(scene: Scene, host: Host) -> Took:
    """Whether it says nothing at all within 2 s.

    A refusal is an answer of its kernel, and an error may be ours: neither is silence.
    """
    try:
        async with asyncio.timeout(ANSWER_S) as clock:
            await scene.ask(host, "true", limit=ANSWER_S)
    except Exception as error:  # whose it is, is not known
        hung = isinstance(error, TimeoutError) and clock.expired()
        return Took.YES if hung else Took.UNKNOWN
    return Took.NO


async def silent(scene: Scene, host: Host) -> Took:
    """Whether it says nothing, while some other host answers by the same way."""
    others = (other for other in scene.goal.cluster.hosts if other.name != host.name)
    found, *rest = await asyncio.gather(*(quiet(scene, one) for one in (host, *others)))
    return Took.UNKNOWN if found is Took.YES and Took.NO not in rest else found


Hosts = Callable[[Scene, Host], Sequence[Host]]


def _everyone(scene: Scene, _host: Host) -> Sequence[Host]:
    return scene.goal.cluster.hosts


def _both_storage(scene: Scene, _host: Host) -> Sequence[Host]:
    return scene.storage


def _witness_too(scene: Scene, host: Host) -> Sequence[Host]:
    return (scene.cast(Role.WITNESS), host)


def _to(hosts: Hosts, deed: Deed) -> Deed:
    """Do it to several hosts at once."""

    async def together(scene: Scene, host: Host) -> None:
        await asyncio.gather(*(deed(scene, one) for one in hosts(scene, host)))

    return together


def _of(hosts: Hosts, evidence: Evidence) -> Evidence:
    """Ask all of several hosts: it took when it took with each."""

    async def together(scene: Scene, host: Host) -> Took:
        return every(await asyncio.gather(*(evidence(scene, o) for o in hosts(scene, host))))

    return together


def _frozen(role: Role, name: str, seconds: float, prediction: str, **more: bool) -> Fault:
    storage = role in {Role.OPEN, Role.STANDBY}
    return Fault(
        name=f"{name}-frozen-{seconds:.0f}", role=role, hold_s=seconds, needs_power=True,
        explains=f"the {role} server stops for {seconds:.0f} s and then goes on as if nothing "
        "had been" + ("; what it still holds must not be written late" if storage else ""),
        inject=freeze, heal=thaw, took=silent, prediction=prediction,
        fences=frozenset({role}) if storage else frozenset(),
        plain=more.get("plain", True),
    )  # fmt: skip


FAULTS = (
    Fault(
        name="open-killed", role=Role.OPEN, hold_s=30, needs_power=True,
        explains="the storage server whose side is open loses its power",
        inject=kill, heal=start, took=dead, prediction="open-server-dead",
        fences=frozenset({Role.OPEN}),
    ),
    Fault(
        name="standby-killed", role=Role.STANDBY, hold_s=30, needs_power=True,
        explains="the storage server in standby loses its power",
        inject=kill, heal=start, took=dead, prediction="standby-server-dead",
        fences=frozenset({Role.STANDBY}),
    ),
    Fault(
        name="open-power-cycled", role=Role.OPEN, hold_s=5, needs_power=True,
        explains="the open storage server is switched off and on again at once",
        inject=cycle, took=alive, prediction="open-server-dead",
        fences=frozenset({Role.OPEN}),
    ),
    _frozen(Role.OPEN, "open", 5, "open-server-frozen"),
    _frozen(Role.OPEN, "open", 20, "open-server-frozen"),
    _frozen(Role.OPEN, "open", 60, "open-server-frozen", plain=False),
    _frozen(Role.STANDBY, "standby", 20, "standby-server-dead"),
    Fault(
        name="application-killed", role=Role.APPLICATION, hold_s=10, needs_power=True,
        explains="an application server loses its power in the middle of its writes",
        inject=kill, heal=start, took=dead, prediction="application-dead", kills=True,
    ),
    _frozen(Role.APPLICATION, "application", 20, "application-frozen"),
    Fault(
        name="application-frozen-beyond", role=Role.APPLICATION, hold_s=BEYOND_S, needs_power=True,
        explains="an application server stops for longer than o2cb waits, so that its fellows take "
        "over what it held, and then goes on: it must not write any more, and reset itself",
        inject=freeze, heal=wake, took=silent, prediction="application-frozen",
        fences=frozenset({Role.APPLICATION}), plain=False,
    ),
    Fault(
        name="application-paused-beyond", role=Role.APPLICATION, hold_s=BEYOND_S, needs_power=True,
        needs_pause=True,
        explains="an application server stops together with its clock for longer than o2cb waits, "
        "as a virtual machine may, and goes on as if no time had passed: what it still holds must "
        "not be written",
        inject=pause, heal=resume, took=silent, prediction="application-frozen",
        fences=frozenset({Role.APPLICATION}), plain=False,
    ),
    Fault(
        name="witness-killed", role=Role.WITNESS, hold_s=20, needs_power=True,
        explains="the witness loses its power; nothing else fails, nothing may happen",
        inject=kill, heal=start, took=dead, prediction="witness-dead",
    ),
    Fault(
        name="witness-and-standby-killed", role=Role.STANDBY, hold_s=25, needs_power=True,
        explains="the witness and the standby server die together: the open side has no majority, "
        "freezes, and goes on when one of them is back",
        inject=_to(_witness_too, kill), heal=_to(_witness_too, start),
        took=_of(_witness_too, dead), prediction="", fences=frozenset({Role.STANDBY}), plain=False,
    ),
    Fault(
        name="witness-and-open-killed", role=Role.OPEN, hold_s=25, needs_power=True,
        explains="the witness and the open server die together: the other side has no majority "
        "and must not open until one of them is back",
        inject=_to(_witness_too, kill), heal=_to(_witness_too, start),
        took=_of(_witness_too, dead), prediction="", fences=frozenset({Role.OPEN}), plain=False,
    ),
    Fault(
        name="any-killed", role=Role.ANY, hold_s=15, needs_power=True,
        explains="a host loses its power, whatever its part in the cluster",
        inject=kill, heal=start, took=dead, prediction="", fences=frozenset({Role.ANY}),
        kills=True, choices=5, plain=False,
    ),
    Fault(
        name="both-storage-killed", role=Role.ALL, hold_s=10, needs_power=True,
        explains="both storage servers lose their power at the same moment",
        inject=_to(_both_storage, kill), heal=_to(_both_storage, start),
        took=_of(_both_storage, dead), prediction="",
        fences=frozenset({Role.OPEN, Role.STANDBY}), at_most=2, plain=False,
    ),
    Fault(
        name="blackout", role=Role.ALL, hold_s=5, needs_power=True,
        explains="every server loses its power at the same moment, and gets it back",
        inject=_to(_everyone, kill), heal=_to(_everyone, start), took=_of(_everyone, dead),
        prediction="",
        fences=frozenset({Role.OPEN, Role.STANDBY}), at_most=2, kills=True, plain=False,
    ),
)  # fmt: skip
