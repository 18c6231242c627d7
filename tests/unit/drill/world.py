"""A cluster that only pretends: hosts, networks, power, a target and a writer, on a fake clock.

It does what the real one promises: a server that is lost is fenced and the other side opens, and
each test spoils something.  Scripts are known by their text; what nobody answers for ends well.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from layers.goal import GOAL, VOLUME

from sanglier.drill import inspect, settle, watch
from sanglier.drill.checkers.fences import PowerEvent
from sanglier.drill.engine import Engine
from sanglier.drill.faults import networks, planted
from sanglier.drill.plan import Plan
from sanglier.drill.power import Manner
from sanglier.drill.recorder import Load
from sanglier.drill.result import Check, DrillRun, Verdict
from sanglier.drill.scene import Scene
from sanglier.drill.schedule import Group
from sanglier.drill.workloads.base import Workload
from sanglier.layers.base import StackLayer
from sanglier.run.transport import OnLine, Result, Session
from sanglier.spec.cluster import Host, Volume

from .simulated import JumpingLoop
from .voices import Server, Toy, Voice, key, lost, parts, program_of

TAKEOVER_S, OPENING_S, REPAIR_S, BOOT_S = 6.0, 0.5, 4.0, 15.0
"""Until a lost server is fenced; until the other side is open; until all is whole after that; a
boot."""
ADDRESSES = {
    address: (server.name, network)
    for server in GOAL.cluster.storage
    for address, network in (
        (server.replication, "replication"), (server.management, "management"),
        (server.san[0], "san-a"), (server.san[1], "san-b"),
    )
}  # fmt: skip
Answer = Callable[..., tuple[int, str]]
"""(host, arguments of the script) -> exit status and what is printed."""


PROC = """\
 0: cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate C r-----
    ns:0 nr:0 dw:0 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0
