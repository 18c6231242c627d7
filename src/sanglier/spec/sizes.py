"""Sizes as people write them: ``10GiB``, ``500M``, ``1.5TB``."""

from __future__ import annotations

import re
from fractions import Fraction

_BINARY = {"K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
MOST = 10**15
"""Numbers have fewer digits than this."""
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGTP])(iB|B)?")

PATTERN = r"^[0-9]{1,15}(\.[0-9]{1,6})? ?[KMGTP](iB|B)?$"
"""The same for JSON schema."""


def parse_size(text: str) -> int:
    """Give the number of bytes; ``ValueError`` when ``text`` is no size.

    ``GiB`` and ``G`` are powers of 1024, as lvcreate(8) and mkfs.ocfs2(8) read
    ``G``; ``GB`` is a power of 1000, as disks are sold.  The unit is never left
    out, because the tools do not agree on it.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"not a size: {text!r}")
    number, letter, suffix = match.groups()
    base = 1000 if suffix == "B" else 1024
    size = Fraction(number) * base ** _BINARY[letter]
    if size.denominator != 1 or size == 0:
        raise ValueError(f"not a whole number of bytes above zero: {text!r}")
    return int(size)


def format_size(size: int) -> str:
    """Write bytes in the largest binary unit that divides them, as ``parse_size`` reads it."""
    for letter in reversed(_BINARY):
        unit: int = 1024 ** _BINARY[letter]
        if size >= unit and size % unit == 0 and size // unit < MOST:
            return f"{size // unit}{letter}iB"
    return f"{size} bytes"
