"""What a fault is: whom it hits, how it begins and ends, how one knows that it took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sanglier.drill.scene import LIMIT_S, Role, Scene
from sanglier.spec.cluster import Host


class Took(StrEnum):
    """Whether a fault is in force, as far as somebody saw it.

    What goes wrong on our side (ssh that breaks, a tool that is missing) is evidence of nothing.
    """

    YES = "it took"
    NO = "it did not take"
    UNKNOWN = "not known"


Deed = Callable[[Scene, Host], Awaitable[None]]
Evidence = Callable[[Scene, Host], Awaitable[Took]]
"""May raise: then it is not known."""


def every(answers: Iterable[Took]) -> Took:
    """It took everywhere, or not somewhere; else it is not known."""
    found = set(answers)
    if Took.NO in found:
        return Took.NO
    return Took.YES if found == {Took.YES} else Took.UNKNOWN


def some(answers: Iterable[Took]) -> Took:
    """It took somewhere, or nowhere; else it is not known."""
    found = set(answers)
    if Took.YES in found:
        return Took.YES
    return Took.NO if found == {Took.NO} else Took.UNKNOWN


def of_status(status: int, *, yes: int = 0, no: int = 1) -> Took:
    """Read a script's exit status; one that means neither (127: there is no such tool) is none."""
    return {yes: Took.YES, no: Took.NO}.get(status, Took.UNKNOWN)


async def shown(scene: Scene, host: Host, text: str, *args: str) -> Took:
    """Ask a host by a script that ends with 0 when the fault is in force, with 1 when it is not."""
    return of_status((await scene.ask(host, text, *args)).status)


def runs(text: str, *args: str, limit: int = LIMIT_S) -> Deed:
    """Run a script on the host that is hit, ``limit`` seconds at most."""

    async def deed(scene: Scene, host: Host) -> None:
        await scene.run(host, text, *args, limit=limit)

    return deed


def shows(text: str, *args: str) -> Evidence:
    """Ask the host that is hit as :func:`shown` does."""

    async def evidence(scene: Scene, host: Host) -> Took:
        return await shown(scene, host, text, *args)

    return evidence


def in_turn(*deeds: Deed) -> Deed:
    """Do one thing after the other."""

    async def deed(scene: Scene, host: Host) -> None:
        for one in deeds:
            await one(scene, host)

    return deed


async def done(_scene: Scene, _host: Host) -> Took:
    """What was injected has looked itself whether it took, or would have raised."""
    return Took.YES


async def nothing(_scene: Scene, _host: Host) -> None:
    """Do nothing: what heals by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of fault."""

    name: str
    explains: str
    """One sentence, after "the fault:"."""
    role: Role
    inject: Deed
    heal: Deed = nothing
    took: Evidence
    """Whether it is in force, asked right after :attr:`inject`; all but a yes makes the drill
    UNKNOWN."""
    hold_s: float
    """Seconds from injection to healing, unless a schedule says otherwise."""
    prediction: str
    """Key of ``spec.predict``; empty when the stall has no bound while the fault lasts."""
    fences: frozenset[Role] = frozenset()
    """Who may be switched off because of it."""
    at_most: int = 1
    """How many of them."""
    kills: bool = False
    """Whether it takes the power of all that it hits, application servers among them."""
    needs_power: bool = False
    needs_pause: bool = False
    """Whether it stops a host together with its clock, which only virtual machines let us do."""
    fence_s: int = 0
    """What the power switches need for it, off and on, seconds.  Where the file's timeouts give a
    fence device less, no kill is confirmed as long as it lasts."""
    choices: int = 2
    """How many hosts a random schedule may choose from, where there is a choice."""
    opens_s: float = 0.0
    """For how long it may leave a second side open: it opens one itself.  Longer is a failure."""
    alone: bool = False
    """Whether it is drawn alone: refused while something else is wrong, or made inside a host, and
    for so long that another fault would take that host away meanwhile."""
    plain: bool = True
    """Whether random schedules may draw it (short, and one host only)."""
    planted: str = ""
    """Name of the check that must find it: it does itself what must never happen, or makes it
    unavoidable, so that a drill with it that is VALID shows a blind prover."""
