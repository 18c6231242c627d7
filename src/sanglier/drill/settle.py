"""Wait until the cluster is whole again by itself, and judge whether it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sanglier.core.errors import SanglierError
from sanglier.core.events import unheard
from sanglier.drill.checkers.guard import told
from sanglier.drill.result import Check, Verdict
from sanglier.drill.scene import Scene
from sanglier.layers.base import StackLayer
from sanglier.layers.cluster import cib
from sanglier.layers.read_back import ReadBack, read_back
from sanglier.run.codes import Code
from sanglier.run.gather import gather
from sanglier.run.planning import plan_for
from sanglier.spec.cluster import Host, Volume

PATIENCE_S = 300.0
PERIOD_S = 2.0
ANSWER_S = 15
GRACE_S = 5
"""Until the host itself has ended a command that hangs: that it does is an answer."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """What keeps a cluster from being whole; false when nothing does."""

    words: str = ""
    unheard: str = ""
    """Why it is not known whether that is so; empty when the host itself said no, or is off."""

    def __bool__(self) -> bool:
        """Whether something is lacking, or not known."""
        return bool(self.words)

    def __str__(self) -> str:
        """Tell it in a line."""
        return f"{self.words} (not known: {self.unheard})" if self.unheard else self.words


WHOLE = Lacking()


async def whole(scene: Scene) -> Lacking:
    """Give what is not right yet, or not known; false when the cluster is whole.

    All hosts are asked at the same time.
    """
    answers = await asyncio.gather(*(_lacking(scene, one) for one in _conditions(scene)))
    found = sorted((one for one in answers if one), key=lambda one: bool(one.unheard))
    return next(iter(found), WHOLE)


async def _lacking(scene: Scene, asked: _Condition) -> Lacking:
    """Ask one host; that it gives no answer is no answer."""
    try:
        async with asyncio.timeout(ANSWER_S + GRACE_S):
            answer = await scene.ask(asked.host, asked.text, *asked.args, limit=ANSWER_S)
    except Exception as error:  # whose it is, is not known
        known = _hung_there(error) or await _is_off(scene, asked.host)
        return Lacking(words=asked.words, unheard="" if known else told(error))
    return Lacking(words=asked.words) if answer.status else WHOLE


def _hung_there(error: Exception) -> bool:
    """Whether the host itself ended the command, because it hung."""
    return isinstance(error, SanglierError) and error.code == Code.TIME_LIMIT


async def _is_off(scene: Scene, host: Host) -> bool:
    """Whether it is known to be off."""
    if scene.power is None:
        return False
    with suppress(Exception):
        async with asyncio.timeout(ANSWER_S):
            return await scene.power.dead(host.name)
    return False


async def _answers(scene: Scene, host: Host) -> bool:
    """Whether it answers anything within 15 s."""
    with suppress(Exception):
        async with asyncio.timeout(ANSWER_S):
            await scene.ask(host, "true", limit=ANSWER_S)
            return True
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """A script that ends well on a host when something is right there."""

    host: Host
    text: str
    args: tuple[str, ...]
    words: str


def _conditions(scene: Scene) -> Iterator[_Condition]:
    for volume in scene.volumes:
        of = f" of {volume.name}" if scene.more else ""
        yield from _conditions_of(scene, volume, of)


def _conditions_of(scene: Scene, volume: Volume, of: str) -> Iterator[_Condition]:
    cluster = scene.goal.cluster
    for server in scene.storage:
        words = f"the mirror{of} on {server.name}"
        yield _Condition(host=server, text=MIRROR, args=(str(volume.minor),), words=words)
    if cluster.guarded:
        devices = " ".join(cib.device_id(s, d) for s in cluster.storage for d in s.fence)
        yield _Condition(
            host=scene.storage[0], text=DECIDED, args=(cib.side(volume), devices),
            words=f"the open side{of}, or a fence device",
        )  # fmt: skip
    for app in scene.applications:
        paths = sum(len(s.san) for s in cluster.target_servers(app))
        args = (volume.mount, volume.wwid, str(paths))
        words = f"the mount or the paths{of} on {app.name}"
        yield _Condition(host=app, text=MOUNTED, args=args, words=words)


async def settle(scene: Scene, patience_s: float = PATIENCE_S) -> Lacking:
    """Wait until the cluster is whole; gives what is still not right at the end."""
    deadline = time.monotonic() + patience_s
    while lacking := await whole(scene):
        if time.monotonic() > deadline:
            return lacking
        await asyncio.sleep(PERIOD_S)
    return WHOLE


async def bring_back(scene: Scene) -> tuple[str, ...]:
    """Switch every host off and on that answers nothing; gives their names.

    A kernel that hangs does not come back by itself: without this one of them ends a campaign.
    """
    power = scene.must_power()
    hosts = scene.goal.cluster.hosts
    answers = await asyncio.gather(*(_answers(scene, host) for host in hosts))
    silent = [host for host, answer in zip(hosts, answers, strict=True) if not answer]
    for host in silent:
        await power.kill(host.name)
        await power.start(host.name)
    return tuple(host.name for host in silent)


async def check_healed(scene: Scene, layers: Sequence[StackLayer], lacking: Lacking) -> Check:
    """Judge by what `status` and `apply` would say, and by the values in force."""
    if lacking.unheard:
        return _healed(Verdict.UNKNOWN, f"not known whether it is whole again: {lacking}", ())
    if lacking:
        return _healed(Verdict.INVALID, f"it did not become whole again: {lacking}", ())
    facts = await gather(scene.goal, layers, scene.transport, sink=unheard)
    if facts.unreachable:
        unread = ", ".join(facts.unreachable)
        return _healed(Verdict.UNKNOWN, f"could not be read: {unread}", ())
    plan = plan_for(layers, scene.goal, facts)
    sick = [
        f"{line.host} {line.layer} {line.subject}: {line.text}"
        for layer in layers
        for line in layer.status(scene.goal, facts)
        if not line.healthy
    ]
    left = [f"apply would {step.summary} on {step.address}" for step in plan.steps]
    amiss = (*sick, *left, *_not_in_force(read_back(scene.goal, facts)))
    if amiss:
        return _healed(Verdict.INVALID, f"{len(amiss)} things are not as before: {amiss[0]}", amiss)
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
