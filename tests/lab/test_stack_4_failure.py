"""A storage server dies under load; an application server reboots."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from cluster_site import Site

from sanglier.drill.recorder import Load
from sanglier.drill.result import Verdict
from sanglier.drill.workloads.appends import AppendCheck, Appends, compare_all
from sanglier.run.ssh import SshTransport
from sanglier.spec.load import load as load_cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def _wait_for(site: Site, host: str, words: str, file: str) -> None:
    """Wait at most two minutes until a file of the host's kernel shows ``words``."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and words not in site.on(host, f"cat {file}"):
        time.sleep(1)


async def _under_load(site: Site, victim: str) -> tuple[AppendCheck, ...]:
    """Kill ``victim`` while both servers append; give every file as every server reads it."""
    cluster = load_cluster(site.file)
    transport = SshTransport(config=Path(site.lab.ssh_config))
    try:
        load = Load(transport=transport, directory="/data/kill", workloads=(Appends(rate_hz=0),))
        await load.prepare(cluster.applications[0])
        for server in cluster.applications:
            await load.start(server)
        await asyncio.sleep(4)
        before = [len(writer.acks) for writer in load.writers]
        await asyncio.to_thread(site.lab.kill, victim)
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            await asyncio.sleep(1)
            if all(len(w.acks) > n + 500 for w, n in zip(load.writers, before, strict=True)):
                break
        histories = await load.stop(30)
        assert all(before), "the load did not run before the failure"
        readings = []
        for reader in cluster.applications:
            await load.drop_caches(reader)
            readings += await load.read(reader)
        return compare_all(histories, readings)
    finally:
        await transport.close()


def test_no_acknowledged_write_is_lost_when_the_preferred_storage_server_dies(site: Site) -> None:
    checks = asyncio.run(_under_load(site, "disk-a"))
    assert len(checks) == 4
    assert [check.verdict for check in checks] == [Verdict.VALID] * 4, checks


def test_status_names_the_dead_server(site: Site) -> None:
    done = site.run("status")
    assert done.returncode == 4
    assert "disk-a" in done.stdout
    assert "SG-SSH-001" in done.stdout + done.stderr


def test_the_dead_server_is_taken_back_by_apply_and_resynced(site: Site) -> None:
    site.lab.start("disk-a")
    site.apply()
    site.assert_converged()
    assert "ds:UpToDate/UpToDate" in site.on("disk-a", "cat /proc/drbd")


def test_a_split_brain_is_said_and_nobodys_writes_are_discarded(site: Site) -> None:
    """Two Primaries that lose each other begin two histories; only a person may choose."""
    site.on("disk-b", "drbdadm disconnect data")
    done = site.run("apply", "--yes")
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    assert "SPLIT-BRAIN" in said
    states = [site.on(host, "grep cs: /proc/drbd") for host in ("disk-a", "disk-b")]
    assert all("cs:StandAlone" in state for state in states), states
    assert all("ds:UpToDate" in state for state in states), states
    site.lab.kill("disk-b")
    site.lab.start("disk-b")
    site.on("disk-b", "modprobe drbd; drbdadm up data; drbdadm disconnect data")
    site.on("disk-b", "drbdadm connect --discard-my-data data")
    site.on("disk-a", "drbdadm connect data || :")
    _wait_for(site, "disk-b", "ds:UpToDate/UpToDate", "/proc/drbd")
    site.apply()
    site.assert_converged()


def test_an_application_server_mounts_by_itself_after_a_reboot(site: Site) -> None:
    site.lab.stop("srv-b")
    site.lab.start("srv-b")
    _wait_for(site, "srv-b", " /data ocfs2 ", "/proc/mounts")
    site.assert_converged()
