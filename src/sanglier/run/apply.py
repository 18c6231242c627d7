"""Carry out a consented plan layer by layer, reading the hosts again before each.

The hosts are the state: before a layer's steps run they are derived anew from
what the hosts say, and only steps that were consented to are run.  On failure
nothing new is begun, what is under way comes to its end, the rest is skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sanglier.core.address import Address
from sanglier.core.errors import SanglierError
from sanglier.core.events import Event, LayerStarted, Outcome, RunEnded, RunStarted, Sink, StepEnded
from sanglier.core.facts import Facts
from sanglier.core.plan import Plan, Proposal, Stage, excess
from sanglier.core.planner import predict
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Step
from sanglier.layers import numbers
from sanglier.layers.base import Goal, StackLayer
from sanglier.layers.read_back import ReadBack, read_back
from sanglier.run.batch import Batch, secrets_of, skip
from sanglier.run.codes import Code
from sanglier.run.gather import gather
from sanglier.run.kept import kept
from sanglier.run.planning import plan_for
from sanglier.run.report import Report
from sanglier.run.settled import as_error, errors_of, told
from sanglier.run.stop import StopFlag
from sanglier.run.transport import Transport


class Direction(StrEnum):
    """Which way a plan goes."""

    APPLY = "apply"
    DESTROY = "destroy"


Check = Callable[[], SanglierError | None]
"""Asked before anything new is begun: the error that forbids it, e.g. a lost lock."""


@dataclass(slots=True)
class Tally:
    """Counts how the steps ended, on their way to the sink."""

    sink: Sink
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))

    def __call__(self, event: Event) -> None:
        """Count, and pass on."""
        if isinstance(event, StepEnded):
            self.counts[event.outcome] += 1
        self.sink(event)


@dataclass(slots=True, kw_only=True)
class Application:
    """One run of a consented plan."""

    goal: Goal
    layers: Sequence[StackLayer]
    transport: Transport
    consented: Plan
    direction: Direction
    sink: Sink
    stop: StopFlag
    facts: Facts
    check: Check
    errors: list[SanglierError] = field(default_factory=list)
    told: dict[Address, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    read_back: ReadBack | None = None

    async def run(self) -> None:
        """Work through the stages; leaves what went wrong in ``errors``."""
        for stage in self.consented.stages:
            if stage.proposal.steps:
                await self._stage(stage)
        if not self.errors:
            await self._verify()

    async def _stage(self, stage: Stage) -> None:
        if self._halted():
            return self._skip(stage.proposal.steps)
        proposal = await self._look_again(stage)
        if self._halted():
            return self._skip(stage.proposal.steps)
        self.sink(LayerStarted(layer=stage.layer, steps=len(proposal.steps)))
        for phase in sorted({step.phase for step in proposal.steps}):
            await self._phase([step for step in proposal.steps if step.phase == phase])
        return None

    async def _look_again(self, stage: Stage) -> Proposal:
        """Read the layer's hosts and derive its steps anew; anything unexpected is an error."""
        layer = next(layer for layer in self.layers if layer.name == stage.layer)
        asked = tuple(each for each in self.layers if each in (numbers.LAYER, layer))
        fresh = await gather(self.goal, asked, self.transport, sink=self.sink)
        self.facts = self.facts.merge(fresh)
        ask = layer.propose if self.direction is Direction.APPLY else layer.teardown
        proposal = ask(self.goal, self.facts)
        self._judge(fresh, proposal)
        self._judge_numbers(fresh)
        return proposal

    def _judge_numbers(self, fresh: Facts) -> None:
        """Stop when other numbers are in force than those for which the plan was made."""
        if self.direction is Direction.APPLY:
            refused = numbers.LAYER.propose(self.goal, fresh).problems
            self.errors += [as_error(problem) for problem in refused]
            if not refused and kept(self.goal, fresh) != self.goal:
                self.errors.append(renumbered(self.goal))

    def _judge(self, fresh: Facts, proposal: Proposal) -> None:
        known = {(p.code, p.address) for p in self.consented.problems}
        found = (*fresh.unreachable.values(), *proposal.problems)
        blockers = [p for p in found if p.severity is Severity.BLOCKER]
        self.errors += [as_error(p) for p in blockers if (p.code, p.address) not in known]
        strange = excess(self.consented, proposal)
        if strange:
            self.errors.append(drift(strange))

    async def _phase(self, steps: Sequence[Step]) -> None:
        if self._halted():
            return self._skip(steps)
        batches = self._batches(steps)
        await asyncio.gather(*(batch.run(self.transport) for batch in batches))
        for batch in batches:
            self.errors += batch.errors
            self.told |= batch.told
            self.facts = predict(self.facts, batch.done)
        return None

    def _batches(self, steps: Sequence[Step]) -> list[Batch]:
        batches = []
        for host in self.goal.cluster.hosts:
            mine = [step for step in steps if step.address.host == host.name]
            hide = (*self.goal.secrets.all, *secrets_of(mine))
            if mine:
                batches.append(Batch(host, mine, self.sink, hide, self.told))
        return batches

    async def _verify(self) -> None:
        """Read everything: nothing may be left to do."""
        if self._halted():
            return
        facts = await gather(self.goal, self.layers, self.transport, sink=self.sink)
        again = plan_for(self.layers, self.goal, facts, destroy=self.direction is Direction.DESTROY)
        self.problems = again.problems
        self.errors += [as_error(problem) for problem in again.blockers]
        if again.steps and not self.errors:
            self.errors.append(not_converged(again.steps))
        if self.direction is Direction.APPLY:
            self.read_back = read_back(self.goal, facts)
            self.sink(told(self.read_back))
            self.errors += errors_of(self.read_back, again.problems)

    def _halted(self) -> bool:
        if self.stop.requested and not self.errors:
            self.errors.append(interrupted(self.stop.because))
        error = None if self.errors else self.check()
        if error:
            self.errors.append(error)
        return bool(self.errors)

    def _skip(self, steps: Iterable[Step]) -> None:
        because = f"{self.errors[0].subject}: {self.errors[0].what}"
        for step in steps:
            skip(step, self.sink, because)


