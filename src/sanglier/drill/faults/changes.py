"""What administrators do on purpose, under load: it must be as harmless as it says."""

from __future__ import annotations

from sanglier.drill.faults.base import Fault
from sanglier.drill.scene import Role, Scene
from sanglier.layers.target.desired import state_file
from sanglier.run.change import Changer
from sanglier.spec.cluster import Host, StorageServer

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


async def _changed(scene: Scene, host: Host) -> bool:
    """Whether the other side is open now, and that of ``host`` is not."""
    path = state_file(scene.volume)
    await scene.run(_other(scene, host), OPEN, path)
    await scene.run(host, SHUT, path)
    return True


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
)  # fmt: skip
