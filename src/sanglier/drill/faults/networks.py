"""Networks that are cut, flap, work in one direction, are slow or lose packets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sanglier.drill.faults.base import (
    Deed,
    Evidence,
    Fault,
    Took,
    every,
    of_status,
    shown,
    some,
)
from sanglier.drill.scene import Role, Scene
from sanglier.spec.cluster import Host

GUARD_S = 90
"""A disturbed interface mends itself after this many seconds, should nobody be left to do it."""
FLAPS = 8
PING_S = 10

# $1 address, $2 seconds, then netem's words: tc-netem(8) shapes what leaves the interface.
SHAPE = """
address=$1 seconds=$2; shift 2
dev=$(ip -o addr show to "$address" | cut -d' ' -f2)
[ -n "$dev" ] || { echo "no interface has $address"; return 1; }
modprobe sch_netem
tc qdisc replace dev "$dev" root netem "$@"
(sleep "$seconds"; tc qdisc del dev "$dev" root) </dev/null >/dev/null 2>&1 &
"""
RESTORE = """
dev=$(ip -o addr show to "$1" | cut -d' ' -f2)
tc qdisc del dev "$dev" root 2>/dev/null || :
"""
SHAPED = """tc qdisc show dev "$(ip -o addr show to "$1" | cut -d' ' -f2)" | grep -q netem"""
# $1 address, $2 address of the other end.  ping(8): 0 when one of three comes back, 1 when none
# does, 2 for any other error.
REACHES = 'ping -n -q -c 3 -i 0.3 -W 1 -I "$1" "$2" >/dev/null'
# $1 address, $2 address of the other end, $3 seconds at most.  SIGALRM is what ping's own limit
# sends it: it then says what it counted (a shell ignores SIGINT for what it starts beside itself).
COUNT = """
ping -n -q -i 0.2 -w "$3" -I "$1" "$2" </dev/null >/run/sanglier-drill-pings 2>&1 &
echo $! > /run/sanglier-drill-pinging
"""
COUNTED = """
read -r pid < /run/sanglier-drill-pinging || return 2
kill -ALRM "$pid" 2>/dev/null || :
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -d "/proc/$pid" ] || break; sleep 0.2; done
cat /run/sanglier-drill-pings
rm -f /run/sanglier-drill-pings /run/sanglier-drill-pinging
"""
_COUNTS = re.compile(r"(?P<sent>[0-9]+) packets transmitted, (?P<back>[0-9]+) (packets )?received")


def cut(*networks: str) -> Deed:
    """Unplug the host from networks."""

    async def deed(scene: Scene, host: Host) -> None:
        for network in networks:
            await scene.must_power().cut(host.name, network)

    return deed


def heal(*networks: str) -> Deed:
    """Plug it in again."""

    async def deed(scene: Scene, host: Host) -> None:
        for network in networks:
            await scene.must_power().heal(host.name, network)

    return deed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two ends of a network, one of which can tell whether it reaches the other."""

    host: Host
    mine: str
    other: Host
    theirs: str


def _peers(scene: Scene, network: str) -> Iterator[_Pair]:
    """Give the pairs that can tell whether a network works."""
    first, second = scene.storage
    if network in {"replication", "management"}:
        for one, other in ((first, second), (second, first)):
            if (mine := getattr(one, network)) and (theirs := getattr(other, network)):
                yield _Pair(host=one, mine=mine, other=other, theirs=theirs)
    else:
        index = 0 if network == "san-a" else 1
        for app in scene.applications:
            for server in scene.storage:
                mine, theirs = app.san[index], server.san[index]
                yield _Pair(host=app, mine=mine, other=server, theirs=theirs)


def _gone(*networks: str) -> Evidence:
    """Whether the host is off each of these networks, and nobody reaches it there."""

    async def gone(scene: Scene, host: Host) -> Took:
        return every(await asyncio.gather(*(_off(scene, (host,), one) for one in networks)))

    return gone


