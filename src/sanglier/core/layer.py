"""What every layer answers: the same few pure questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.probe import Outputs, Probe

G = TypeVar("G")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One line of ``sanglier status``: a thing of a layer on a host, in a few words."""

    host: str
    layer: str
    subject: str
    healthy: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Layer(Generic[G]):
    """A layer of the stack, as five pure functions; ``G`` is what is desired."""

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
