"""Read the hosts: one script per host and gathering, all hosts at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sanglier.core.address import Address
from sanglier.core.errors import SanglierError
from sanglier.core.events import Gathered, Sink
from sanglier.core.facts import Facts
from sanglier.core.probe import Look, Output, Probe
from sanglier.core.problem import Problem, Severity
from sanglier.core.shell import render
from sanglier.layers.base import Goal, StackLayer
from sanglier.run.codes import Code
from sanglier.run.far_side import BUSY_STATUS, LOCK_WAIT_S, step_lock
from sanglier.run.frames import Ended, Framer, Marker
from sanglier.run.recorded import save_recording
from sanglier.run.transport import Transport
from sanglier.spec.cluster import Host

PROBE_LIMIT_S = 60
"""All probes of a host together."""
CLOCK = "controller-clock"
"""Name of the synthetic answer that holds our own time, seconds since the epoch."""
_CLOCK_PROBE = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A probe of a layer, numbered for its frame."""

    layer: StackLayer
    probe: Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Questions that one script answers: the same command with the words of all."""

    probe: Probe
    numbers: tuple[int, ...]

    def part(self, text: str, probe: Probe) -> str:
        """Return what is one probe's of the answer."""
        if probe.part is None or len(self.numbers) == 1:
            return text
        return probe.part(text, _words(self.probe), _words(probe))


def _words(probe: Probe) -> tuple[str, ...]:
    return tuple(str(word) for word in probe.script.args)


def pooled(questions: Sequence[Question]) -> tuple[Pool, ...]:
    """Put the questions together that are one command's; slow ones come first."""
    numbers: dict[object, list[int]] = {}
    for number, probe in enumerate(question.probe for question in questions):
        key = number if probe.part is None else (probe.script.text, probe.part)
        numbers.setdefault(key, []).append(number)
    pools = [_pool(questions, mine) for mine in numbers.values()]
    return tuple(sorted(pools, key=lambda pool: not pool.probe.slow))


def _pool(questions: Sequence[Question], numbers: Sequence[int]) -> Pool:
    probes = [questions[number].probe for number in numbers]
    if len(probes) == 1:
        return Pool(probe=probes[0], numbers=tuple(numbers))
    words = dict.fromkeys(word for probe in probes for word in probe.script.args)
    script = replace(probes[0].script, args=tuple(words))
    return Pool(probe=replace(probes[0], script=script), numbers=tuple(numbers))


@dataclass(slots=True)
class Reading:
    """The answers of one host as they come in."""

    questions: tuple[Question, ...]
    pools: tuple[Pool, ...]
    framer: Framer
    clock: Callable[[], float] = time.time
    answers: dict[int, Output] = field(default_factory=dict)
    times: dict[int, float] = field(default_factory=dict)

    def take(self, line: str) -> None:
        """Take a line of the host's answer."""
        match self.framer.feed(line):
            case Ended(name=name, status=status, text=text):
                pool, now = self.pools[int(name)], self.clock()
                for number in pool.numbers:
                    told = pool.part(text, self.questions[number].probe)
                    self.answers[number] = Output(status=status, text=told)
                    self.times[number] = now

    @property
    def whole(self) -> bool:
        """Whether every question was answered."""
        return len(self.answers) == len(self.questions)

    def outputs(self, layer: StackLayer) -> dict[str, Output]:
        """Give the answers of one layer by probe name, and our clock.

        The clock is ours at the moment when the answer of the probe ``clock``
        came (else: the answer of the layer's first probe).
        """
        mine = [n for n, q in enumerate(self.questions) if q.layer is layer]
        found = {self.questions[n].probe.name: self.answers[n] for n in mine}
        timed = [n for n in mine if self.questions[n].probe.name == _CLOCK_PROBE] or mine
        return {**found, CLOCK: Output(status=0, text=f"{self.times[timed[0]]:.6f}")}


def questions_for(goal: Goal, layers: Sequence[StackLayer], host: str) -> tuple[Question, ...]:
    """List every probe that the layers have for ``host``."""
    return tuple(
        Question(layer=layer, probe=probe) for layer in layers for probe in layer.probes(goal, host)
    )


def probe_script(pools: Sequence[Pool], marker: Marker, state_dir: str, *, wait: bool) -> str:
    """Put all probes into one script; ``wait`` for the steps of a killed run to end first."""
    parts = [marker.define()]
    if wait:
        parts.append(step_lock(state_dir, shared=True))
    looked: set[Look] = set()
    for number, probe in enumerate(pool.probe for pool in pools):
        parts += [_unheard(look) for look in probe.needs if look not in looked]
        looked.update(probe.needs)
        body = render(probe.script, reveal=False)
        parts.append(marker.frame(str(number), body, plain=probe.plain))
    return "\n".join(parts)


