"""Secrets as a type, so that none is printed by accident."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

MASK = "***"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that never shows itself: ``repr`` and ``str`` are ``***``."""

    _value: str = field(repr=False)

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def reveal(self) -> str:
        """Give the value; only the quoting code and the secrets file call this."""
        return self._value

    def digest(self) -> str:
        """SHA-256 of the value as a file of one line holds it (``sha256sum``)."""
        return hashlib.sha256((self._value + "\n").encode()).hexdigest()


def mask(text: str, secrets: Iterable[Secret]) -> str:
    """Replace every known secret in ``text``, longest first: one may begin another."""
    for value in sorted((secret.reveal() for secret in secrets), key=len, reverse=True):
        if value:
            text = text.replace(value, MASK)
    return text
