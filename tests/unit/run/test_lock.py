"""One run at a time, and a dead run holds nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.run.codes import Code
from sanglier.run.local import LocalTransport
from sanglier.run.lock import ClusterLock, Holder
from sanglier.spec.cluster import Host

from .toy_stack import TEXT, make_cluster


def lock(transport: LocalTransport, who: str = "me") -> ClusterLock:
    return ClusterLock(make_cluster(), transport, Holder(who=who, since="2026-01-01T00:00:00Z"))


def content(transport: LocalTransport, host: str = "disk-a") -> str:
    return (transport.base / host / "run-sanglier" / "toy.lock").read_text()


async def test_second_is_told_who_and_since_when(transport: LocalTransport) -> None:
    first = lock(transport, "alice@desk (process 1, apply)")
    await first.acquire()
    with pytest.raises(SanglierError) as caught:
        await lock(transport).acquire()
    assert caught.value.code == Code.LOCKED
    assert "alice@desk" in caught.value.what
    assert "2026-01-01T00:00:00Z" in caught.value.what
    await first.release()


async def test_released_lock_is_free_and_leaves_no_name(transport: LocalTransport) -> None:
    first = lock(transport)
    await first.acquire()
    assert "me" in content(transport, "disk-a")
    assert "me" in content(transport, "disk-b")
    await first.release()
    assert content(transport) == ""
    second = lock(transport)
    await second.acquire()
    assert second.left_by is None
    await second.release()


async def test_lock_is_only_on_storage_servers(transport: LocalTransport) -> None:
    first = lock(transport)
    await first.acquire()
    assert not (transport.base / "srv-a").exists()
    await first.release()


class OnlyA(LocalTransport):
    def command(self, host: Host, limit: int) -> Sequence[str]:
        if host.name == "disk-b":
            return ("sh", "-c", "exit 255")
        return LocalTransport.command(self, host, limit)

    def explain(self, ending: object) -> SanglierError:
        return SanglierError(code=Code.UNREACHABLE, subject="disk-b", what="gone")


async def test_server_out_of_reach_is_left_out(tmp_path: Path) -> None:
    transport = OnlyA(base=tmp_path)
    one = lock(transport)
    await one.acquire()
    assert set(one.sessions) == {"disk-a"}
    await one.release()


async def test_lost_lock_is_noticed(transport: LocalTransport) -> None:
    one = lock(transport)
    await one.acquire()
    assert one.lost() is None
    await transport.close()
    for _ in range(50):
        if one.lost():
            break
        await asyncio.sleep(0.05)
    error = one.lost()
    assert error is not None
    assert error.code == Code.LOCK_LOST
    await one.release()


HOLDING = """
import asyncio, sys
from pathlib import Path
from sanglier.run.local import LocalTransport
from sanglier.run.lock import ClusterLock, Holder
from sanglier.spec.load import load_text
async def main():
    transport = LocalTransport(base=Path(sys.argv[1]))
    cluster = load_text(Path(sys.argv[2]).read_text(), "toy.yaml")
    holder = Holder(who="bob@desk (process 7, apply)", since="2026-01-01T00:00:00Z")
    await ClusterLock(cluster, transport, holder).acquire()
    print("held", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_killed_holder_frees_the_lock_and_is_remembered(
    transport: LocalTransport, tmp_path: Path
) -> None:
    (tmp_path / "toy.yaml").write_text(TEXT)
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDING, str(transport.base), str(tmp_path / "toy.yaml")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    holder.kill()
    await holder.wait()
    second = lock(transport)
    deadline = time.monotonic() + 5
    while True:
        try:
            await second.acquire()
            break
        except SanglierError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
    assert second.left_by is not None
    assert second.left_by.who == "bob@desk (process 7, apply)"
    await second.release()


async def test_silent_holder_loses_the_lock(
    transport: LocalTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No heartbeat: the machine of the holder is dead, whatever TCP thinks."""
    monkeypatch.setattr("sanglier.run.lock.SILENCE_S", 1)
    first = lock(transport)
    await first.acquire()
    await asyncio.sleep(1.5)
    second = lock(transport)
    await second.acquire()
    assert second.left_by == first.me
    await second.release()
    await first.release()


def test_holder_line_comes_back() -> None:
    holder = Holder.me("apply")
    assert Holder.parse(holder.line() + "\n") == holder
    assert Holder.parse("") is None
    assert "min" in holder.age()
    assert Holder(who="x", since="nonsense").age() == "unknown time"
