"""Small layers of files in a folder, for running real shell without a cluster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sanglier.core.action import Action, Script
from sanglier.core.address import Address
from sanglier.core.events import Event, Outcome, StepEnded
from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.core.plan import Proposal
from sanglier.core.probe import Outputs, Probe
from sanglier.core.problem import Problem, Severity
from sanglier.core.secret import Secret
from sanglier.core.step import Mark, Risk, Step
from sanglier.layers.base import Goal, StackLayer
from sanglier.spec.cluster import Cluster
from sanglier.spec.load import load_text
from sanglier.spec.secrets import Secrets

TEXT = """
cluster: toy
iqn: iqn.2009-02.fr.example
timings: safe
storage:
  disk-a: {ssh: disk-a, replication: 10.7.1.11, san: [10.7.2.11, 10.7.3.11]}
  disk-b: {ssh: disk-b, replication: 10.7.1.12, san: [10.7.2.12, 10.7.3.12]}
access: article
applications:
  srv-a: {ssh: srv-a, san: [10.7.2.21, 10.7.3.21]}
volumes:
  data:
    on: {disk-a: /dev/vdb, disk-b: /dev/vdb}
    prefer: disk-a
    filesystem: ocfs2
    label: DATA
    mount: /data
    for: small-files
"""
SECRET = Secret("s3cretS3cretS3cr")


def make_cluster() -> Cluster:
    return load_text(TEXT, "toy.yaml")


def make_goal(*consents: str) -> Goal:
    secrets = Secrets(
        drbd={"data": Secret("d" * 32)},
        chap={"srv-a": SECRET},
        corosync=Secret("c" * 256),
        fence={},
    )
    return Goal(cluster=make_cluster(), secrets=secrets, consents=frozenset(consents))


@dataclass(frozen=True, slots=True, kw_only=True)
class LowFacts:
    things: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HighFacts:
    things: frozenset[str]


Kind = type[LowFacts] | type[HighFacts]
MAKE = 'mkdir -p things; echo "made $1"; : > "things/$1"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A file that should be there, and how it gets there."""

    host: str
    name: str
    phase: int = 0
    actions: tuple[Action, ...] = ()
    consent: str | None = None
    limit: int = 20

    def all_actions(self) -> tuple[Action, ...]:
        return (*self.actions, Script(text=MAKE, args=(self.name,)))


@dataclass(frozen=True, slots=True)
class ToyLayer:
    name: str
    kind: Kind
    things: tuple[Thing, ...]
    problems: tuple[Problem, ...] = field(default=())

    def probes(self, goal: Goal, host: str) -> tuple[Probe, ...]:
        return (Probe(name="list", script=Script(text="ls things 2>/dev/null; :")),)

    def parse(self, goal: Goal, host: str, outputs: Outputs) -> object:
        return self.kind(things=frozenset(outputs["list"].lines))

    def _has(self, facts: Facts, thing: Thing) -> bool:
        known = facts.has(thing.host, self.kind)
        return not known or thing.name in facts.of(thing.host, self.kind).things

    def propose(self, goal: Goal, facts: Facts) -> Proposal:
        steps = tuple(self._step(t) for t in self.things if not self._has(facts, t))
        return Proposal(steps=steps, problems=self.problems)

    def teardown(self, goal: Goal, facts: Facts) -> Proposal:
        there = [t for t in self.things if facts.has(t.host, self.kind) and self._has(facts, t)]
        return Proposal(steps=tuple(self._removal(t) for t in there))

    def status(self, goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
        return tuple(
            StatusLine(
                host=t.host,
                layer=self.name,
                subject=t.name,
                healthy=self._has(facts, t),
                text="there" if self._has(facts, t) else "missing",
            )
            for t in self.things
        )

    def _step(self, thing: Thing) -> Step:
        def effect(facts: Facts) -> Facts:
            now = facts.of(thing.host, self.kind).things
            return facts.with_(thing.host, self.kind(things=now | {thing.name}))

        return Step(
            address=Address(host=thing.host, layer=self.name, subject=thing.name),
            phase=thing.phase,
            mark=Mark.CREATE,
            summary=f"make {thing.name}",
            reason="it is not there",
            actions=thing.all_actions(),
            effect=effect,
            risk=Risk.DESTRUCTIVE if thing.consent else Risk.SAFE,
            consent=thing.consent,
            limit=thing.limit,
        )

    def _removal(self, thing: Thing) -> Step:
        def effect(facts: Facts) -> Facts:
            now = facts.of(thing.host, self.kind).things
            return facts.with_(thing.host, self.kind(things=now - {thing.name}))

        return Step(
            address=Address(host=thing.host, layer=self.name, subject=thing.name),
            phase=0,
            mark=Mark.REMOVE,
            summary=f"remove {thing.name}",
            reason="the cluster is being taken down",
            actions=(Script(text='rm -f "things/$1"', args=(thing.name,)),),
            effect=effect,
        )

    @property
    def layer(self) -> StackLayer:
        return StackLayer(
            name=self.name,
            probes=self.probes,
            parse=self.parse,
            propose=self.propose,
            teardown=self.teardown,
            status=self.status,
        )


def low(*things: Thing, problems: tuple[Problem, ...] = ()) -> StackLayer:
    return ToyLayer("low", LowFacts, things, problems).layer


def high(*things: Thing) -> StackLayer:
    return ToyLayer("high", HighFacts, things).layer


def problem(severity: Severity) -> Problem:
    return Problem(
        code="SG-TOY-001",
        severity=severity,
        address=Address(host="disk-a", layer="low", subject="toy"),
        what="a toy is broken",
        why="it was thrown",
        fix="glue it",
    )


@dataclass(slots=True)
class Events:
    """A sink that keeps everything."""

    all: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.all.append(event)

    def ended(self, outcome: Outcome) -> list[str]:
        steps = (e for e in self.all if isinstance(e, StepEnded))
        return [e.address for e in steps if e.outcome is outcome]

    def outputs(self) -> str:
        return "\n".join(e.output for e in self.all if isinstance(e, StepEnded))


def names(hosts: Iterable[str], *things: str) -> tuple[Thing, ...]:
    return tuple(Thing(host=host, name=thing) for host in hosts for thing in things)
