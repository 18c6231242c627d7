"""What the verbs of planned changes have in common: the lock, the clock, the words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from sanglier.cli.setting import Setting
from sanglier.run.change import Changer
from sanglier.run.kept import in_force
from sanglier.run.lock import ClusterLock, Holder


def under_lock(
    setting: Setting, verb: str, act: Callable[[Changer], Awaitable[str]]
) -> tuple[str, float]:
    """Run ``act`` while nobody else changes the cluster; gives its words and seconds."""

    async def run() -> str:
        async with setting.transport() as transport:
            lock = ClusterLock(setting.goal.cluster, transport, Holder.me(verb))
            await lock.acquire()
            try:
                goal = await in_force(setting.goal, transport)
                return await act(Changer(goal=goal, transport=transport))
            finally:
                await lock.release()

    began = time.monotonic()
    return asyncio.run(run()), time.monotonic() - began