async def _all_gone(scene: Scene, _host: Host) -> Took:
    """Whether everybody is off the first storage network, and nobody reaches anybody there."""
    return await _off(scene, (*scene.storage, *scene.applications), "san-a")


async def _off(scene: Scene, hosts: Sequence[Host], network: str) -> Took:
    """Ask the switch which hosts are plugged in, and whoever lives at both ends of it."""
    power, names = scene.must_power(), {host.name for host in hosts}
    plugs = await asyncio.gather(*(power.unplugged(name) for name in names))
    if not all(network in out for out in plugs):
        return Took.NO
    pairs = [p for p in _peers(scene, network) if names & {p.host.name, p.other.name}]
    off = {h.name for p in pairs for h in (p.host, p.other) if await power.dead(h.name)}
    alive = [p for p in pairs if not off & {p.host.name, p.other.name}]
    answers = await asyncio.gather(*(_parted(scene, pair) for pair in alive))
    if Took.NO in answers:
        return Took.NO
    return some(answers) if answers else Took.YES


cut_mirror, heal_mirror = cut("replication"), heal("replication")
replication_gone = _gone("replication")
"""Whether the storage servers cannot reach each other over the mirror's link."""


async def _parted(scene: Scene, pair: _Pair) -> Took:
    """Whether one end does not reach the other."""
    try:
        async with asyncio.timeout(PING_S):
            answer = await scene.ask(pair.host, REACHES, pair.mine, pair.theirs, limit=PING_S)
    except Exception:  # ours, or of the way to the host: no network of the cluster is known by it
        return Took.UNKNOWN
    return of_status(answer.status, yes=1, no=0)


async def _everyone_cut(scene: Scene, _host: Host) -> None:
    hosts = (*scene.storage, *scene.applications)
    await asyncio.gather(*(cut("san-a")(scene, host) for host in hosts))


async def _everyone_healed(scene: Scene, _host: Host) -> None:
    hosts = (*scene.storage, *scene.applications)
    await asyncio.gather(*(heal("san-a")(scene, host) for host in hosts))


async def _flap(scene: Scene, host: Host) -> None:
    """Cut for a second and heal for a second, again and again, at the speed of a bad cable."""
    power = scene.must_power()
    other = next(s for s in scene.storage if s.name != host.name)
    await scene.run(host, COUNT, _address(scene, host), other.replication, str(GUARD_S))
    for _ in range(FLAPS):
        await power.cut(host.name, "replication")
        await asyncio.sleep(1)
        await power.heal(host.name, "replication")
        await asyncio.sleep(1)


async def _flapped(scene: Scene, host: Host) -> Took:
    """Whether some of five pings a second were lost in each cut, and some came back between."""
    counts = _COUNTS.search(await scene.run(host, COUNTED))
    if counts is None:
        return Took.UNKNOWN
    back = int(counts["back"])
    lost = int(counts["sent"]) - back
    return Took.YES if min(lost, back) >= FLAPS else Took.NO


def _address(scene: Scene, host: Host) -> str:
    return scene.server(host).replication


def _shape(*words: str) -> Deed:
    async def shape(scene: Scene, host: Host) -> None:
        await scene.run(host, SHAPE, _address(scene, host), str(GUARD_S), *words)

    return shape


async def _restore(scene: Scene, host: Host) -> None:
    await scene.run(host, RESTORE, _address(scene, host))


async def _shaped(scene: Scene, host: Host) -> Took:
    return await shown(scene, host, SHAPED, _address(scene, host))


async def _interconnect_back(scene: Scene, host: Host) -> None:
    """Plug in again; the server that o2cb reset may need its power back."""
    await heal("san-a")(scene, host)
    power = scene.must_power()
    for app in scene.applications:
        if await power.dead(app.name):
            await power.start(app.name)


CLUSTER_NETWORKS = ("replication", "management")
STORAGE_NETWORKS = (*CLUSTER_NETWORKS, "san-a", "san-b")
BOTH_SIDES = frozenset({Role.OPEN, Role.STANDBY})

