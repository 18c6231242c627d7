"""What is wrong in a cluster file, with its place, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.core.errors import SanglierError

FieldPath = tuple[str | int, ...]
"""Keys and list indexes from the top of the file to a value."""


@dataclass(frozen=True, slots=True)
class Found:
    """A broken rule at a path; ``key`` when the key itself is wrong, not its value."""

    path: FieldPath
    what: str
    fix: str
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake or warning: place, stable code, what is wrong, what to write instead.

    ``line`` and ``column`` count from 1; ``line`` is 0 when the file could not be
    read at all.
    """

    code: str
    file: str
    line: int
    column: int
    path: str
    what: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        subject = f"{place}: {self.path}" if self.path else place
        return f"{subject}: {self.what}  [{self.code}]\n  do:  {self.fix}"


@dataclass(kw_only=True, eq=False)
class SpecErrors(SanglierError):
    """A cluster file cannot be used; carries every mistake, in the order of the file."""

    mistakes: tuple[Mistake, ...]

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


def spec_errors(file: str, mistakes: tuple[Mistake, ...]) -> SpecErrors:
    """Make the exception for the mistakes of ``file`` (at least one)."""
    count = len(mistakes)
    return SpecErrors(
        code=mistakes[0].code,
        subject=file,
        what="1 mistake" if count == 1 else f"{count} mistakes",
        mistakes=mistakes,
    )


def show(value: object, limit: int = 60) -> str:
    """Show a value of the file so that no terminal takes it for a command.

    Control, bidirectional and other unprintable characters become escapes.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int | float):
        return f"the number {value}"
    text = str(value)
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return f'"{escape(cut)}"'


def escape(text: str) -> str:
    """Replace every character that does not print by its escape."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)


def dotted(path: FieldPath) -> str:
    """Write a path as ``volumes.data.on`` or ``storage.disk-a.san[1]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + escape(part)
    return text
