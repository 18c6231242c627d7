"""Cross reads: what one server reads of another's registers while both run.

They make a stale read certain, never a matter of clocks.  We ask a server to read
a block only after the acknowledgement of some version has *arrived* here; its write was then
complete and durable before the reader could know of the question, so the answer must be that
version or a newer one.  The version asked for is recorded with the question.  An answer that shows
two versions at once read a write under way: it is judged by the older.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sanglier.drill.history import Event, History, Kind
from sanglier.drill.workloads.base import Ask, Outstanding

NO_SUCH_FILE = "2"
"""ENOENT, errno(3)."""
Register = tuple[str, int]
"""A writer and its block."""


@dataclass(slots=True, kw_only=True)
class CrossReads:
    """Asks each server for what another one had acknowledged last."""

    period_s: float
    newest: dict[Register, int] = field(default_factory=dict)
    last: dict[str, Register] = field(default_factory=dict)
    waiting: Outstanding = field(default_factory=Outstanding)
    count: int = 0

    def hear(self, writer: str, event: Event) -> None:
        """Learn what is acknowledged and what is answered."""
        if event.kind is Kind.ACK:
            register = (writer, int(event.words[1]))
            self.newest[register] = int(event.op)
            self.last[writer] = register
        elif event.kind is Kind.ANSWER:
            self.waiting.answer(writer, event.op)

    def call(self, writers: Sequence[str]) -> tuple[Ask, ...]:
        """Ask everyone that owes no answer."""
        return self.waiting.asks(writers, self._ask)

    def _ask(self, reader: str) -> Ask | None:
        others = sorted(writer for writer in self.last if writer != reader)
        if not others:
            return None
        self.count += 1
        writer, block = self.last[others[self.count % len(others)]]
        token, least = str(self.count), self.newest[writer, block]
        self.waiting.ask(reader, token)
        return Ask(writer=reader, words=("read", token, writer, str(block), str(least)))


def below(versions: str, least: int) -> bool:
    """Whether any of the versions is older than the one that must be there."""
    return any(v.isdigit() and int(v) < least for v in versions.split(","))


def in_pieces(versions: str, *, clean: bool) -> bool:
    """Whether a block has what nobody wrote, or pieces of two writes although none was cut."""
    return "?" in versions.split(",") or ("," in versions and clean)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossRead:
    """One question and its answer."""

    reader: str
    subject: str
    """Writer and block."""
    least: int
    """The version acknowledged before the question."""
    answer: tuple[str, ...]

    @property
    def gone(self) -> bool:
        """Whether a file was not there that had been written to."""
        return self.answer[:2] == ("error", NO_SUCH_FILE)

    @property
    def stale(self) -> bool:
        """Whether it saw less than was acknowledged."""
        return self.gone or (self.answer[0] != "error" and below(self.answer[0], self.least))

    @property
    def torn(self) -> bool:
        """Whether it saw something that nobody wrote there."""
        return self.answer[0] != "error" and in_pieces(self.answer[0], clean=False)

    def __str__(self) -> str:
        return (
            f"{self.reader} read {self.subject}: {' '.join(self.answer)}, "
            f"after version {self.least} was acknowledged"
        )


def cross_reads(histories: Sequence[History]) -> tuple[CrossRead, ...]:
    """Pair questions and answers; a question without answer is none."""
    found = []
    for history in histories:
        answers = {e.op: e.words[1:] for e in history.events if e.kind is Kind.ANSWER}
        asks = [e.words for e in history.events if e.kind is Kind.ASK]
        for _, token, writer, block, least in asks:
            if token in answers:
                found.append(
                    CrossRead(
                        reader=history.writer,
                        subject=f"{writer} block {block}",
                        least=int(least),
                        answer=answers[token],
                    )
                )
    return tuple(found)