async def apply(
    goal: Goal,
    layers: Sequence[StackLayer],
    transport: Transport,
    consented: Plan,
    direction: Direction,
    *,
    facts: Facts,
    sink: Sink,
    stop: StopFlag,
    check: Check = lambda: None,
) -> Report:
    """Carry out ``consented``, which was made from ``facts``; never raises ``SanglierError``.

    ``sink`` gets every event (console, journal); ``stop`` ends the run at the
    next batch; ``check`` can forbid to go on (a lost lock, a full journal).
    """
    started = time.monotonic()
    tally = Tally(sink)
    tally(RunStarted(verb=str(direction), cluster=goal.cluster.name, steps=len(consented.steps)))
    work = Application(
        goal=goal,
        layers=layers,
        transport=transport,
        consented=consented,
        direction=direction,
        sink=tally,
        stop=stop,
        facts=facts,
        check=check,
    )
    await work.run()
    report = Report(
        done=tally.counts[Outcome.DONE],
        failed=tally.counts[Outcome.FAILED],
        skipped=tally.counts[Outcome.SKIPPED],
        seconds=time.monotonic() - started,
        errors=tuple(work.errors),
        problems=work.problems,
        read_back=work.read_back,
    )
    tally(_ended(direction, report))
    return report


def _ended(direction: Direction, report: Report) -> RunEnded:
    return RunEnded(
        verb=str(direction),
        done=report.done,
        failed=report.failed,
        skipped=report.skipped,
        seconds=report.seconds,
        code=report.code,
    )


def drift(steps: Sequence[Step]) -> SanglierError:
    """Make the error for steps that nobody consented to."""
    return SanglierError(
        code=Code.DRIFT,
        subject=str(steps[0].address),
        what="the hosts are no longer as they were when the plan was shown; stopped before "
        f"{len(steps)} step(s) that nobody consented to",
        why="; ".join(f"{s.address} {s.mark} {s.summary} ({s.reason})" for s in steps),
        fix="run the same command again: it shows a new plan",
    )


def renumbered(goal: Goal) -> SanglierError:
    """Make the error for numbers that came into force since the plan was shown."""
    return SanglierError(
        code=Code.DRIFT,
        subject=goal.cluster.name,
        what="other node numbers, DRBD minors or ports are in force than when the plan was shown",
        why="somebody changes them by hand meanwhile",
        fix="run the same command again: it shows a new plan",
    )


def not_converged(steps: Sequence[Step]) -> SanglierError:
    """Make the error for a plan that is not empty after all."""
    return SanglierError(
        code=Code.NOT_CONVERGED,
        subject=str(steps[0].address),
        what=f"all steps ended well, and yet {len(steps)} are left to do",
        why="; ".join(f"{s.address} {s.mark} {s.summary} ({s.reason})" for s in steps),
        fix="run the same command again; if the same steps stay, something on the host undoes "
        "them (`sanglier plan --verbose` shows the difference)",
    )


def interrupted(because: str) -> SanglierError:
    """Make the error for a run that was stopped by its user."""
    return SanglierError(
        code=Code.INTERRUPTED,
        subject="sanglier",
        what=f"stopped by {because}; what was under way has ended",
        fix="run the same command again: it goes on from there",
    )
