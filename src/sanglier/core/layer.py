"""What every layer answers: the same few pure questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.probe import Outputs, Probe
from sanglier.core.runtime_value import RuntimeValue

G = TypeVar("G")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One line of ``sanglier status``: a thing of a layer on a host, in a few words."""

    host: str
    layer: str
    subject: str
    healthy: bool
    text: str


def _nothing(_: object, __: Facts) -> tuple[RuntimeValue, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Layer(Generic[G]):
    """A layer of the stack, as pure functions; ``G`` is what is desired.

    Those with a default are what only some layers have.
    """

    name: str
    """Unique and stable."""
    probes: Callable[[G, str], tuple[Probe, ...]]
    """Read-only questions for a host; empty when the layer has no part there."""
    parse: Callable[[G, str, Outputs], object]
    """Turn the answers into this layer's facts; never raises on odd text."""
    propose: Callable[[G, Facts], Proposal]
    """Steps from the facts to the goal, and problems; empty when converged."""
    teardown: Callable[[G, Facts], Proposal]
    """Steps that remove this layer's part; empty when it is gone."""
    status: Callable[[G, Facts], tuple[StatusLine, ...]]
    """Tell the state in a few words per thing."""
    in_force: Callable[[G, Facts], Iterable[RuntimeValue]] = _nothing
    """Give the timeouts that the running kernel and daemons have, beside the wanted ones."""
