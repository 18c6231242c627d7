"""What apply and destroy have in common: lock, read, show, ask, run, tell."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from rich.console import Console

from sanglier.cli.console import counted, make_console, show_plan, show_problems, show_read_back
from sanglier.cli.exits import OK, OUT_OF_REACH, REFUSED, exit_status
from sanglier.cli.plan import nothing_to_do
from sanglier.cli.progress import Progress
from sanglier.cli.setting import Setting
from sanglier.core.errors import SanglierError
from sanglier.core.events import Event, Sink, unheard
from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.core.problem import Severity
from sanglier.layers.read_back import ReadBack, read_back
from sanglier.run.apply import Direction, apply, interrupted
from sanglier.run.codes import Code
from sanglier.run.journal import Journal, as_json, journal_root
from sanglier.run.kept import gather_kept
from sanglier.run.lock import ClusterLock, Holder
from sanglier.run.planning import plan_for
from sanglier.run.report import Report
from sanglier.run.secrets import save
from sanglier.run.settled import errors_of, told
from sanglier.run.stop import StopFlag
from sanglier.run.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One apply or destroy."""

    setting: Setting
    direction: Direction
    yes: bool
    console: Console
    json_events: bool = False

    async def run(self) -> int:
        """Do it all; gives the exit status.  Raises ``SanglierError`` before anything ran."""
        async with self.setting.transport() as transport:
            lock = ClusterLock(self.setting.goal.cluster, transport, Holder.me(str(self.direction)))
            await lock.acquire()
            try:
                return await self._locked(transport, lock)
            finally:
                await lock.release()

    async def _locked(self, transport: Transport, lock: ClusterLock) -> int:
        if lock.left_by:
            self.console.print(
                f"took over the lock that {lock.left_by.who} left at {lock.left_by.since} "
                "without finishing"
            )
        goal, facts = await gather_kept(
            self.setting.goal, self.setting.layers, transport, sink=self._quiet(), wait=True
        )
        kept = replace(self, setting=replace(self.setting, goal=goal))
        return await kept._act(transport, lock, facts)

    async def _act(self, transport: Transport, lock: ClusterLock, facts: Facts) -> int:
        plan = plan_for(
            self.setting.layers,
            self.setting.goal,
            facts,
            destroy=self.direction is Direction.DESTROY,
        )
        refusal = self._show(plan, facts)
        if refusal is not None:
            return refusal
        await self._confirm(plan)
        return await self._carry_out(transport, lock, plan, facts)

    def _show(self, plan: Plan, facts: Facts) -> int | None:
        """Show the plan; gives the exit status when there is nothing to carry out."""
        show_plan(self.console, plan)
        if facts.unreachable:
            self.console.print("Refused: not every host can be reached; nothing was changed.")
            return OUT_OF_REACH
        if plan.blockers or plan.missing_consents:
            what = "problems stand against it" if plan.blockers else "consent is missing"
            self.console.print(f"Refused: {what} (see above); nothing was changed.")
            return REFUSED
        if plan.empty:
            self.console.print(self._nothing())
            return self._check(plan, facts) if self.direction is Direction.APPLY else OK
        return None

    def _check(self, plan: Plan, facts: Facts) -> int:
        """Judge the timeouts in force when nothing is to do; gives the exit status."""
        found = read_back(self.setting.goal, facts)
        self._quiet()(told(found))
        errors = tuple(errors_of(found, plan.problems))
        self._tell_timeouts(found, errors)
        return exit_status(errors[0].code if errors else "")

    def _tell_timeouts(self, found: ReadBack, errors: Sequence[SanglierError] = ()) -> None:
        for error in errors:
            self.console.print(f"error: {error}", style="red")
        show_read_back(self.console, found)

    def _nothing(self) -> str:
        if self.direction is Direction.APPLY:
            return nothing_to_do(self.setting)
        return "Nothing to do: nothing of the cluster is left on its hosts."

    async def _confirm(self, plan: Plan) -> None:
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise not_confirmed("there is no terminal to ask on", "add --yes to go on unasked")
        question = f"{str(self.direction).capitalize()} {counted(len(plan.steps), 'step')}? [y/N] "
        if (await ask(question)).strip().lower() not in {"y", "yes"}:
            raise not_confirmed("the answer was not yes", "")

    async def _carry_out(
        self, transport: Transport, lock: ClusterLock, plan: Plan, facts: Facts
    ) -> int:
        goal, direction = self.setting.goal, str(self.direction)
        if self.setting.secrets_missing:
            save(self.setting.secrets_file, goal.secrets)
            self.console.print(f"wrote {self.setting.secrets_file} (mode 0600; keep it)")
        root = journal_root(os.environ)
        journal = Journal.create(root, goal.cluster.name, direction, goal.secrets.all)
        stop = StopFlag()
        width = max(len(host.name) for host in goal.cluster.hosts)
        try:
            with Progress(self.console, width) as progress, signals(stop, self.console):
                report = await apply(
                    goal,
                    self.setting.layers,
                    transport,
                    plan,
                    self.direction,
                    facts=facts,
                    sink=fan_out(journal, self._events(progress)),
                    stop=stop,
                    check=lambda: journal.check() or lock.lost(),
                )
        finally:
            journal.close()
        self._tell(report, journal)
        return exit_status(report.code)

    def _events(self, progress: Progress) -> Sink:
        return fan_out(progress, print_json) if self.json_events else progress

    def _quiet(self) -> Sink:
        return print_json if self.json_events else unheard

    def _tell(self, report: Report, journal: Journal) -> None:
        for error in report.errors:
            self.console.print(f"error: {error}", style="red")
        others = [p for p in report.problems if p.severity is not Severity.BLOCKER]
        show_problems(self.console, others)
        if report.read_back:
            self._tell_timeouts(report.read_back)
        self.console.print(_sentence(self.direction, report), style="bold")
        self.console.print(f"journal: {journal.path}", style="dim")


