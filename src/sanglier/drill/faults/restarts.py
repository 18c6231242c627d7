"""What an upgrade at night does: daemons are restarted, at the same time everywhere, under load."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sanglier.drill.faults.base import Fault, Took, every, shown
from sanglier.drill.scene import Role, Scene
from sanglier.layers.target.desired import RESTORE_UNIT
from sanglier.spec.cluster import Host

RESTART_S = 240
# $1… units.  systemd gives each start an identity of its own, systemctl(1) show.
RESTART = """
for unit; do
    echo "$unit $(systemctl show -p InvocationID --value "$unit")"
done > /run/sanglier-drill-units
systemctl restart "$@" || echo "not all of them came up"
:
"""
ANEW = """
[ -s /run/sanglier-drill-units ] || return 2
while read -r unit old; do
    [ "$(systemctl show -p InvocationID --value "$unit")" != "$old" ] || {
        echo "$unit was not restarted"
        return 1
    }
done < /run/sanglier-drill-units
rm -f /run/sanglier-drill-units
"""
# $1… units that must run afterwards.
RUN = 'for unit; do systemctl is-active -q "$unit" || systemctl start "$unit"; done'
INITIATOR = ("open-iscsi.service", "iscsid.service", "multipathd.service")
CLUSTER = ("corosync.service", "pacemaker.service")


def _restarted(
    name: str, role: Role, units: Sequence[str], explains: str, *, heals: bool = True
) -> Fault:
    """Restart units on one server; with the role of all, on both storage servers at once."""

    def hosts(scene: Scene, host: Host) -> Sequence[Host]:
        return scene.storage if role is Role.ALL else (host,)

    async def to_all(scene: Scene, host: Host, text: str) -> None:
        await asyncio.gather(
            *(scene.run(one, text, *units, limit=RESTART_S) for one in hosts(scene, host))
        )

    async def restart(scene: Scene, host: Host) -> None:
        await to_all(scene, host, RESTART)

    async def anew(scene: Scene, host: Host) -> Took:
        return every(await asyncio.gather(*(shown(scene, one, ANEW) for one in hosts(scene, host))))

    async def run(scene: Scene, host: Host) -> None:
        if heals:
            await to_all(scene, host, RUN)

    return Fault(
        name=name, role=role, hold_s=10, explains=explains, inject=restart, took=anew, heal=run,
        prediction="", alone=True,
    )  # fmt: skip


FAULTS = (
    _restarted(
        "cluster-restarted", Role.ALL, CLUSTER,
        "Corosync and Pacemaker are restarted on both storage servers at the same moment, as an "
        "upgrade at night does; nobody may be fenced",
    ),
    _restarted(
        "initiator-restarted", Role.APPLICATION, INITIATOR,
        "open-iscsi, iscsid and multipathd of an application server are restarted under load",
    ),
    _restarted(
        "target-restored", Role.OPEN, (RESTORE_UNIT,),
        "rtslib's own unit is restarted on the open server: it must not touch our target",
        heals=False,
    ),
)  # fmt: skip
