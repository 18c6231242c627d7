"""Wait until the cluster is whole again by itself, and judge whether it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sanglier.core.errors import SanglierError
from sanglier.core.events import unheard
from sanglier.drill.result import Check, Verdict
from sanglier.drill.scene import Scene
from sanglier.layers.base import StackLayer
from sanglier.layers.cluster import cib
from sanglier.layers.read_back import ReadBack, read_back
from sanglier.run.gather import gather
from sanglier.run.planning import plan_for
from sanglier.spec.cluster import Host

PATIENCE_S = 300.0
PERIOD_S = 2.0
ANSWER_S = 15
# $1 minor.  Both sides Primary and up to date, I/O not frozen.
MIRROR = 'grep -q "^ *$1: cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate C r" /proc/drbd'
# $1 the open side's resource: one server, and every fence device started; and nothing is left to
# do, such as a kill of a server that was lost and has just come back, crm_resource(8) --wait.
DECIDED = """
timeout 10 crm_resource --wait --timeout=3s >/dev/null 2>&1 || return 1
runs() { timeout 10 crm_resource --resource "$1" --locate 2>/dev/null | grep -c 'is running on'; }
[ "$(runs "$1")" = 1 ] || return 1
for device in $2; do [ "$(runs "$device")" = 1 ] || return 1; done
"""
# $1 mount point, $2 map, $3 number of its paths.
MOUNTED = """
grep -q " $1 ocfs2 rw" /proc/mounts || return 1
good=$(multipathd show paths raw format '%w %T' 2>/dev/null | grep -cE "^$2 (ready|ghost)")
[ "$good" -ge "$3" ]
"""


async def _holds(scene: Scene, host: Host, text: str, *args: str) -> bool:
    try:
        async with asyncio.timeout(ANSWER_S):
            await scene.run(host, text, *args, limit=ANSWER_S)
    except (SanglierError, TimeoutError, OSError):
        return False
    return True


async def whole(scene: Scene) -> str:
    """Give what is not right yet in a few words; empty when the cluster is whole.

    All hosts are asked at the same time.
    """
    asked = tuple(_conditions(scene))
    answers = await asyncio.gather(*(_holds(scene, c.host, c.text, *c.args) for c in asked))
    lacking = (c.words for c, holds in zip(asked, answers, strict=True) if not holds)
    return next(lacking, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """A script that ends well on a host when something is right there."""

    host: Host
    text: str
    args: tuple[str, ...]
    words: str


def _conditions(scene: Scene) -> Iterator[_Condition]:
    volume, cluster = scene.volume, scene.goal.cluster
    for server in scene.storage:
        words = f"the mirror on {server.name}"
        yield _Condition(host=server, text=MIRROR, args=(str(volume.minor),), words=words)
    if cluster.guarded:
        devices = " ".join(cib.device_id(s, d) for s in cluster.storage for d in s.fence)
        yield _Condition(
            host=scene.storage[0], text=DECIDED, args=(cib.side(volume), devices),
            words="the open side, or a fence device",
        )  # fmt: skip
    for app in scene.applications:
        paths = sum(len(s.san) for s in cluster.target_servers(app))
        args = (volume.mount, volume.wwid, str(paths))
        words = f"the mount or the paths on {app.name}"
        yield _Condition(host=app, text=MOUNTED, args=args, words=words)


async def settle(scene: Scene, patience_s: float = PATIENCE_S) -> str:
    """Wait until the cluster is whole; gives what is still not right at the end, or nothing."""
    deadline = time.monotonic() + patience_s
    while lacking := await whole(scene):
        if time.monotonic() > deadline:
            return lacking
        await asyncio.sleep(PERIOD_S)
    return ""


async def bring_back(scene: Scene) -> tuple[str, ...]:
    """Switch every host off and on that answers nothing; gives their names.

    A kernel that hangs does not come back by itself: without this one of them ends a campaign.
    """
    power = scene.must_power()
    hosts = scene.goal.cluster.hosts
    answers = await asyncio.gather(*(_holds(scene, host, "true") for host in hosts))
    silent = [host for host, answer in zip(hosts, answers, strict=True) if not answer]
    for host in silent:
        await power.kill(host.name)
        await power.start(host.name)
    return tuple(host.name for host in silent)


async def check_healed(scene: Scene, layers: Sequence[StackLayer], lacking: str) -> Check:
    """Judge by what `status` and `apply` would say, and by the values in force."""
    if lacking:
        return _healed(Verdict.INVALID, f"it did not become whole again: {lacking}", ())
    facts = await gather(scene.goal, layers, scene.transport, sink=unheard)
    plan = plan_for(layers, scene.goal, facts)
    sick = [
        f"{line.host} {line.layer} {line.subject}: {line.text}"
        for layer in layers
        for line in layer.status(scene.goal, facts)
        if not line.healthy
    ]
    left = [f"apply would {step.summary} on {step.address}" for step in plan.steps]
    told = (*facts.unreachable, *sick, *left, *_not_in_force(read_back(scene.goal, facts)))
    if told:
        return _healed(Verdict.INVALID, f"{len(told)} things are not as before: {told[0]}", told)
    return _healed(Verdict.VALID, "every layer is as declared, and so are the values in force", ())


def _not_in_force(found: ReadBack) -> Iterator[str]:
    for value in (*found.differing, *found.absent):
        yield f"{value.host} {value.layer} {value.name} is {value.actual}, not {value.wanted}"
    for inequality in found.broken:
        yield f"{inequality.code} fails with the values in force: {inequality.text}"
    yield from (f"{problem.address}: {problem.what}" for problem in found.opened)


def _healed(verdict: Verdict, summary: str, details: tuple[str, ...]) -> Check:
    return Check(
        name="healed", subject="cluster", verdict=verdict, summary=summary, details=details[:30]
    )
