"""Judge the timeouts in force: is each the wanted one, and do they keep the budget?

The inequalities are computed from what was read back, not from the file.  Hosts may
differ from each other, so every mixture of what is in force must keep them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, product

from sanglier.core.facts import Facts
from sanglier.core.problem import Problem
from sanglier.core.runtime_value import RuntimeValue
from sanglier.layers.base import Goal
from sanglier.layers.cluster import sides
from sanglier.layers.multipath.desired import QUEUES
from sanglier.layers.runtime import runtime_values
from sanglier.spec.budget import Inequality, Kind, inequalities
from sanglier.spec.cluster import Timings

MOST_MIXTURES = 10_000
"""Enough for four kinds of which ten hosts have each their own; bounds the time of a check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """What is in force on the hosts, judged."""

    values: tuple[RuntimeValue, ...]
    broken: tuple[Inequality, ...]
    """Hard inequalities that fail with the values in force, each at its worst."""
    opened: tuple[Problem, ...] = ()
    """Sides that take I/O by nobody's order: no timeout bounds what comes of that."""

    @property
    def differing(self) -> tuple[RuntimeValue, ...]:
        """Values in force that are not the wanted ones."""
        return tuple(v for v in self.values if v.actual is not None and v.differs)

    @property
    def absent(self) -> tuple[RuntimeValue, ...]:
        """Values of which none is in force: what they belong to is not there, or silent."""
        return tuple(v for v in self.values if v.actual is None)

    @property
    def read(self) -> int:
        """How many values are in force."""
        return len(self.values) - len(self.absent)

    @property
    def good(self) -> bool:
        """Whether no value in force differs, and the budget holds with them."""
        return not self.differing and not self.broken and not self.opened

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        told = f"{self.read} values read back from the kernels and daemons"
        lacking = f"; {len(self.absent)} are not in force" if self.absent else ""
        if self.good:
            return f"Timeouts in force: {told}, all as wanted, and they keep the budget{lacking}."
        wrong = [f"{len(self.differing)} not as wanted"] if self.differing else []
        wrong += [f"hard inequality {i.code} fails" for i in self.broken]
        wrong += [f"{p.address.host} is open by nobody's order" for p in self.opened]
        return f"Timeouts in force: {told}, {', '.join(wrong)}{lacking}."


def read_back(goal: Goal, facts: Facts) -> ReadBack:
    """Judge what the facts hold of the running kernels and daemons."""
    values = runtime_values(goal, facts)
    return ReadBack(
        values=values,
        broken=tuple(broken(goal.cluster.timings, values)),
        opened=tuple(sides.problem(found) for found in sides.opened(goal, facts)),
    )


Part = tuple[tuple[str, int], ...]
"""Timeouts that are in force together: those of one session, one disk, one daemon."""


def _parts(values: Iterable[RuntimeValue]) -> Iterator[Part]:
    together: dict[tuple[str, str, str], dict[str, int]] = {}
    for value in values:
        if value.timing:
            key = (value.host, value.layer, value.subject)
            together.setdefault(key, {})[value.timing] = value.number
    return (tuple(part.items()) for part in together.values())


def mixtures(timings: Timings, values: Iterable[RuntimeValue]) -> Iterator[Timings]:
    """Give every set of timeouts that a fault can meet: one part of each kind.

    Where nothing is in force, the wanted value stands for it.
    """
    kinds: dict[tuple[str, ...], dict[Part, None]] = {}
    for part in _parts(values):
        kinds.setdefault(tuple(name for name, _ in part), {})[part] = None
    for mixture in islice(product(*kinds.values()), MOST_MIXTURES):
        found: Mapping[str, int] = {name: number for part in mixture for name, number in part}
        yield replace(timings, **found)  # type: ignore[arg-type]  # all of these fields are int


def broken(timings: Timings, values: tuple[RuntimeValue, ...]) -> Iterator[Inequality]:
    """Give the hard inequalities that fail with what is in force, each at its worst."""
    worst: dict[str, Inequality] = {}
    for mixture in mixtures(timings, values):
        for found in inequalities(mixture):
            if found.kind is Kind.HARD and _margin(found) < _margin(worst.get(found.code)):
                worst[found.code] = found
    for code, found in worst.items():
        if not found.holds:
            yield found
        elif text := _given_no_longer(values).get(code):
            yield replace(found, text=text, left_s=None, right_s=None, margin_s=None, holds=False)


def _margin(found: Inequality | None) -> float:
    """Give how far it is from failing; what holds by construction comes before nothing."""
    if found is None:
        return float("inf")
    return found.margin_s if found.margin_s is not None else 1e9


def _given_no_longer(values: tuple[RuntimeValue, ...]) -> Mapping[str, str]:
    """Say of each inequality that holds by what we write why it does not by what is in force."""
    forever = {"no_path_retry": "queue", "queueing": QUEUES}
    gives_up = [
        f"{v.name} is {v.actual} on {v.host}"
        for v in values
        if v.layer == "multipath" and v.actual not in {None, forever.get(v.word, v.actual)}
    ]
    servers: dict[str, list[str | None]] = {}
    for value in values:
        if value.layer == "ocfs2" and value.timing:
            servers.setdefault(value.host, []).append(value.actual)
    apart = len({tuple(found) for found in servers.values() if None not in found}) > 1
    return {
        **({"I2": f"no_path_retry is queue: {', '.join(gives_up)}"} if gives_up else {}),
        **({"I8": f"o2cb's values are equal on {', '.join(servers)}"} if apart else {}),
    }
