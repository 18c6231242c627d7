"""Sizes."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sanglier.spec.patterns import matches
from sanglier.spec.sizes import PATTERN, format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("10GiB", 10 * 1024**3),
        ("10G", 10 * 1024**3),
        ("10GB", 10 * 1000**3),
        ("500M", 500 * 1024**2),
        ("1.5 TiB", 3 * 1024**4 // 2),
        ("1KiB", 1024),
        ("2PB", 2 * 1000**5),
    ],
)
def test_size(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "10", "GiB", "10gib", "-1G", "1e3G", "10 GiB ", "10GiB\n", "0G", "1.0000001K", "1.5B",
     "١0GiB", "10Gi", "1,5G", "0.0001K", "9" * 20 + "G"],
)  # fmt: skip
def test_not_a_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_size(text)


@given(st.integers(min_value=1, max_value=10**15), st.sampled_from(["K", "MiB", "GB", "T"]))
def test_pattern_for_editors_agrees(number: int, unit: str) -> None:
    assert matches(PATTERN.strip("^$"), f"{number}{unit}") == (number < 10**15)


@example(1_076_414_363_234_016_256)
@given(st.integers(min_value=1024, max_value=2**60))
def test_formatted_size_means_the_same(size: int) -> None:
    text = format_size(size)
    assert text == f"{size} bytes" or parse_size(text) == size
