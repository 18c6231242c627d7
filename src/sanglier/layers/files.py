"""Whole files as facts and as steps: most of what the layers want is a file.

A file without secrets is read whole, so that a plan can show the difference; a
file with secrets is read as a SHA-256 digest, so that no secret leaves the host.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sanglier.core.action import Action, RemoveFile, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.probe import Output, Probe
from sanglier.core.secret import Secret
from sanglier.core.step import Effect, Mark, Risk, Step

HEADER = (
    "# Written by sanglier from the cluster's file; `sanglier apply` mends changes made here.\n"
)

UNIT_DIR = "/etc/systemd/system"
"""Where units and drop-ins of the server's own are, systemd.unit(5)."""
OWED = "/run/sanglier/reread"
"""There while systemd has not read a file of its own that a run wrote."""
OWE = Script(text='mkdir -p "${1%/*}"; : > "$1"', args=(OWED,))
REREAD = Script(text='systemctl daemon-reload; rm -f "$1"', args=(OWED,))
READ = Script(text='tail -v -n +1 -- "$@" 2>/dev/null; :')
DIGEST = Script(text='sha256sum -- "$@" 2>/dev/null; :')


def read_probe(name: str, paths: tuple[str, ...]) -> Probe:
    """Ask for whole files; :func:`parse_read`."""
    script = Script(text=READ.text, args=paths)
    return Probe(name=name, script=script, part=_read_part, plain=True)


def digest_probe(name: str, paths: tuple[str, ...]) -> Probe:
    """Ask for digests of files; :func:`parse_digest`."""
    script = Script(text=DIGEST.text, args=paths)
    return Probe(name=name, script=script, part=_digest_part, plain=True)


def _digest_part(text: str, _paths: Collection[str], mine: Collection[str]) -> str:
    return "\n".join(line for line in text.split("\n") if line.partition("  ")[2] in mine)


def _read_part(text: str, paths: Collection[str], mine: Collection[str]) -> str:
    """Return the files of ``mine``, each behind its header."""
    found = _bodies(text, paths)
    kept = (path for path in found if path in mine)
    return "\n\n".join("\n".join((_header(path), *found[path])) for path in kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file as it should be."""

    path: str
    content: str | Secret
    mode: int = 0o644

    @property
    def text(self) -> str:
        """Content in the clear."""
        return self.content if isinstance(self.content, str) else self.content.reveal()

    @property
    def state(self) -> str:
        """What reading the host must give for this file: a digest or the content."""
        return content_state(self.text)


def content_state(text: str) -> str:
    """Digest of a content, ignoring newlines at its very end (probes lose them)."""
    return hashlib.sha256(text.rstrip("\n").encode() + b"\n").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file as it is: its digest, and its text where it may be shown."""

    digest: str
    text: str | None = None


Files = Mapping[str, FileState]


def parse_read(output: Output, paths: tuple[str, ...]) -> dict[str, FileState]:
    """Parse what ``tail -v -n +1 FILE…`` printed, tail(1): a header before each file.

    An empty line that tail puts between files belongs to none of them.
    """
    return {path: as_file("\n".join(b)) for path, b in _bodies(output.text, paths).items()}


def _header(path: str) -> str:
    return f"==> {path} <=="


def _bodies(text: str, paths: Collection[str]) -> dict[str, list[str]]:
    headers = {_header(path): path for path in paths}
    bodies: dict[str, list[str]] = {}
    body: list[str] = []
    for line in text.split("\n"):
        if line in headers and headers[line] not in bodies:
            if body and body[-1] == "":
                body.pop()
            body = bodies.setdefault(headers[line], [])
        else:
            body.append(line)
    return bodies


def as_file(text: str) -> FileState:
    """Give the state of a file that may be shown."""
    return FileState(digest=content_state(text), text=text)


def parse_digest(output: Output) -> dict[str, FileState]:
    """Parse what ``sha256sum FILE…`` printed, sha256sum(1)."""
    found = {}
    for line in output.lines:
        digest, _, path = line.partition("  ")
        if len(digest) == 64 and path:
            found[path] = FileState(digest=digest)
    return found


def as_read(wanted: WantedFile) -> FileState:
    """Predict what reading the file gives once it is written."""
    text = wanted.content if isinstance(wanted.content, str) else None
    return FileState(digest=wanted.state, text=text)


def differs(wanted: WantedFile, files: Files) -> bool:
    """Tell whether the file on the host is not as wanted."""
    state = files.get(wanted.path)
    return state is None or state.digest != wanted.state


def _difference(wanted: WantedFile, state: FileState | None) -> tuple[str, ...]:
    if state is None or state.text is None or not isinstance(wanted.content, str):
        return ()
    lines = difflib.unified_diff(
        state.text.splitlines(), wanted.content.splitlines(), "on the host", "wanted", lineterm=""
    )
    return tuple(lines)[2:]


def _read_anew(path: str, deed: Action, then: tuple[Action, ...] = ()) -> tuple[Action, ...]:
    """Make what has changed count: systemd reads its files anew only when told to."""
    if not path.startswith(f"{UNIT_DIR}/"):
        return (deed, *then)
    return (OWE, deed, REREAD, *then)


def write_step(
    address: Address,
    wanted: WantedFile,
    files: Files,
    effect: Effect,
    *,
    phase: int,
    then: tuple[Action, ...] = (),
    risk: Risk = Risk.SAFE,
) -> Step:
    """Make the step that writes ``wanted``, and runs ``then`` after it.

    What is systemd's is read by it at once; so it is in :func:`remove_step`.
    """
    written = WriteFile(path=wanted.path, content=wanted.content, mode=wanted.mode)
    state = files.get(wanted.path)
    return Step(
        address=address,
        phase=phase,
        mark=Mark.CREATE if state is None else Mark.CHANGE,
        summary=f"write {wanted.path}",
        reason="it is not there" if state is None else "it is not as the cluster's file says",
        actions=_read_anew(wanted.path, written, then),
        effect=effect,
        risk=risk,
        detail=_difference(wanted, state),
    )


TAKEN_DOWN = "the cluster is being taken down"


def remove_step(
    address: Address,
    path: str,
    effect: Effect,
    *,
    phase: int,
    then: tuple[Action, ...] = (),
    reason: str = TAKEN_DOWN,
) -> Step:
    """Make the step that removes a file of ours."""
    return Step(
        address=address,
        phase=phase,
        mark=Mark.REMOVE,
        summary=f"remove {path}",
        reason=reason,
        actions=_read_anew(path, RemoveFile(path=path), then),
        effect=effect,
    )
