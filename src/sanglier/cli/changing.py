"""What the verbs of planned changes have in common: the lock, the clock, the words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from sanglier.cli.setting import Setting
from sanglier.core.events import Event
from sanglier.layers import numbers
from sanglier.run.change import Changer
from sanglier.run.kept import gather_kept
from sanglier.run.lock import ClusterLock, Holder

NUMBERS = (numbers.LAYER,)


def _quiet(_event: Event) -> None:
    """Tell nobody."""


def under_lock(
    setting: Setting, verb: str, act: Callable[[Changer], Awaitable[str]]
) -> tuple[str, float]:
    """Run ``act`` while nobody else changes the cluster; gives its words and seconds."""

    async def run() -> str:
        async with setting.transport() as transport:
            lock = ClusterLock(setting.goal.cluster, transport, Holder.me(verb))
            await lock.acquire()
            try:
                goal, _ = await gather_kept(setting.goal, NUMBERS, transport, sink=_quiet)
                return await act(Changer(goal=goal, transport=transport))
            finally:
                await lock.release()

    began = time.monotonic()
    return asyncio.run(run()), time.monotonic() - began
