"""One real sh per host, without ssh."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sanglier.run.local import LocalTransport

from .toy_stack import Events


@pytest.fixture
async def transport(tmp_path: Path) -> AsyncIterator[LocalTransport]:
    local = LocalTransport(base=tmp_path / "hosts")
    yield local
    await local.close()


@pytest.fixture
def events() -> Events:
    return Events()
