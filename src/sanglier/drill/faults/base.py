"""What a fault is: whom it hits, how it begins and ends, how one knows that it took."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sanglier.drill.scene import Role, Scene
from sanglier.spec.cluster import Host

Deed = Callable[[Scene, Host], Awaitable[None]]
Evidence = Callable[[Scene, Host], Awaitable[bool]]


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
    """Whether it is in force, asked right after :attr:`inject`; a no makes the drill UNKNOWN."""
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
    choices: int = 2
    """How many hosts a random schedule may choose from, where there is a choice."""
    opens_s: float = 0.0
    """For how long it may leave a second side open: it opens one itself.  Longer is a failure."""
    alone: bool = False
    """Whether it is refused while something else is wrong, so that it is drawn alone."""
    plain: bool = True
    """Whether random schedules may draw it (short, and one host only)."""
