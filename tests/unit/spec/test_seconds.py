"""Lengths of time as they are written."""

from __future__ import annotations

import pytest

from sanglier.spec.seconds import parse_seconds


@pytest.mark.parametrize(("text", "seconds"), [("1s", 1), ("20s", 20), ("9999s", 9999)])
def test_times(text: str, seconds: int) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "s", "20", "0s", "020s", "-1s", "1.5s", "20 s", "20S", "20s\n", "2m", "10000s", "٣s"],
)
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="not a length of time"):
        parse_seconds(text)
