"""Hosts that die, freeze, or lose their power together.  They need power over the hosts."""

from __future__ import annotations

import asyncio

from sanglier.drill.faults.base import Deed, Fault
from sanglier.drill.scene import Role, Scene
from sanglier.spec.cluster import Host


async def kill(scene: Scene, host: Host) -> None:
    """Cut the power."""
    await scene.must_power().kill(host.name)


async def start(scene: Scene, host: Host) -> None:
    """Boot it, unless the cluster's fencing has done so."""
    power = scene.must_power()
    if await power.dead(host.name):
        await power.start(host.name)


async def dead(scene: Scene, host: Host) -> bool:
    """Whether it is off just now."""
    return await scene.must_power().dead(host.name)


async def cycle(scene: Scene, host: Host) -> None:
    """Cut the power and give it back at once."""
    await kill(scene, host)
    if not await dead(scene, host):
        raise RuntimeError(f"{host.name} did not die")
    await start(scene, host)


async def alive(scene: Scene, host: Host) -> bool:
    """Whether it has power again."""
    return not await scene.must_power().dead(host.name)


async def freeze(scene: Scene, host: Host) -> None:
    """Stop every instruction."""
    await scene.must_power().freeze(host.name)


async def thaw(scene: Scene, host: Host) -> None:
    """Let it go on; if it was switched off meanwhile, there is nothing to thaw."""
    power = scene.must_power()
    if await power.dead(host.name):
        await power.start(host.name)
    else:
        await power.thaw(host.name)


async def silent(scene: Scene, host: Host) -> bool:
    """Whether it does not answer."""
    try:
        async with asyncio.timeout(2):
            await scene.run(host, "true", limit=2)
    except Exception:
        return True
    return False


def _everyone(deed: Deed) -> Deed:
    async def all_of_them(scene: Scene, _host: Host) -> None:
        await asyncio.gather(*(deed(scene, host) for host in scene.goal.cluster.hosts))

    return all_of_them


def _both_storage(deed: Deed) -> Deed:
    async def both(scene: Scene, _host: Host) -> None:
        await asyncio.gather(*(deed(scene, server) for server in scene.storage))

    return both


def _witness_and(deed: Deed, role: Role) -> Deed:
    async def both(scene: Scene, host: Host) -> None:
        other = scene.cast(role) if role is not Role.OPEN else host
        await asyncio.gather(deed(scene, scene.cast(Role.WITNESS)), deed(scene, other))

    return both


def _frozen(role: Role, name: str, seconds: float, prediction: str, **more: bool) -> Fault:
    storage = role in {Role.OPEN, Role.STANDBY}
    return Fault(
        name=f"{name}-frozen-{seconds:.0f}", role=role, hold_s=seconds, needs_power=True,
        explains=f"the {role} server stops for {seconds:.0f} s and then goes on as if nothing "
        "had been" + ("; what it still holds must not be written late" if storage else ""),
        inject=freeze, heal=thaw, took=silent, prediction=prediction,
        fences=frozenset({Role.OPEN, Role.STANDBY}) if storage else frozenset(),
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
        name="witness-killed", role=Role.WITNESS, hold_s=20, needs_power=True,
        explains="the witness loses its power; nothing else fails, nothing may happen",
        inject=kill, heal=start, took=dead, prediction="witness-dead",
    ),
    Fault(
        name="witness-and-standby-killed", role=Role.STANDBY, hold_s=25, needs_power=True,
        explains="the witness and the standby server die together: the open side has no majority, "
        "freezes, and goes on when one of them is back",
        inject=_witness_and(kill, Role.STANDBY), heal=_witness_and(start, Role.STANDBY),
        took=dead, prediction="", fences=frozenset({Role.STANDBY}), plain=False,
    ),
    Fault(
        name="witness-and-open-killed", role=Role.OPEN, hold_s=25, needs_power=True,
        explains="the witness and the open server die together: the other side has no majority "
        "and must not open until one of them is back",
        inject=_witness_and(kill, Role.OPEN), heal=_witness_and(start, Role.OPEN),
        took=dead, prediction="", fences=frozenset({Role.OPEN}), plain=False,
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
        inject=_both_storage(kill), heal=_both_storage(start), took=dead, prediction="",
        fences=frozenset({Role.OPEN, Role.STANDBY}), at_most=2, plain=False,
    ),
    Fault(
        name="blackout", role=Role.ALL, hold_s=5, needs_power=True,
        explains="every server loses its power at the same moment, and gets it back",
        inject=_everyone(kill), heal=_everyone(start), took=dead, prediction="",
        fences=frozenset({Role.OPEN, Role.STANDBY}), at_most=2, kills=True, plain=False,
    ),
)  # fmt: skip
