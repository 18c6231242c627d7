"""Plans, problems and events for people, on a terminal or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from sanglier.core.plan import Plan, Stage
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Risk, Step
from sanglier.layers.read_back import ReadBack

_MARK_STYLES = {"+": "green", "~": "yellow", "-": "red", ">": "cyan", "<": "magenta"}
_RISK_STYLES = {Risk.DISRUPTIVE: "yellow", Risk.DESTRUCTIVE: "bold red"}
_RISK_WORDS = {Risk.DISRUPTIVE: "disruptive", Risk.DESTRUCTIVE: "DESTROYS DATA"}
_SEVERITY_STYLES = {
    Severity.BLOCKER: "bold red",
    Severity.WARNING: "yellow",
    Severity.WAITING: "cyan",
}
_WIDEST_HOSTS = 24


def make_console(*, stderr: bool = False) -> Console:
    """Make a console that neither wraps into columns nor guesses at styles."""
    return Console(
        stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True, log_path=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Steps that differ in their host only, shown as one line."""

    steps: tuple[Step, ...]

    @property
    def hosts(self) -> str:
        """Names of the hosts."""
        return ", ".join(dict.fromkeys(step.address.host for step in self.steps))

    @property
    def first(self) -> Step:
        """The step that is shown."""
        return self.steps[0]


def fold(steps: Iterable[Step]) -> tuple[Fold, ...]:
    """Put steps with the same words together, in the order of their first."""
    groups: dict[tuple[object, ...], list[Step]] = {}
    for step in steps:
        key = (step.phase, step.mark, step.summary, step.reason, step.risk, bool(step.consent))
        groups.setdefault(key, []).append(step)
    return tuple(Fold(steps=tuple(group)) for group in groups.values())


def counted(number: int, noun: str) -> str:
    """Say ``1 step``, ``2 steps``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def step_line(fold: Fold, width: int, given: frozenset[str]) -> Text:
    """Show ``hosts  mark summary — reason  [risk]``."""
    step = fold.first
    line = Text(f"  {fold.hosts:<{width}}  ")
    line.append(str(step.mark), style=_MARK_STYLES.get(str(step.mark), ""))
    line.append(f" {step.summary}", style="red" if step.risk is Risk.DESTRUCTIVE else "")
    line.append(f" — {step.reason}", style="dim")
    words = [_RISK_WORDS[step.risk]] if step.risk in _RISK_WORDS else []
    words += [_consent_words(s.consent, given) for s in fold.steps if s.consent]
    if words:
        line.append(f"  [{', '.join(words)}]", style=_RISK_STYLES.get(step.risk, ""))
    return line


def _consent_words(consent: str, given: frozenset[str]) -> str:
    return f"consented: {consent}" if consent in given else f"needs --allow {consent}"


def _detail_lines(fold: Fold) -> Iterator[Text]:
    shown: set[tuple[str, ...]] = set()
    for step in fold.steps:
        if step.detail and step.detail not in shown:
            shown.add(step.detail)
            for line in step.detail:
                style = {"+": "green", "-": "red"}.get(line[:1], "dim")
                yield Text(f"        {line}", style=style)


def _stage_lines(stage: Stage, width: int, plan: Plan, verbose: bool) -> Iterator[Text]:
    yield Text(stage.layer, style="bold")
    for group in fold(stage.proposal.steps):
        yield step_line(group, width, plan.consents)
        if verbose:
            yield from _detail_lines(group)


def plan_lines(plan: Plan, *, verbose: bool = False) -> Iterator[Text]:
    """Show all steps, grouped by layer."""
    stages = [stage for stage in plan.stages if stage.proposal.steps]
    folds = [group for stage in stages for group in fold(stage.proposal.steps)]
    width = min(_WIDEST_HOSTS, max((len(group.hosts) for group in folds), default=0))
    for stage in stages:
        yield from _stage_lines(stage, width, plan, verbose)


def summary_line(plan: Plan) -> Text:
    """Count the steps by risk."""
    risks = Counter(step.risk for step in plan.steps)
    hosts = len({step.address.host for step in plan.steps})
    told = [f"{risks[risk]} {risk}" for risk in Risk if risks[risk]]
    text = f"{counted(len(plan.steps), 'step')} on {counted(hosts, 'host')}: {', '.join(told)}"
    return Text(text, style="bold")


def problem_lines(problems: Iterable[Problem]) -> Iterator[Text]:
    """Show problems, the worst first."""
    for severity in Severity:
        for problem in problems:
            if problem.severity is severity:
                yield problem_text(problem)


def problem_text(problem: Problem) -> Text:
    """Show a problem with its why and its fix."""
    text = Text(f"{problem.severity}: ", style=_SEVERITY_STYLES[problem.severity])
    text.append(str(problem), style="default not bold")
    return text


def show_plan(console: Console, plan: Plan, *, verbose: bool = False) -> None:
    """Show the whole plan: steps, counts, problems, missing consents."""
    for line in plan_lines(plan, verbose=verbose):
        console.print(line)
    if plan.steps:
        console.print()
        console.print(summary_line(plan))
    show_problems(console, plan.problems)
    if plan.missing_consents:
        words = " ".join(f"--allow {consent}" for consent in plan.missing_consents)
        console.print(Text(f"missing consent; to give it, add: {words}", style="bold red"))


def show_read_back(console: Console, found: ReadBack) -> None:
    """Say in one line whether the timeouts in force are the wanted ones, where any was read."""
    if found.values:
        console.print(found.sentence, style="" if found.good else "red")


def show_problems(console: Console, problems: Iterable[Problem]) -> None:
    """Show problems, one below the other."""
    for line in problem_lines(tuple(problems)):
        console.print(line)
