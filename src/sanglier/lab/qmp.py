"""The control socket of QEMU: the QEMU Machine Protocol, JSON objects with line ends.

It greets, wants ``qmp_capabilities``, then answers each command with ``return`` or ``error``;
events come in between.  One client at a time: a second one waits for its greeting.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from sanglier.lab.errors import refuse

PATIENCE = 20.0
"""Seconds for an answer: an emulated host that works hard keeps its monitor waiting."""


class Refused(ValueError):
    """What QEMU says of a command that it does not carry out."""


def ask(
    path: Path, command: str, arguments: Mapping[str, object] | None = None, *,
    event: str = "", timeout: float = PATIENCE,
) -> object:  # fmt: skip
    """Give one command and return the answer; SG-LAB-031 if it fails.

    With ``event``, wait for it as well; one that names a device counts only for the one that the
    command is about.  ``timeout`` is in seconds, for each line.
    """
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(timeout)
            sock.connect(str(path))
            with sock.makefile("rw", encoding="utf-8", newline="\n") as stream:
                return _talk(stream, command, arguments or {}, event)
    except Refused as wrong:
        raise refuse(
            31, str(path), f"refuses {command!r}", why=str(wrong),
            fix="the host's process is well: `lab console HOST --log` and dmesg(1) may tell more",
        ) from wrong  # fmt: skip
    except (OSError, ValueError) as wrong:
        raise refuse(
            31, str(path), f"does not answer {command!r}", why=str(wrong),
            fix="the host's process hangs or is gone: `lab status`, then `lab kill`",
        ) from wrong  # fmt: skip


def names(
    path: Path, command: str, key: str, arguments: Mapping[str, object] | None = None
) -> frozenset[str]:
    """Ask for a list of things, and return what each has under ``key``."""
    answer = ask(path, command, arguments)
    things = answer if isinstance(answer, list) else ()
    return frozenset(str(thing[key]) for thing in things if key in thing)


def status(path: Path, timeout: float = 2.0) -> str:
    """Tell the state of the machine: running, paused, or another of QEMU's RunState."""
    answer = ask(path, "query-status", timeout=timeout)
    return str(answer.get("status")) if isinstance(answer, dict) else ""


def _talk(stream: TextIO, command: str, arguments: Mapping[str, object], event: str) -> object:
    said = _sayings(stream)
    if "QMP" not in next(said):
        raise ValueError("it is no QMP socket")
    _say(stream, "qmp_capabilities", {})
    _answer(said)
    _say(stream, command, arguments)
    seen: list[Mapping[str, object]] = []
    answer = _answer(said, seen)
    while event and not any(_is(one, event, arguments.get("id")) for one in seen):
        seen.append(next(said))
    return answer


def _is(saying: Mapping[str, object], event: str, device: object) -> bool:
    """QEMU also tells of the parts of a device, which have no identity."""
    data = saying.get("data")
    about = data.get("device") if isinstance(data, dict) else None
    return saying.get("event") == event and about == device


def _say(stream: TextIO, command: str, arguments: Mapping[str, object]) -> None:
    stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
    stream.flush()


def _sayings(stream: TextIO) -> Iterator[Mapping[str, object]]:
    for line in stream:
        yield json.loads(line)
    raise OSError("it hung up")


def _answer(
    said: Iterator[Mapping[str, object]], events: list[Mapping[str, object]] | None = None
) -> object:
    """Read up to the answer; what comes before it is put into ``events``."""
    for one in said:
        if "error" in one:
            error = one["error"]
            raise Refused(error.get("desc", error) if isinstance(error, dict) else error)
        if "return" in one:
            return one["return"]
        if events is not None:
            events.append(one)
    raise OSError("it hung up")
