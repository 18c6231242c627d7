"""Plans and problems as JSON and as shell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sanglier.core.plan import Plan
from sanglier.core.problem import Problem
from sanglier.core.step import Step
from sanglier.run.batch import shown_script

Record = dict[str, object]


def step_record(step: Step) -> Record:
    """Give a step as JSON shows it."""
    return {
        "address": str(step.address),
        "host": step.address.host,
        "layer": step.address.layer,
        "phase": step.phase,
        "mark": str(step.mark),
        "summary": step.summary,
        "reason": step.reason,
        "risk": str(step.risk),
        "consent": step.consent,
    }


def problem_record(problem: Problem) -> Record:
    """Give a problem as JSON shows it."""
    return {
        "code": problem.code,
        "severity": str(problem.severity),
        "address": str(problem.address),
        "what": problem.what,
        "why": problem.why,
        "fix": problem.fix,
    }


def plan_record(cluster: str, plan: Plan) -> Record:
    """Give a plan as JSON shows it."""
    return {
        "cluster": cluster,
        "steps": [step_record(step) for step in plan.steps],
        "problems": [problem_record(problem) for problem in plan.problems],
        "missing_consents": list(plan.missing_consents),
    }


def script_lines(plan: Plan) -> Iterator[str]:
    """Give the shell that a plan stands for, host by host, secrets masked."""
    yield "# What `sanglier apply` would run, as root, on each host; secrets are shown as ***."
    yield "# Hosts work at the same time; the number before a step is its place in the whole."
    for host in dict.fromkeys(step.address.host for step in plan.steps):
        yield from ("", f"##### {host} #####")
        yield from _host_lines(host, plan.steps)


def _host_lines(host: str, steps: Iterable[Step]) -> Iterator[str]:
    for number, step in enumerate(steps, start=1):
        if step.address.host == host:
            yield ""
            yield f"# {number}. {step.address.layer}: {step.summary} ({step.reason}) [{step.risk}]"
            yield shown_script(step)
