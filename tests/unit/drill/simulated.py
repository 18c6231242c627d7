"""A clock that jumps: nothing in it is really waited for, so that an hour takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from selectors import BaseSelector, SelectorKey
from types import ModuleType, SimpleNamespace
from typing import TypeVar

import pytest

from sanglier.drill import deaths, engine, recorder, scene, settle, strikes
from sanglier.drill.scene import Clock

T = TypeVar("T")
Events = list[tuple[SelectorKey, int]]
EPOCH = 1_800_000_000.0
"""What time(2) says when the loop's own clock is at zero."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only, and at once, when everybody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.stepped_s = 0.0
        """By how much our own wall clock was stepped."""
        selector: BaseSelector = self._selector  # type: ignore[attr-defined]
        look = selector.select

        def jump(timeout: float | None = None) -> Events:
            if timeout is None:
                raise RuntimeError("everybody waits for something that will never be")
            self.now += timeout
            return look(0)

        selector.select = jump  # type: ignore[method-assign]

    def time(self) -> float:
        return self.now

    @property
    def epoch(self) -> float:
        return EPOCH + self.now + self.stepped_s

    def clock(self) -> Clock:
        """Give a drill's clock that begins now."""
        return Clock(zero=self.now, epoch=self.epoch)

    def run(self, deed: Coroutine[object, object, T]) -> T:
        try:
            return self.run_until_complete(asyncio.wait_for(deed, 100_000))
        finally:
            self.run_until_complete(asyncio.sleep(0.1))
            self.close()


MODULES: tuple[ModuleType, ...] = (deaths, engine, recorder, scene, settle, strikes)
"""Those that read a clock themselves."""


def jumping(patch: pytest.MonkeyPatch) -> JumpingLoop:
    """Make a loop, and have everything in a drill read its clock."""
    loop = JumpingLoop()
    clock = SimpleNamespace(monotonic=lambda: loop.now, time=lambda: loop.epoch)
    for module in MODULES:
        patch.setattr(module, "time", clock)
    patch.setattr(engine, "Clock", loop.clock)
    return loop
