"""The typed stream that feeds the console, the journal and the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a step ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A verb began to work on a cluster."""

    verb: str
    cluster: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A host was read."""

    host: str
    layers: tuple[str, ...]
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStarted:
    """A layer's steps begin."""

    layer: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step began on its host."""

    address: str
    host: str
    summary: str
    script: str
    """The shell that runs, secrets masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnded:
    """A step ended, or was skipped because of ``because``."""

    address: str
    host: str
    summary: str
    outcome: Outcome
    status: int | None = None
    seconds: float = 0.0
    output: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueInForce:
    """A timeout on a host that is not the wanted one; ``actual`` is null when none is in force."""

    host: str
    layer: str
    name: str
    wanted: str
    actual: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBackDone:
    """The timeouts in force were read back from the kernels and daemons."""

    read: int
    differing: tuple[ValueInForce, ...]
    absent: tuple[ValueInForce, ...]
    broken: tuple[str, ...]
    """Codes of the hard inequalities that fail with what is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The verb is over."""

    verb: str
    done: int
    failed: int
    skipped: int
    seconds: float
    code: str = ""
    """Code of the error that stopped it; empty when all went well."""


Event = RunStarted | Gathered | LayerStarted | StepStarted | StepEnded | ReadBackDone | RunEnded
Sink = Callable[[Event], None]


def unheard(_event: Event) -> None:
    """Tell nobody: the sink of what only reads."""