"""


@dataclass
class World:
    """Transport and power at once."""

    loop: JumpingLoop
    opened: str = "disk-a"
    dead_power: bool = False
    """Whether the power over the hosts does nothing, and says that it did."""
    immortal: set[str] = field(default_factory=set)
    """Hosts whose power cannot be taken."""
    stuck: set[tuple[str, str]] = field(default_factory=set)
    """Plugs of hosts into networks that cannot be drawn."""
    unseen: set[str] = field(default_factory=set)
    """Hosts whose samples do not reach us any more."""
    open_too: set[str] = field(default_factory=set)
    """Hosts whose side is open although it must not be."""
    skew_s: dict[str, float] = field(default_factory=dict)
    """By how much a host's own clock is ahead."""
    takeover_s: float = TAKEOVER_S
    sick: bool = False
    """Whether the cluster never becomes whole."""
    blind: bool = False
    """Whether the state of the sides cannot be read."""
    refuses: Callable[[str], bool] = lambda _: False
    """Which scripts end badly."""
    hangs: Callable[[str, str], bool] = lambda *_: False
    """(host, script) -> whether it never comes back."""
    breaks: Callable[[str, str], BaseException | None] = lambda *_: None
    """(host, script) -> what goes wrong on our own side instead."""
    state_dir: str = "/run/sanglier"
    servers: dict[str, Server] = field(init=False)
    cuts: Counter[tuple[str, str]] = field(default_factory=Counter)
    fences: list[PowerEvent] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    voices: dict[str, Callable[[Host, tuple[str, ...]], Session]] = field(default_factory=dict)
    """What a writer's program says: (host, its words) -> a session; by its text."""
    more: tuple[Volume, ...] = ()
    """Other volumes."""
    opened_more: dict[str, str] = field(default_factory=dict)
    """The storage server on which each is open, by name."""
    caches: int | None = None
    """Blocks that a disk with a volatile cache has not flushed when it loses its power."""
    manners: dict[str, Manner] = field(default_factory=dict)
    """Of power switches."""
    told: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    """(host, script, arguments) of everything that was run."""
    healthy_at: float = 0.0

    def __post_init__(self) -> None:
        self.servers = {host.name: Server(host.name) for host in GOAL.cluster.hosts}
        for text, answer in (
            (settle.MIRROR, self._whole), (settle.DECIDED, self._whole),
            (settle.MOUNTED, self._whole), (networks.REACHES, self._reaches),
            (watch.BOOT, lambda host, *_: (0, f"boot-{self.servers[host].boot}")),
            (inspect.VERIFY, lambda *_: (0, "verified")), (inspect.PROC, lambda *_: (0, PROC)),
            (inspect.DIGEST, lambda *_: (0, "a" * 64)),
            (inspect.FSCK, lambda *_: (0, "All passes succeeded.\nstatus 0")),
            (networks.COUNTED, self._counted),
            (program_of(planted.FIND), lambda *_: (0, "34816 srv-a 0 0")),
            ("toy reader", lambda *_: (0, "end")),
        ):  # fmt: skip
            self.answers[key(text)] = answer

    # What it is like.

    @property
    def whole(self) -> bool:
        well = all(server.lives and not server.cut for server in self.servers.values())
        return well and not self.sick and self.loop.now >= self.healthy_at

    def _whole(self, *_: str) -> tuple[int, str]:
        return (0 if self.whole else 1), ""

    def _reaches(self, host: str, _mine: str, theirs: str) -> tuple[int, str]:
        there, network = ADDRESSES[theirs]
        cut = network in self.servers[host].cut | self.servers[there].cut
        return int(cut or not self.servers[there].lives), ""

    def _counted(self, host: str) -> tuple[int, str]:
        cuts = self.cuts[host, "replication"]
        return 0, f"81 packets transmitted, {81 - 5 * cuts} received, {cuts}% packet loss"

    @property
    def serves(self) -> bool:
        return self.serves_of("")

    def serves_of(self, path: str) -> bool:
        """Whether the volume that a path is on has an open side."""
        server = self.servers.get(self.open_on(path))
        return server is not None and server.lives

    def open_on(self, path: str) -> str:
        """Where the volume is open that a path is on, or a file of its target; else the first."""
        named = (host for name, host in self.opened_more.items() if f"/{name}/" in path)
        return next(named, self.opened)

    def state_of(self, host: str) -> str:
        return "0" if host == self.opened or host in self.open_too else "2"

    # What the cluster does by itself.

    def _lost(self, host: str) -> None:
        self.healthy_at = self.loop.now + self.takeover_s + REPAIR_S
        self.loop.call_later(self.takeover_s, self._take_over, host)

    def _take_over(self, host: str) -> None:
        """Fence a storage server that is lost; the other one then opens."""
        server = self.servers[host]
        other = next(s.name for s in GOAL.cluster.storage if s.name != host)
        apart = "replication" in server.cut | self.servers[other].cut
        if not (server.lives and not apart) and self.servers[other].lives:
            self.fence(host)

    def fence(self, host: str) -> None:
        """Switch a server off by its power switch, and on again."""
        if "bmc" in self.servers[host].cut:
            self.loop.call_later(self.takeover_s, self._take_over, host)
            return
        match self.manners.get(host):
            case Manner.LIES:
                self._believed(host)
            case Manner.SLOW | Manner.LATE:
                self.loop.call_later(5, self._fence, host)
            case _:
                self._fence(host)

    def _believed(self, host: str) -> None:
        """A liar: it lives on, and is open still if it was; the other one opens all the same."""
        if self.opened == host:
            self.open_too.add(host)
            self.opened = next(s.name for s in GOAL.cluster.storage if s.name != host)

    def _fence(self, host: str) -> None:
        self.fences.append(PowerEvent(host=host, at_s=self.loop.epoch, action="off"))
        self._off(host)
        self.loop.call_later(BOOT_S, self._on, host)
        other = next(s.name for s in GOAL.cluster.storage if s.name != host)
        if self.servers[other].lives:
            self.loop.call_later(OPENING_S, self._open_instead, host, other)

    def _open_instead(self, host: str, other: str) -> None:
        """Open on one server whatever was open on the other."""
        if self.opened == host:
            self.opened = other
        for name, opened in self.opened_more.items():
            if opened == host:
                self.opened_more[name] = other

    def _off(self, host: str) -> None:
        self.servers[host].on, self.servers[host].frozen = False, False

    def _on(self, host: str) -> None:
        if not self.servers[host].on:
            self.servers[host].on = True
            self.servers[host].boot += 1
            self.servers[host].since = self.loop.now
            self.healthy_at = self.loop.now + REPAIR_S

    # Power.

    async def kill(self, host: str) -> None:
        if not self.dead_power and host not in self.immortal:
            self._off(host)
            self._is_lost(host)

    def _is_lost(self, host: str) -> None:
        if host in VOLUME.devices:
            self._lost(host)

    async def unflushed(self, host: str) -> int | None:
        return self.caches

    async def start(self, host: str) -> None:
        self._on(host)

    async def freeze(self, host: str) -> None:
        if not self.dead_power:
            self.servers[host].frozen = True
            self._is_lost(host)

    async def thaw(self, host: str) -> None:
        self.servers[host].frozen = False

    async def pause(self, host: str) -> None:
        await self.freeze(host)

    async def resume(self, host: str) -> None:
        await self.thaw(host)

    async def cut(self, host: str, network: str) -> None:
        if self.dead_power or (host, network) in self.stuck:
            return
        self.servers[host].cut.add(network)
        self.cuts[host, network] += 1
        if network == "replication":
            self._lost(next(s.name for s in GOAL.cluster.storage if s.name != self.opened))

    async def heal(self, host: str, network: str) -> None:
        self.servers[host].cut.discard(network)

    async def dead(self, host: str) -> bool:
        return not self.servers[host].on

    async def behave(self, host: str, manner: Manner) -> None:
        if not self.dead_power:
            self.manners[host] = manner

    async def manner(self, host: str) -> Manner:
        return self.manners.get(host, Manner.HONEST)

    async def unplugged(self, host: str) -> frozenset[str]:
        return frozenset(self.servers[host].cut)

    async def fenced(self) -> Sequence[PowerEvent]:
        return tuple(self.fences)

    # Transport.

    async def run(
        self, host: Host, script: str, *, limit: int, on_line: OnLine | None = None
    ) -> Result:
        await asyncio.sleep(0.01)
        await self._reached(host)
        text, words = parts(script)
        self.told.append((host.name, text, words))
        if self.hangs(host.name, text):
            await asyncio.sleep(10**9)
        if error := self.breaks(host.name, text):
            raise error
        answer = self.answers.get(text) or (lambda *_: (int(self.refuses(text)), ""))
        status, said = answer(host.name, *words)
        return Result(status=status, text=said, seconds=0.01)

    async def _reached(self, host: Host) -> None:
        """A host that is off refuses; one that is frozen says nothing at all."""
        if self.servers[host.name].frozen:
            await asyncio.sleep(45)
        elif not self.servers[host.name].on:
            await asyncio.sleep(1)
        if not self.servers[host.name].lives:
            raise lost(host)

    async def hold(self, host: Host, script: str, *, limit: int) -> Session:
        await asyncio.sleep(0.01)
        await self._reached(host)
        text, words = parts(script)
        if text in self.voices:
            return self.voices[text](host, words)
        return Voice(self, host, samples=text == key(watch.SAMPLER), path=words[0])

    async def close(self) -> None:
        return


