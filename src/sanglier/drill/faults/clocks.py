"""Clocks that are wrong, and set right: what was killed when must not be told by them."""

from __future__ import annotations

import asyncio

from sanglier.core.errors import SanglierError
from sanglier.drill.faults.base import Fault, Took, done, in_turn, runs
from sanglier.drill.faults.networks import cut_mirror, heal_mirror, replication_gone
from sanglier.drill.scene import Role, Scene
from sanglier.drill.settle import settle
from sanglier.spec.cluster import Host

AHEAD = "+1 hour"
CUT_S = 45
"""Longer than the standby side notices and holds its fire: if the open side thawed without a kill,
that one would kill and open."""
PATIENCE_S = 180
# $1 by how much, date(1).  What the clock was, and the time since boot, are kept.
STEP = """
read -r up _ < /proc/uptime
echo "$(date +%s%N) ${up%.*}${up#*.}" > /run/sanglier-drill-clock
date -s "$1" >/dev/null
"""
# The clock as it would be now.  A server that was switched off meanwhile took it from its hardware.
BACK = """
read -r then up < /run/sanglier-drill-clock 2>/dev/null || return 0
read -r now _ < /proc/uptime
now=$((then / 1000 + (${now%.*}${now#*.} - up) * 10000))
date -s "@$((now / 1000000)).$(printf %06d "$((now % 1000000))")" >/dev/null
rm -f /run/sanglier-drill-clock
"""
# $1… seconds by which the clock is stepped, one after the other; each is seen to be.
JUMPS = """
read -r up _ < /proc/uptime
keep=/run/sanglier-drill-clock
[ -e "$keep" ] || echo "$(date +%s%N) ${up%.*}${up#*.}" > "$keep"
for step; do
    before=$(date +%s)
    date -s "@$((before + step))" >/dev/null || return 1
    off=$(($(date +%s) - before - step))
    if [ "$off" -lt -2 ] || [ "$off" -gt 2 ]; then
        echo "the clock was not stepped by $step s"
        return 1
    fi
    sleep 1
done
"""
STEPS = (5, -10, 5, 3600, -7200, 3600, 86400, -172800, 86400)
"""Seconds: by seconds, an hour and a day, each ahead, back beyond the right time, and right."""
KILL = 'stonith_admin --reboot "$1"'


async def _killed_in_the_future(scene: Scene, host: Host) -> None:
    """Have the other server rebooted an hour ahead, wait until all is whole, cut the mirror."""
    other = next(s for s in scene.storage if s.name != host.name)
    await scene.run(host, STEP, AHEAD)
    try:
        await scene.run(host, KILL, other.hostname, limit=90)
    finally:
        await scene.run(host, BACK)
    await asyncio.sleep(1)
    if lacking := await settle(scene, PATIENCE_S):
        raise SanglierError(
            code="SG-DRILL-013",
            subject=host.name,
            what=f"not whole {PATIENCE_S} s after the reboot of {other.name}: {lacking}",
            fix="look at the hosts as they are now; `sanglier status`",
        )
    await cut_mirror(scene, host)
    if (cut := await replication_gone(scene, host)) is not Took.YES:
        raise RuntimeError(f"the replication link is cut: {cut}")
    await asyncio.sleep(CUT_S)


def _jumps(name: str, role: Role, whose: str) -> Fault:
    return Fault(
        name=name, role=role, hold_s=15,
        explains=f"the clock of {whose} steps back and forth by seconds, an hour and a day",
        inject=runs(JUMPS, *map(str, STEPS), limit=120), heal=runs(BACK), took=done,
        prediction="clock-stepped",
    )  # fmt: skip


FAULTS = (
    _jumps("open-clock-jumps", Role.OPEN, "the open server"),
    _jumps("standby-clock-jumps", Role.STANDBY, "the standby server"),
    _jumps("application-clock-jumps", Role.APPLICATION, "an application server"),
    Fault(
        name="clock-stepped", role=Role.OPEN, hold_s=30, needs_power=True,
        explains="the open server's clock is an hour ahead while it has the other one rebooted, "
        "and is set right; then the replication link is cut: that kill is not one of now",
        inject=_killed_in_the_future, heal=in_turn(heal_mirror, runs(BACK)), took=done,
        prediction="replication-cut", fences=frozenset({Role.STANDBY}), alone=True,
    ),
)  # fmt: skip