def _sentence(direction: Direction, report: Report) -> str:
    verb = "Applied" if direction is Direction.APPLY else "Destroyed"
    parts = [f"{counted(report.done, 'step')} done"]
    parts += [f"{report.failed} failed"] if report.failed else []
    parts += [f"{report.skipped} skipped"] if report.skipped else []
    told = f"{', '.join(parts)} in {report.seconds:.1f} s"
    if not report.ok:
        return f"Not finished: {told}.  Run it again to go on from there."
    return f"{verb}: {told}."


def print_json(event: Event) -> None:
    """Print an event as a line of JSON."""
    print(as_json(event, datetime.now(UTC)), flush=True)


def fan_out(*sinks: Sink) -> Sink:
    """Give every event to all sinks; a terminal that went away breaks nothing."""

    def sink(event: Event) -> None:
        for each in sinks:
            with suppress(OSError, ValueError):
                each(event)

    return sink


async def ask(question: str) -> str:
    """Ask on the terminal without stopping the heartbeat of the lock."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()
    print(question, end="", file=sys.stderr, flush=True)

    def read() -> None:
        if not answer.done():
            answer.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await answer
    finally:
        loop.remove_reader(sys.stdin)


@contextmanager
def signals(stop: StopFlag, console: Console) -> Iterator[None]:
    """Let the first ^C (or SIGTERM, SIGHUP) end the run in order, the second at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def handle(number: signal.Signals) -> Callable[[], None]:
        def handler() -> None:
            if stop.requested and task is not None and number is signal.SIGINT:
                task.cancel()
                return
            stop.request(number.name)
            console.print(
                "stopping: waiting for what is under way on the hosts (^C again leaves at once)"
            )

        return handler

    for number in handled:
        loop.add_signal_handler(number, handle(number))
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


def not_confirmed(why: str, fix: str) -> SanglierError:
    """Make the error for a plan that nobody said yes to."""
    return SanglierError(
        code=Code.NOT_CONFIRMED,
        subject="sanglier",
        what="nothing was changed: the plan was not confirmed",
        why=why,
        fix=fix,
    )


def run_errand(setting: Setting, direction: Direction, *, yes: bool, json_events: bool) -> int:
    """Run an apply or a destroy to its end; gives the exit status."""
    errand = Errand(
        setting=setting,
        direction=direction,
        yes=yes,
        console=make_console(stderr=json_events),
        json_events=json_events,
    )
    try:
        return asyncio.run(errand.run())
    except asyncio.CancelledError:
        raise left_at_once() from None
    except KeyboardInterrupt:
        raise interrupted("SIGINT") from None


def left_at_once() -> SanglierError:
    """Make the error for a run that did not wait for what was under way."""
    return SanglierError(
        code=Code.INTERRUPTED,
        subject="sanglier",
        what="left at once, on the second interrupt",
        why="steps that were under way may still go on on the hosts",
        fix="run the same command again: it waits for them to end and goes on from there",
    )
