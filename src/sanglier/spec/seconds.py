"""Lengths of time as people write them: ``20s``."""

from __future__ import annotations

import re

PATTERN = r"^[1-9][0-9]{0,3}s$"
"""For JSON schema too."""


def parse_seconds(text: str) -> int:
    """Give the number of seconds; ``ValueError`` when ``text`` is no length of time.

    Whole seconds with their unit: no tool of the stack keeps a promise finer than that.
    """
    if not text.isascii() or re.fullmatch(PATTERN[1:-1], text) is None:
        raise ValueError(f"not a length of time: {text!r}")
    return int(text[:-1])