FAULTS = (
    Fault(
        name="replication-cut", role=Role.OPEN, hold_s=25, needs_power=True,
        explains="the replication link is cut while both servers live: the case that corrupts "
        "the article's cluster",
        inject=cut_mirror, heal=heal_mirror, took=replication_gone,
        prediction="replication-cut", fences=frozenset({Role.STANDBY}),
    ),
    Fault(
        name="replication-flapping", role=Role.OPEN, hold_s=2, needs_power=True,
        explains=f"the replication link goes and comes {FLAPS} times, each second",
        inject=_flap, took=_flapped, prediction="replication-cut",
        fences=frozenset({Role.STANDBY}), alone=True,
    ),
    Fault(
        name="replication-one-way", role=Role.OPEN, hold_s=25,
        explains="what the open server sends over the replication link is lost; what it hears "
        "arrives",
        inject=_shape("loss", "100%"), heal=_restore, took=_shaped,
        prediction="replication-cut", fences=frozenset({Role.STANDBY}),
    ),
    Fault(
        name="replication-slow", role=Role.OPEN, hold_s=15,
        explains="every packet of the replication link takes 200 ms longer",
        inject=_shape("delay", "200ms"), heal=_restore, took=_shaped,
        prediction="replication-cut", fences=frozenset({Role.STANDBY}),
    ),
    Fault(
        name="replication-lossy", role=Role.OPEN, hold_s=15,
        explains="one packet in five of the replication link is lost",
        inject=_shape("loss", "20%"), heal=_restore, took=_shaped,
        prediction="replication-cut", fences=frozenset({Role.STANDBY}),
    ),
    Fault(
        name="san-cut-one", role=Role.APPLICATION, hold_s=15, needs_power=True,
        explains="one application server loses one of its two storage networks",
        inject=cut("san-b"), heal=heal("san-b"), took=_gone("san-b"), prediction="one-san-cut",
    ),
    Fault(
        name="san-cut-all", role=Role.ALL, hold_s=15, needs_power=True,
        explains="the switch of one storage network fails: everybody loses it, and o2cb its "
        "interconnect",
        inject=_everyone_cut, heal=_everyone_healed, took=_all_gone,
        prediction="interconnect-cut",
    ),
    Fault(
        name="sans-cut-both", role=Role.APPLICATION, hold_s=15, needs_power=True,
        explains="one application server loses both storage networks and must wait",
        inject=cut("san-a", "san-b"), heal=heal("san-a", "san-b"),
        took=_gone("san-a", "san-b"),
        prediction="",
    ),
    Fault(
        name="application-cut", role=Role.APPLICATION, hold_s=230, needs_power=True,
        explains="one application server loses its fellows, but not the disk: o2cb must make one "
        "of them reset itself, and the other goes on",
        inject=cut("san-a"), heal=_interconnect_back, took=_gone("san-a"),
        prediction="application-cut", fences=frozenset({Role.APPLICATION}),
        plain=False,
    ),
    Fault(
        name="management-cut", role=Role.OPEN, hold_s=15, needs_power=True,
        explains="the open server loses the management network: witness and power switches are "
        "out of its reach, nothing else",
        inject=cut("management"), heal=heal("management"), took=_gone("management"),
        prediction="management-cut",
    ),
    Fault(
        name="open-isolated", role=Role.OPEN, hold_s=30, needs_power=True,
        explains="the open server loses all its networks at once, and lives",
        inject=cut(*STORAGE_NETWORKS), heal=heal(*STORAGE_NETWORKS),
        took=_gone(*STORAGE_NETWORKS),
        prediction="open-server-dead", fences=frozenset({Role.OPEN}),
    ),
    Fault(
        name="open-cut-off", role=Role.OPEN, hold_s=30, needs_power=True,
        explains="the open server loses replication and management, but not the storage networks: "
        "applications still reach a side that must not answer any more",
        inject=cut(*CLUSTER_NETWORKS), heal=heal(*CLUSTER_NETWORKS),
        took=_gone(*CLUSTER_NETWORKS),
        prediction="open-server-dead", fences=frozenset({Role.OPEN}),
    ),
)  # fmt: skip
