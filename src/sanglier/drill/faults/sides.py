"""What root does to a target behind the cluster's back: a side opened, a port group removed."""

from __future__ import annotations

from sanglier.drill.faults.base import Deed, Fault, done
from sanglier.drill.scene import Role, Scene
from sanglier.layers.target.desired import state_file
from sanglier.spec.cluster import Host

SHUT_WITHIN_S = 10.0
"""Promised in docs/explanation/safety.md."""

# $1 ALUA state file.  It was seen to be open: by the next line it may be shut again.
OPEN = """
printf 0 > "$1"
read -r state < "$1" && [ "$state" = 0 ]
"""
# $1 ALUA state file.  targetctl(8): "clear" removes all of LIO's configuration, by whomever.
CLEAR = """
targetctl clear
[ ! -d "${1%/alua/*}" ] || { echo "the target is still there"; return 1; }
"""
# $1 ALUA state file.  configfs lets a port group go that has a LUN: it falls into LIO's own.
REMOVE = 'rmdir "${1%/*}"'


def _on_target(text: str) -> Deed:
    async def deed(scene: Scene, host: Host) -> None:
        await scene.run(host, text, state_file(scene.volume))

    return deed


FAULTS = (
    Fault(
        name="side-opened-by-hand", role=Role.STANDBY, hold_s=15,
        explains="somebody opens the side in standby by hand, so that both take I/O: it must be "
        f"shut within {SHUT_WITHIN_S:.0f} s",
        inject=_on_target(OPEN), took=done, prediction="", alone=True,
        opens_s=SHUT_WITHIN_S,
    ),
    Fault(
        name="group-removed", role=Role.STANDBY, hold_s=15,
        explains="somebody removes the port group of the side in standby: its LUN must not fall "
        "open",
        inject=_on_target(REMOVE), took=done, prediction="", alone=True,
    ),
    Fault(
        name="open-group-removed", role=Role.OPEN, hold_s=15,
        explains="somebody removes the port group of the open side: it falls shut, and one side "
        "opens again",
        inject=_on_target(REMOVE), took=done, prediction="", alone=True,
    ),
    Fault(
        name="target-cleared", role=Role.OPEN, hold_s=15,
        explains="somebody runs `targetctl clear` on the open server: all that LIO has is gone, "
        "and one side opens again",
        inject=_on_target(CLEAR), took=done, prediction="", alone=True,
    ),
    Fault(
        name="standby-target-cleared", role=Role.STANDBY, hold_s=15,
        explains="somebody runs `targetctl clear` on the standby server: the target is made again, "
        "shut",
        inject=_on_target(CLEAR), took=done, prediction="one-san-cut", alone=True,
    ),
)  # fmt: skip