def scene_of(world: World, *, power: bool = True, folder: str = "") -> Scene:
    return Scene(
        goal=GOAL, transport=world, power=world if power else None, volume=VOLUME,
        say=lambda _: None, clock=world.loop.clock(), folder=folder,
        more=world.more,
    )  # fmt: skip


def play(
    world: World, *groups: Group, patience_s: float = 120, looks: bool = True, power: bool = True,
    keep: Path | None = None, workloads: tuple[Workload, ...] = (Toy(),),
    layers: Sequence[StackLayer] = (),
) -> DrillRun:  # fmt: skip
    """Play a drill to its end."""
    loads = [
        Load(
            transport=world, directory=f"{volume.mount}/drill", workloads=workloads,
            keep=keep / volume.name if keep and volume != VOLUME else keep,
        )
        for volume in (VOLUME, *world.more)
    ]  # fmt: skip
    folder = loads[0].directory
    plan = Plan(name="test", explains="", groups=groups, patience_s=patience_s, inspect=looks)
    scene = scene_of(world, power=power, folder=folder)
    engine = Engine(scene=scene, loads=loads, layers=layers, plan=plan)
    return world.loop.run(engine.run())


def verdicts(run: DrillRun) -> dict[str, Verdict]:
    return {check.name: check.verdict for check in run.checks}


def check_of(run: DrillRun, name: str) -> Check:
    return next(check for check in run.checks if check.name == name)