def _unheard(look: Look) -> str:
    """Run a look where its variables stay."""
    return f"{{\n{render(look.script, reveal=False)}\n}} </dev/null >/dev/null 2>&1 9>&-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """One reading of some layers on some hosts."""

    goal: Goal
    layers: tuple[StackLayer, ...]
    transport: Transport
    sink: Sink
    record: Path | None = None
    wait: bool = False

    async def host(self, host: Host) -> Facts:
        """Read one host; an error becomes its entry in ``Facts.unreachable``."""
        started = time.monotonic()
        questions = questions_for(self.goal, self.layers, host.name)
        if not questions and not self.wait:
            return Facts()
        try:
            facts, error = self._parse(host, await self._ask(host, questions)), ""
        except SanglierError as failure:
            facts, error = Facts({}, {host.name: unreachable(host, failure)}), failure.code
        names = tuple(dict.fromkeys(question.layer.name for question in questions))
        seconds = time.monotonic() - started
        self.sink(Gathered(host=host.name, layers=names, seconds=seconds, error=error))
        return facts

    async def _ask(self, host: Host, questions: tuple[Question, ...]) -> Reading:
        marker = Marker()
        pools = pooled(questions)
        script = probe_script(pools, marker, self.transport.state_dir, wait=self.wait)
        reading = Reading(questions, pools, Framer(marker))
        limit = PROBE_LIMIT_S + (LOCK_WAIT_S if self.wait else 0)
        result = await self.transport.run(host, script, limit=limit, on_line=reading.take)
        if result.status == BUSY_STATUS:
            raise busy(host)
        if not reading.whole:
            raise _garbled(host, f"{len(reading.answers)} of {len(questions)} answers came")
        return reading

    def _parse(self, host: Host, reading: Reading) -> Facts:
        facts = Facts()
        for layer in dict.fromkeys(question.layer for question in reading.questions):
            outputs = reading.outputs(layer)
            if self.record is not None:
                save_recording(self.record, host.name, layer.name, outputs)
            facts = facts.with_(host.name, layer.parse(self.goal, host.name, outputs))
        return facts


async def gather(
    goal: Goal,
    layers: Sequence[StackLayer],
    transport: Transport,
    *,
    sink: Sink,
    hosts: Collection[str] | None = None,
    record: Path | None = None,
    wait: bool = False,
) -> Facts:
    """Read ``layers`` on ``hosts`` (all, when None), all at the same time.

    A host that gives no proper answer is in ``Facts.unreachable`` and nowhere
    else.  ``record`` saves the raw answers; ``wait`` first waits (at most 120 s)
    for steps that a killed run left under way.
    """
    gathering = Gathering(
        goal=goal,
        layers=tuple(layers),
        transport=transport,
        sink=sink,
        record=record,
        wait=wait,
    )
    asked = [host for host in goal.cluster.hosts if hosts is None or host.name in hosts]
    facts = Facts()
    for part in await asyncio.gather(*(gathering.host(host) for host in asked)):
        facts = facts.merge(part)
    return facts


def unreachable(host: Host, error: SanglierError) -> Problem:
    """Make the problem of a host that cannot be read."""
    return Problem(
        code=str(error.code),
        severity=Severity.BLOCKER,
        address=Address(host=host.name, layer="ssh", subject=host.ssh),
        what=error.what,
        why=error.why,
        fix=error.fix,
    )


def busy(host: Host) -> SanglierError:
    """Make the error of a host on which steps of another run go on."""
    return SanglierError(
        code=Code.BUSY,
        subject=host.name,
        what=f"steps of an earlier run are still under way there after {LOCK_WAIT_S} s",
        why="a sanglier that was killed leaves the step that it had begun to end by itself",
        fix=f"see what it is (`ssh {host.ssh} fuser -v /run/sanglier/step.lock`), "
        "let it end, and run again",
    )


def _garbled(host: Host, why: str) -> SanglierError:
    return SanglierError(
        code=Code.GARBLED,
        subject=host.name,
        what="the host's answer is not whole",
        why=why,
        fix="run it again; if it happens again, look at the host's memory and disk space",
    )


def problems_of(facts: Facts) -> Iterator[Problem]:
    """Give what keeps hosts from being read, by host name."""
    return (facts.unreachable[host] for host in sorted(facts.unreachable))
