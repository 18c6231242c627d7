"""Compare what was acknowledged with what is there.

A record that was never acknowledged may be there (its writer was cut before the word
reached us); an acknowledged one must be, exactly once, whole and in order.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from sanglier.drill.history import History
from sanglier.drill.result import Verdict

RECORD = re.compile(r"^(?P<writer>\S+) (?P<number>[0-9]+) \.*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendCheck:
    """One writer's file as one server reads it."""

    writer: str
    reader: str
    acknowledged: int
    present: int
    lost: tuple[int, ...]
    duplicated: tuple[int, ...]
    torn: tuple[str, ...]
    disordered: bool

    @property
    def verdict(self) -> Verdict:
        """VALID only when something was acknowledged and nothing is wrong."""
        if self.lost or self.duplicated or self.torn or self.disordered:
            return Verdict.INVALID
        return Verdict.VALID if self.acknowledged else Verdict.UNKNOWN


def check_appends(history: History, reader: str, content: str) -> AppendCheck:
    """Check one writer's file."""
    numbers, torn = [], []
    for line in content.splitlines():
        match = RECORD.match(line)
        if match and match["writer"] == history.writer and len(line) == 63:
            numbers.append(int(match["number"]))
        else:
            torn.append(line)
    counts = Counter(numbers)
    return AppendCheck(
        writer=history.writer,
        reader=reader,
        acknowledged=len(history.numbers),
        present=len(counts),
        lost=tuple(sorted(history.numbers - counts.keys())),
        duplicated=tuple(sorted(n for n, count in counts.items() if count > 1)),
        torn=tuple(torn),
        disordered=numbers != sorted(numbers),
    )
