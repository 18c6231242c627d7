"""What runs on a host, as values: nothing from the cluster file is ever shell text.

A :class:`Script` holds constant shell text of ours and its arguments apart; the
arguments become positional parameters, quoted in :mod:`sanglier.core.shell` only.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.core.address import Address
from sanglier.core.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What the step ``source`` of an earlier phase printed, without the space around it.

    Nobody knows it when the plan is shown, so the plan and its fingerprint name the source only.
    It goes through this machine and into the journal in the clear: never a private key.
    """

    source: Address

    def __str__(self) -> str:
        return f"<{self.source}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One command as argv.  Secrets are not allowed here: argv is public on a host."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Constant POSIX shell text; values come as ``$1``, ``$2``…

    A :class:`Secret` argument is passed to a shell function, never to a
    process, so it does not show in ``ps``.
    """

    text: str
    args: tuple[str | Secret | Carried, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFile:
    """Write a whole file atomically (temporary file beside it, then rename)."""

    path: str
    content: str | Secret
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFile:
    """Remove a file that may be gone already."""

    path: str


Action = Run | Script | WriteFile | RemoveFile
