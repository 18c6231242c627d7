"""Do something to a cluster while both application servers append and fsync: no line is lost."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from cluster_site import Site

from sanglier.drill.recorder import Load
from sanglier.drill.result import Verdict
from sanglier.drill.workloads.appends import AppendCheck, Appends, compare_all
from sanglier.drill.workloads.base import Reading
from sanglier.run.ssh import SshTransport
from sanglier.spec.load import load as load_cluster

Progress = Callable[[], list[int]]
"""Gives how many lines each writer has had acknowledged."""
Deed = Callable[[Progress], None]

BEFORE_S, AFTER = 4, 200
"""Seconds of load before the deed, and lines that every writer must write after it."""
PATIENCE_S = 150.0


async def _loaded(site: Site, directory: str, deed: Deed) -> tuple[AppendCheck, ...]:
    cluster = load_cluster(site.file)
    transport = SshTransport(config=Path(site.lab.ssh_config))
    place = f"/data/{directory}-{uuid.uuid4().hex[:8]}"
    try:
        load = Load(transport=transport, directory=place, workloads=(Appends(rate_hz=0),))

        def progress() -> list[int]:
            return [len(writer.acks) for writer in load.writers]

        await load.prepare(cluster.applications[0])
        for server in cluster.applications:
            await load.start(server)
        await asyncio.sleep(BEFORE_S)
        assert all(progress()), "the load did not run before the deed"
        await asyncio.to_thread(deed, progress)
        await _go_on(progress)
        histories = await load.stop(60)
        readings: list[Reading] = []
        for reader in cluster.applications:
            await load.drop_caches(reader)
            readings += await load.read(reader)
        return compare_all(histories, readings)
    finally:
        await transport.close()


async def _go_on(progress: Progress) -> None:
    before, deadline = progress(), time.monotonic() + PATIENCE_S
    while not all(now > then + AFTER for now, then in zip(progress(), before, strict=True)):
        assert time.monotonic() < deadline, f"the writers do not go on: {before}, {progress()}"
        await asyncio.sleep(1)


def assert_nothing_lost(site: Site, directory: str, deed: Deed) -> None:
    """Run ``deed`` under load; both servers must then read every acknowledged line of both."""
    checks = asyncio.run(_loaded(site, directory, deed))
    assert len(checks) == 4
    assert [check.verdict for check in checks] == [Verdict.VALID] * 4, checks
