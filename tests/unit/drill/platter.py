"""What the pretended volume holds: platters, every server's cache, and writers of all workloads.

The writers speak the protocol of the Perl programs, the readers print what those print; so the
workloads' own checks judge.  A cache is asked first, as a page cache is, until it is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from sanglier.drill import recorder
from sanglier.drill.faults import planted
from sanglier.drill.workloads import all_workloads
from sanglier.drill.workloads.base import Workload
from sanglier.drill.workloads.trees import changes
from sanglier.spec.cluster import Host

from .voices import key, lost, program_of
from .world import World

LANES, BLOCKS = 32, 16
Key = tuple[str | int, ...]
"""Workload, and which of its things: ("appends", "srv-a", 7), ("retired", "srv-a", 5, 0)…"""
Things = dict[Key, str]


@dataclass
class Platter:
    """The volume, seen from every server."""

    world: World
    things: Things = field(default_factory=dict)
    caches: dict[str, Things] = field(default_factory=lambda: {"srv-a": {}, "srv-b": {}})
    """Host -> what its memory says instead."""
    stuck: set[str] = field(default_factory=set)
    """Hosts whose cache stays although it is dropped."""
    kept_back: Callable[[Key], bool] = lambda _: False
    """What reaches the cache of its writer and nothing else, although it is acknowledged."""
    at_the_end: list[Callable[[], object]] = field(default_factory=list)
    """What is done when all is written and nothing was read back yet."""

    def __post_init__(self) -> None:
        world = self.world
        for workload in all_workloads():
            begin = WRITERS[workload.name]
            world.voices[self._program(workload)] = lambda host, words, begin=begin: begin(  # type: ignore[misc]
                self, host, words[1]
            )
            world.answers[str(workload.reader("").args[0])] = lambda host, *_, of=workload.name: (
                0, "\n".join([*READERS[of](self.seen(host)), "end"]),
            )  # fmt: skip
        world.answers[key(recorder._DROP)] = lambda host, *_: self.drop(host)
        world.answers[program_of(planted.FIND)] = lambda *_: (0, "34816 srv-a 5 0")
        world.answers[key(planted.PUT)] = lambda *_: self.put(("retired", "srv-a", 5, 0), "1")

    @staticmethod
    def _program(workload: Workload) -> str:
        return str(workload.writer("", "").args[0])

    def write(self, host: str, where: Key, what: str) -> None:
        """Write as a server does; whoever reads it asks the disk."""
        if self.kept_back(where):
            self.caches[host][where] = what
        else:
            self.things[where] = what

    def put(self, where: Key, what: str) -> tuple[int, str]:
        """Write below the filesystem."""
        self.things[where] = what
        return 0, ""

    def lose(self, *where: Key) -> None:
        for one in where:
            del self.things[one]

    def get(self, host: str, where: Key) -> str | None:
        return self.caches[host].get(where, self.things.get(where))

    def seen(self, host: str) -> Things:
        return {**self.things, **self.caches[host]}

    def drop(self, host: str) -> tuple[int, str]:
        while self.at_the_end:
            self.at_the_end.pop(0)()
        if host not in self.stuck:
            self.caches[host].clear()
        return 0, ""

    def newest(self, *which: str | int) -> Key:
        """The last thing that was made of a workload's writer."""
        return [one for one in self.things if one[: len(which)] == which][-1]


@dataclass
class Writer:
    """One incarnation of a workload on one server; it does something whenever a side is open."""

    platter: Platter
    host: Host
    name: str
    said: list[str] = field(default_factory=list)
    orders: list[list[str]] = field(default_factory=list)
    count: int = 0
    stopped: bool = False
    boot: int = field(init=False)
    period_s = 0.1

    def __post_init__(self) -> None:
        self.boot = self.platter.world.servers[self.host.name].boot

    async def line(self) -> str | None:
        world = self.platter.world
        while not self.said:
            if self.stopped:
                return None
            await asyncio.sleep(self.period_s)
            server = world.servers[self.host.name]
            if not server.on or server.boot != self.boot:
                raise lost(self.host)
            if world.serves and not server.frozen:
                self.go_on()
        return self.said.pop(0)

    def go_on(self) -> None:
        while self.orders:
            order, *words = self.orders.pop(0)
            if order == "stop":
                self.said.append("stopped")
                self.stopped = True
                return
            self.obey(order, words)
        self.work()

    def work(self) -> None:
        return

    def obey(self, order: str, words: list[str]) -> None:
        return

    async def send(self, text: str) -> None:
        self.orders.append(text.split())

    async def close(self) -> None:
        return

    def write(self, where: Key, what: str) -> None:
        self.platter.write(self.host.name, where, what)

    def get(self, where: Key) -> str | None:
        return self.platter.get(self.host.name, where)

    def answer(self, token: str, found: str | None) -> None:
        self.said.append(f"r {token} {found or 'error 2'}")


