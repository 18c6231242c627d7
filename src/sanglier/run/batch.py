"""The steps of one host in one phase: one script, one round trip, live events."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sanglier.core.action import Action, Carried, RemoveFile, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.errors import SanglierError
from sanglier.core.events import Outcome, Sink, StepEnded, StepStarted
from sanglier.core.secret import Secret, mask
from sanglier.core.shell import render
from sanglier.core.step import Step
from sanglier.layers.files import REREAD
from sanglier.run.codes import Code
from sanglier.run.far_side import BUSY_STATUS, LOCK_WAIT_S, step_lock
from sanglier.run.frames import Began, Ended, Framer, Happening, Inside, Marker
from sanglier.run.gather import busy
from sanglier.run.step_errors import step_error
from sanglier.run.transport import Result, Transport
from sanglier.spec.cluster import Host

OUTPUT_KEPT = 64 * 1024
"""Characters of a step's output that are kept: its beginning and its end."""


def step_body(step: Step, *, reveal: bool) -> str:
    """Render a step as the inside of a subshell that ends at the first failing action.

    ``set -e`` ends simple commands; the test after each action also catches an
    and-or list, of which ``set -e`` ignores all but the last command (POSIX 2.14).
    """
    parts = ["set -e"]
    for action in step.actions:
        parts += [render(action, reveal=reveal), '_s=$?; [ "$_s" = 0 ] || exit "$_s"']
    return "\n".join(parts)


def left_to_a_later(steps: Sequence[Step]) -> frozenset[int]:
    """Number the steps that need not have systemd read its files: one soon after them does.

    Between the two there are only files, so nothing runs by what systemd has not read.
    """
    left: set[int] = set()
    waiting: list[int] = []
    for number, step in enumerate(steps):
        if REREAD in step.actions:
            left.update(waiting)
            waiting = [number] if step.actions[-1] == REREAD else []
        elif not all(isinstance(action, WriteFile | RemoveFile) for action in step.actions):
            waiting = []
    return frozenset(left)


Told = Mapping[Address, str]
"""What steps printed that ended well, by their addresses."""


def filled(step: Step, told: Told) -> Step:
    """Put in what earlier steps told; a word of a step that did not run stays its name."""
    return replace(step, actions=tuple(_filled(action, told) for action in step.actions))


def _filled(action: Action, told: Told) -> Action:
    if not isinstance(action, Script):
        return action
    words = (told.get(w.source, w) if isinstance(w, Carried) else w for w in action.args)
    return replace(action, args=tuple(words))


def secrets_of(steps: Sequence[Step]) -> tuple[Secret, ...]:
    """List the secrets that the actions of ``steps`` carry."""
    found: list[Secret] = []
    for step in steps:
        for action in step.actions:
            values = action.args if isinstance(action, Script) else ()
            contents = (action.content,) if isinstance(action, WriteFile) else ()
            found += [value for value in (*values, *contents) if isinstance(value, Secret)]
    return tuple(found)


def shown_script(step: Step) -> str:
    """Render a step for people and journals: secrets masked."""
    return "\n".join(render(action, reveal=False) for action in step.actions)


def _break_off(left: Collection[int], number: int) -> str:
    """End the script at a step that failed; what was left to it, or to one after it, is done."""
    owed = any(one < number for one in left)
    return f"{{ {render(REREAD, reveal=True)} >/dev/null 2>&1; exit 0; }}" if owed else "exit 0"


def batch_script(steps: Sequence[Step], marker: Marker, state_dir: str) -> str:
    """Put steps into one script under the exclusive step lock; the first failure ends it.

    The body of a step runs as a plain command, because ``set -e`` means nothing
    inside ``if`` or ``||``; its lock descriptor is closed, because a daemon that
    it starts would keep the lock for ever.
    """
    parts = [marker.define(), step_lock(state_dir, shared=False)]
    left = left_to_a_later(steps)
    for number, step in enumerate(steps):
        shorter = replace(step, actions=step.actions[:-1]) if number in left else step
        body = step_body(shorter, reveal=True)
        parts += [
            f"_begin {number}",
            f"(\n{body}\n) </dev/null 2>&1 9>&-",
            f'_t=$?\n_end {number} "$_t"\n[ "$_t" = 0 ] || {_break_off(left, number)}',
        ]
    return "\n".join(parts)


