"""What every layer answers: the same few pure questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.probe import Outputs, Probe

G_contra = TypeVar("G_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLine:
    """One line of ``sanglier status``: a thing of a layer on a host, in a few words."""

    host: str
    layer: str
    subject: str
    healthy: bool
    text: str


class Layer(Protocol[G_contra]):
    """A layer of the stack.  Everything here is pure; ``goal`` is what is desired."""

    @property
    def name(self) -> str:
        """Name of the layer, unique and stable."""
        ...

    def probes(self, goal: G_contra, host: str) -> tuple[Probe, ...]:
        """Read-only questions for ``host``; empty when the layer has no part there."""
        ...

    def parse(self, goal: G_contra, host: str, outputs: Outputs) -> object:
        """Turn the answers into this layer's facts; never raises on odd text."""
        ...

    def propose(self, goal: G_contra, facts: Facts) -> Proposal:
        """Steps from ``facts`` to the goal, and problems; empty when converged."""
        ...

    def teardown(self, goal: G_contra, facts: Facts) -> Proposal:
        """Steps that remove this layer's part; empty when it is gone."""
        ...

    def status(self, goal: G_contra, facts: Facts) -> tuple[StatusLine, ...]:
        """Tell the state in a few words per thing."""
        ...