def record(*words: object) -> str:
    return " ".join([*map(str, words), ""]).ljust(127, ".")


class Appending(Writer):
    period_s = 0.2

    def work(self) -> None:
        self.count += 1
        self.write(("appends", self.name, self.count), record(self.name, self.count))
        self.said.append(f"a {self.count}")


class Overwriting(Writer):
    def work(self) -> None:
        self.count += 1
        block = self.count % BLOCKS
        self.write(("registers", self.name, block), str(self.count))
        self.said += [f"i {self.count} {block}", f"a {self.count} {block}"]

    def obey(self, order: str, words: list[str]) -> None:
        token, writer, block, _ = words
        self.answer(token, self.get(("registers", writer, int(block))))


class Retiring(Writer):
    def work(self) -> None:
        lane, number = self.count % LANES, self.count // LANES
        self.count += 1
        where = ("retired", self.name, lane, number)
        for version in (1, 2):
            self.said += [f"i {lane}:{number}:{version}", f"a {lane}:{number}:{version}"]
        self.write(where, "2")
        self.answer(f"own:{lane}:{number}", self.get(where))

    def obey(self, order: str, words: list[str]) -> None:
        token, writer, lane, number = words
        self.answer(token, self.get(("retired", writer, int(lane), int(number))))


class Racing(Writer):
    def obey(self, order: str, words: list[str]) -> None:
        op, number = words
        ball = ("races", f"ball-{number}")
        owner = self.get(ball)
        won = (owner is None) == (order == "create")
        if won and order == "create":
            self.write(ball, self.name)
        elif won:
            self.platter.lose(ball)
            self.write(("races", f"taken-{number}-{self.name}"), str(owner))
        self.said.append(f"a {op} {'won' if won else 'lost'}")


class Adding(Writer):
    def obey(self, order: str, words: list[str]) -> None:
        value = int(self.get(("counters",)) or 0) + 1
        self.write(("counters",), str(value))
        self.said.append(f"a {words[0]} {value}")


class Planting(Writer):
    period_s = 0.5

    def work(self) -> None:
        change = next(islice(changes(self.name), self.count, None))
        self.count += 1
        if change.gone:
            self.platter.lose(("trees", self.name, change.gone))
        if change.come:
            self.write(("trees", self.name, change.come), change.content)
        self.said += [f"i {self.count}", f"a {self.count}"]


WRITERS: dict[str, Callable[[Platter, Host, str], Writer]] = {
    "appends": Appending, "registers": Overwriting, "retired": Retiring, "races": Racing,
    "counters": Adding, "trees": Planting,
}  # fmt: skip


def of(things: Things, workload: str) -> dict[Key, str]:
    return {where[1:]: what for where, what in things.items() if where[0] == workload}


def writers(things: dict[Key, str]) -> list[str | int]:
    return sorted({where[0] for where in things}, key=str)


def read_appends(things: Things) -> Iterator[str]:
    found = of(things, "appends")
    for writer in writers(found):
        mine = sorted(
            (where[1:] for where in found if where[0] == writer), key=lambda w: (w[0], len(w))
        )
        yield f"file {writer}"
        yield from (f"|{found[writer, *where]}" for where in mine)


def read_registers(things: Things) -> Iterator[str]:
    found = of(things, "registers")
    for writer in writers(found):
        for block in range(BLOCKS):
            yield f"register {writer} {block} {found.get((writer, block), '0')}"


def read_retired(things: Things) -> Iterator[str]:
    found = of(things, "retired")
    for writer in writers(found):
        for lane in range(LANES):
            mine = sorted(int(where[2]) for where in found if where[:2] == (writer, lane))
            versions = [found[writer, lane, number] for number in mine]
            yield " ".join(["lane", str(writer), str(lane), *versions])


def read_races(things: Things) -> Iterator[str]:
    return (f"{where[0]} {owner}" for where, owner in sorted(of(things, "races").items()))


def read_counters(things: Things) -> Iterator[str]:
    yield f"value {things['counters',]}"


def read_trees(things: Things) -> Iterator[str]:
    return (f"{where[0]}/{where[1]} {what}" for where, what in of(things, "trees").items())


READERS: dict[str, Callable[[Things], Iterator[str]]] = {
    "appends": read_appends, "registers": read_registers, "retired": read_retired,
    "races": read_races, "counters": read_counters, "trees": read_trees,
}  # fmt: skip