def clip(text: str, kept: int = OUTPUT_KEPT) -> str:
    """Keep the beginning and the end of a long text."""
    if len(text) <= kept:
        return text
    half = kept // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half} characters left out …]\n{text[-half:]}"


@dataclass(slots=True)
class Batch:
    """The steps of one host in one phase, under way or done."""

    host: Host
    steps: Sequence[Step]
    sink: Sink
    hide: tuple[Secret, ...]
    carried: Told = field(default_factory=dict)
    told: dict[Address, str] = field(default_factory=dict)
    framer: Framer = field(default_factory=lambda: Framer(Marker()))
    ended: dict[int, int] = field(default_factory=dict)
    errors: list[SanglierError] = field(default_factory=list)
    _began_at: float = 0.0
    _running: int | None = None
    _broken: Exception | None = None

    async def run(self, transport: Transport) -> None:
        """Run all steps; errors are collected, never raised; skipped steps are told."""
        steps = [filled(step, self.carried) for step in self.steps]
        script = batch_script(steps, self.framer.marker, transport.state_dir)
        limit = sum(step.limit for step in self.steps) + LOCK_WAIT_S
        try:
            result = await transport.run(self.host, script, limit=limit, on_line=self._take)
            if not self.errors and len(self.ended) < len(self.steps):
                self.errors.append(self._nothing_ran(result))
        except SanglierError as error:
            self._break_off(error)
        self._skip_rest()

    def _nothing_ran(self, result: Result) -> SanglierError:
        if result.status == BUSY_STATUS:
            return busy(self.host)
        return SanglierError(
            code=Code.STEP_FAILED,
            subject=self.host.name,
            what=f"its steps could not be begun (exit status {result.status})",
            why=mask(result.text, self.hide).strip()[-400:] or "it said nothing",
            fix="see that /run is writable there, then run the same command again",
        )

    @property
    def done(self) -> tuple[Step, ...]:
        """Steps that ended well."""
        return tuple(s for n, s in enumerate(self.steps) if self.ended.get(n) == 0)

    def _take(self, line: str) -> None:
        happening = self.framer.feed(line)
        if happening is not None:
            self._tell(happening)

    def _tell(self, happening: Happening) -> None:
        match happening:
            case Began(name=name):
                self._begin(int(name))
            case Ended(name=name, status=status, text=text):
                self._end(int(name), status, text)
            case Inside():
                pass

    def _begin(self, number: int) -> None:
        step = self.steps[number]
        self._running, self._began_at = number, time.monotonic()
        self.sink(
            StepStarted(
                address=str(step.address),
                host=self.host.name,
                summary=step.summary,
                script=mask(shown_script(step), self.hide),
            )
        )

    def _end(self, number: int, status: int | None, text: str, because: str = "") -> None:
        step = self.steps[number]
        self._running = None
        output = clip(mask(text, self.hide))
        if status is not None:
            self.ended[number] = status
        if status == 0:
            self.told[step.address] = text.strip()
        self.sink(
            StepEnded(
                address=str(step.address),
                host=self.host.name,
                summary=step.summary,
                outcome=Outcome.DONE if status == 0 else Outcome.FAILED,
                status=status,
                seconds=time.monotonic() - self._began_at,
                output=output,
                because=because,
            )
        )
        if status:
            self.errors.append(step_error(step, status, output))

    def _break_off(self, error: SanglierError) -> None:
        """End the step under way when the host stopped answering."""
        self.errors.append(error)
        if self._running is not None:
            number = self._running
            self.ended[number] = -1
            self._end(number, None, "\n".join(self.framer.lines), f"{error.what} [{error.code}]")

    def _skip_rest(self) -> None:
        because = self.errors[0] if self.errors else None
        rest = [step for n, step in enumerate(self.steps) if n not in self.ended]
        for step in rest:
            skip(step, self.sink, f"{because.subject}: {because.what}" if because else "no answer")


def skip(step: Step, sink: Sink, because: str) -> None:
    """Tell that a step does not run, and why."""
    sink(
        StepEnded(
            address=str(step.address),
            host=step.address.host,
            summary=step.summary,
            outcome=Outcome.SKIPPED,
            because=because,
        )
    )
