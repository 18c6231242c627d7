"""The only place where values become shell text."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from sanglier.core.action import Action, Carried, RemoveFile, Run, Script, WriteFile
from sanglier.core.secret import Secret


def quote(value: str | Secret | Carried, *, reveal: bool) -> str:
    """Quote one word for POSIX sh.

    Raises ``ValueError`` for NUL, which no argument can carry.
    """
    text = value.reveal() if reveal and isinstance(value, Secret) else str(value)
    if "\0" in text:
        raise ValueError("a NUL byte cannot be passed to a command")
    return shlex.quote(text)


def _words(values: Iterable[str | Secret | Carried], reveal: bool) -> str:
    return " ".join(quote(value, reveal=reveal) for value in values)


def _script(action: Script, reveal: bool) -> str:
    """Run the text as a function body, so that arguments stay out of ``ps``."""
    body = action.text.strip("\n")
    return f"_f() {{\n{body}\n}}\n_f {_words(action.args, reveal)}".rstrip()


def _write(action: WriteFile, reveal: bool) -> str:
    """Write through cat(1): the shell's own printf says "I/O error" for a full disk."""
    path = quote(action.path, reveal=True)
    temporary = quote(action.path + ".sanglier-new", reveal=True)
    parent = quote(action.path.rsplit("/", 1)[0] or "/", reveal=True)
    umask = f"{0o777 & ~action.mode:03o}"
    content = quote(action.content, reveal=reveal)
    executable = f"chmod {action.mode:04o} {temporary}\n" if action.mode & 0o111 else ""
    return (
        f"[ -d {parent} ] || mkdir -p {parent}\n"
        f"rm -f {temporary}\n"
        f"(umask {umask}; printf '%s' {content} | cat > {temporary})\n"
        f"{executable}"
        f"mv -f {temporary} {path}"
    )


def render(action: Action, *, reveal: bool) -> str:
    """Render an action as sh text, to be run under ``set -e``.

    ``reveal=False`` masks secrets: for plans, scripts shown to people, logs.
    """
    match action:
        case Run(argv=argv):
            return _words(argv, reveal)
        case Script():
            return _script(action, reveal)
        case WriteFile():
            return _write(action, reveal)
        case RemoveFile(path=path):
            return f"rm -f {quote(path, reveal=True)}"
