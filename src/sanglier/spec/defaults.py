"""Every default that is computed, written once: for the rules, the cluster, the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from sanglier.spec.cluster import default_serial

IQN_PREFIX = "iqn.2026-11.local.sanglier"
WITNESS_NAME = "witness"
FENCE_KEYS = ("agent", "no_password")
"""Keys of a fence device that are no parameters of its agent."""
MAX_SLOTS = 255
FIRST_PORT = 7789


def slots(applications: int) -> int:
    """Two spare node slots, because adding slots later needs every server unmounted."""
    return min(MAX_SLOTS, max(4, applications + 2))


def allot(given: Sequence[int | None], first: int = 0, taken: Iterable[int] = ()) -> list[int]:
    """Number things: those that have a number keep it, the others get one that nobody has.

    That is ``first`` + the position where it is free, else the lowest free one.
    """
    used = {number for number in given if number is not None} | set(taken)
    found = []
    for position, number in enumerate(given, start=first):
        chosen = _free(position, first, used) if number is None else number
        used.add(chosen)
        found.append(chosen)
    return found


def _free(wish: int, first: int, used: set[int]) -> int:
    if wish not in used:
        return wish
    return next(n for n in range(first, first + len(used) + 1) if n not in used)


def label(volume: str) -> str:
    """Filesystem label of a volume."""
    return volume.upper()


def serial(cluster: str, volume: str) -> str:
    """LUN serial of a volume; surrogates of a name that is refused anyway do no harm."""
    return default_serial(_encodable(cluster), _encodable(volume))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def secrets_file(file: str, written: str | None) -> str:
    """Path of the secrets: ``written`` beside the cluster file, or its stem + ``.secrets``."""
    path = PurePath(file)
    return str(path.parent / written if written else path.with_suffix(".secrets"))
