"""What administrators do on purpose, under load: it must be as harmless as it says."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sanglier.core.events import unheard
from sanglier.drill.faults.base import Fault, Took, every, shown
from sanglier.drill.faults.hosts import alive, cycle, quiet, start
from sanglier.drill.result import MomentKind
from sanglier.drill.scene import Role, Scene
from sanglier.layers.stack import LAYERS
from sanglier.layers.target.desired import state_file
from sanglier.run.apply import Direction, apply
from sanglier.run.change import Changer
from sanglier.run.kept import gather_kept
from sanglier.run.planning import plan_for
from sanglier.run.stop import StopFlag
from sanglier.spec import defaults
from sanglier.spec.cluster import Cluster, Host, StorageServer

# $1 ALUA state file.  0 is active/optimized.
OPEN = 'read -r now < "$1" && [ "$now" = 0 ]'
SHUT = '! { read -r now < "$1" && [ "$now" = 0 ]; } 2>/dev/null'


def _changer(scene: Scene) -> Changer:
    return Changer(goal=scene.goal, transport=scene.transport)


def _other(scene: Scene, host: Host) -> StorageServer:
    return next(s for s in scene.storage if s.name != host.name)


async def _move(scene: Scene, host: Host) -> None:
    changer = _changer(scene)
    await changer.move(await changer.read(), scene.volume, _other(scene, host))


async def _empty(scene: Scene, host: Host) -> None:
    changer = _changer(scene)
    await changer.empty(await changer.read(), scene.server(host))


async def _fill(scene: Scene, host: Host) -> None:
    await _changer(scene).fill(scene.server(host))


async def _changed(scene: Scene, host: Host) -> Took:
    """Whether the other side is open now, and that of ``host`` is not."""
    path = state_file(scene.volume)
    opened = await shown(scene, _other(scene, host), OPEN, path)
    return every((opened, await shown(scene, host, SHUT, path)))


SANS = ("san-a", "san-b")
GLITCH_S = 5
BOOT_S = 120
"""Most seconds until the rebooted server answers; the others miss their storage from then on."""


def swapped(cluster: Cluster) -> Cluster:
    """Give what the same file describes with every mapping in the opposite order."""
    servers, storage, volumes = cluster.applications, cluster.storage[::-1], cluster.volumes
    nodes = defaults.allot([server.written.get("node") for server in servers[::-1]])
    minors = defaults.allot([volume.written.get("minor") for volume in volumes[::-1]])
    ports = defaults.allot([v.written.get("port") for v in volumes[::-1]], defaults.FIRST_PORT)
    return replace(
        cluster,
        deciding="",
        storage=tuple(replace(server, index=index) for index, server in enumerate(storage)),
        applications=tuple(
            replace(server, node=node) for server, node in zip(servers[::-1], nodes, strict=True)
        ),
        volumes=tuple(
            replace(
                volume,
                minor=minor,
                port=port,
                prefer=volume.prefer if volume.prefer_written else storage[0].name,
            )
            for volume, minor, port in zip(volumes[::-1], minors, ports, strict=True)
        ),
    )


async def _apply_swapped(scene: Scene) -> None:
    """Do what `sanglier apply` does with a file in which the mappings were put in another order."""
    wish = replace(scene.goal, cluster=swapped(scene.goal.cluster))
    goal, facts = await gather_kept(wish, LAYERS, scene.transport, sink=unheard)
    plan = plan_for(LAYERS, goal, facts)
    told = "; ".join(str(step.address) for step in plan.steps) or "nothing to do"
    refused = facts.unreachable or plan.blockers or plan.missing_consents
    scene.note(MomentKind.NOTE, "", f"apply {'is refused' if refused else 'with'}: {told}"[:200])
    if not refused and plan.steps:
        await apply(
            goal, LAYERS, scene.transport, plan, Direction.APPLY,
            facts=facts, sink=unheard, stop=StopFlag(),
        )  # fmt: skip


async def _swap(scene: Scene, host: Host) -> None:
    """Apply the swapped file, reboot ``host``, and have the others miss their storage meanwhile."""
    await _apply_swapped(scene)
    await cycle(scene, host)
    for _ in range(BOOT_S):
        if await quiet(scene, host) is Took.NO:
            break
        await asyncio.sleep(1)
    await _others(scene, host, cut=True)
    await asyncio.sleep(GLITCH_S)
    await _others(scene, host, cut=False)


async def _others(scene: Scene, host: Host, *, cut: bool) -> None:
    power = scene.must_power()
    act = power.cut if cut else power.heal
    others = (app.name for app in scene.applications if app.name != host.name)
    await asyncio.gather(*(act(other, network) for other in others for network in SANS))


async def _unswap(scene: Scene, host: Host) -> None:
    """Plug in whatever is still cut; the order of a file leaves nothing to take back."""
    await _others(scene, host, cut=False)
    await start(scene, host)


FAULTS = (
    Fault(
        name="planned-move", role=Role.OPEN, hold_s=5,
        explains="no fault: the open side is moved to the other server by `sanglier move`",
        inject=_move, took=_changed, prediction="planned-move", alone=True,
    ),
    Fault(
        name="maintenance", role=Role.OPEN, hold_s=15,
        explains="no fault: `sanglier maintain` empties the open server and takes it back",
        inject=_empty, heal=_fill, took=_changed, prediction="planned-move", alone=True,
        plain=False,
    ),
    Fault(
        name="numbers-swapped", role=Role.APPLICATION, hold_s=GLITCH_S, needs_power=True,
        explains="no fault: the servers are put in another order in the file, and `sanglier apply` "
        "is run; then one application server reboots while the others miss their storage for 5 s",
        inject=_swap, heal=_unswap, took=alive, prediction="", kills=True, alone=True,
    ),
)  # fmt: skip
