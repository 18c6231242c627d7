"""What tests of the lab share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Give an empty folder whose name a lab may have in front of its own: tmp_path's grows."""
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as short:
        yield Path(short)
