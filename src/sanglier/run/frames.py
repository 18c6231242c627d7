"""Markers that frame the answers of a host, so that no noise is taken for an answer.

Every run of a script has its own random nonce; login banners, shell start-up
files and the commands themselves cannot print it by accident.
"""

from __future__ import annotations

import secrets as random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Marker:
    """The marker of one script, with the shell that prints it."""

    nonce: str = field(default_factory=lambda: random.token_hex(8))

    @property
    def word(self) -> str:
        """First word of every marker line."""
        return f"@sanglier-{self.nonce}"

    def define(self) -> str:
        """Shell functions ``_begin NAME`` and ``_end NAME STATUS``.

        ``_end`` prints a newline of its own first, so that an answer without
        one at its end is framed too; :class:`Framer` takes it off again.  Then it sets back what a
        frame may have changed that had no shell of its own.
        """
        back = 'set +f; unset IFS; cd "$_home" || cd /'
        return (
            "_home=$PWD\n"
            f"_begin() {{ printf '%s\\n' \"{self.word} begin $1\"; }}\n"
            f"_end() {{ printf '\\n%s\\n' \"{self.word} end $1 $2\"; {back}; }}\n"
        )

    def frame(self, name: str, body: str, *, plain: bool = False) -> str:
        """Run ``body``, stderr with stdout, framed as ``name``; in a subshell unless plain."""
        left, right = ("{", "}") if plain else ("(", ")")
        return f"_begin {name}\n{left}\n{body}\n{right} </dev/null 2>&1 9>&-\n_end {name} $?"


@dataclass(frozen=True, slots=True)
class Began:
    """The frame ``name`` was opened."""

    name: str


@dataclass(frozen=True, slots=True)
class Inside:
    """A line inside the frame ``name``."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The frame ``name`` was closed; ``text`` is exactly what was printed in it."""

    name: str
    status: int
    text: str


Happening = Began | Inside | Ended


@dataclass(slots=True)
class Framer:
    """Take lines in, give what they mean; lines outside of frames are noise."""

    marker: Marker
    open: str | None = None
    lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> Happening | None:
        """Judge one line (without its newline)."""
        words = line.rstrip("\r").split(" ")
        if words[0] == self.marker.word:
            return self._mark(words[1:])
        if self.open is None:
            return None
        self.lines.append(line)
        return Inside(self.open, line)

    def _mark(self, words: list[str]) -> Happening | None:
        match words:
            case ["begin", name]:
                self.open, self.lines = name, []
                return Began(name)
            case ["end", name, status] if name == self.open and status.isdigit():
                self.open = None
                return Ended(name, int(status), "\n".join(self.lines))
        return None
