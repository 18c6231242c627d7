"""The smallest stack: numbers per host that are to become goals."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.core.action import Run
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.layer import Layer
from sanglier.core.plan import Proposal
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Effect, Mark, Risk, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Height:
    """How high a host has come."""

    metres: int


def address(host: str = "h", layer: str = "toy", subject: str = "s") -> Address:
    return Address(host=host, layer=layer, subject=subject)


def climb(host: str, metres: int) -> Effect:
    return lambda facts: facts.with_(host, Height(metres=metres))


def step(
    summary: str = "climb", host: str = "h", metres: int = 1, *, phase: int = 0,
    risk: Risk = Risk.SAFE, consent: str | None = None, reason: str = "too low",
    argv: tuple[str, ...] = ("climb",),
) -> Step:  # fmt: skip
    return Step(
        address=address(host), phase=phase, mark=Mark.CHANGE, summary=summary, reason=reason,
        actions=(Run(argv=argv),), effect=climb(host, metres), risk=risk, consent=consent,
    )  # fmt: skip


def problem(severity: Severity, code: str = "SG-TOY-001") -> Problem:
    return Problem(
        code=code, severity=severity, address=address(), what="it rains", why="weather", fix="wait"
    )


def layer(name: str, start: int) -> Layer[int]:
    """A layer that takes host ``h`` from ``start`` one metre up, and down again."""

    def propose(goal: int, facts: Facts) -> Proposal:
        now = facts.of("h", Height).metres
        if not start <= now < goal:
            return Proposal()
        return Proposal(steps=(step(f"{name} up from {now}", metres=now + 1),))

    def teardown(goal: int, facts: Facts) -> Proposal:
        now = facts.of("h", Height).metres
        return Proposal(steps=(step(f"{name} down from {now}", metres=now - 1),) if now else ())

    return Layer(
        name=name,
        probes=lambda goal, host: (),
        parse=lambda goal, host, outputs: Height(metres=0),
        propose=propose,
        teardown=teardown,
        status=lambda goal, facts: (),
    )
