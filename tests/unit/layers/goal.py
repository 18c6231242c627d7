"""The goal of every recording: the cluster, timings and secrets with which it was made.

The digests in the recordings depend on all three, so none is taken from a
place that may change by itself (the timings solver, the generator of secrets).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.spec.cluster import Timings
from sanglier.spec.load import load
from sanglier.spec.secrets import Secrets

TESTS = Path(__file__).parents[2]
FIXTURES = TESTS / "fixtures"

BMC_PASSWORD = "FAKE-bmc-password"
"""A lab has one for all its power switches; ``record`` gives it this one."""
TIMINGS = Timings(
    name="safe",
    drbd_timeout_ds=25,
    drbd_ping_int_s=3,
    drbd_ping_timeout_ds=30,
    drbd_connect_int_s=10,
    drbd_ko_count=11,
    noop_interval_s=3,
    noop_timeout_s=5,
    recovery_s=5,
    sd_timeout_s=20,
    abort_timeout_s=10,
    reset_timeout_s=15,
    polling_s=1,
    checker_timeout_s=15,
    o2cb_threshold=61,
    o2cb_idle_ms=30000,
    o2cb_keepalive_ms=2000,
    o2cb_reconnect_ms=2000,
    corosync_token_ms=3000,
    corosync_consensus_ms=3600,
    qdevice_timeout_ms=5000,
    qdevice_sync_timeout_ms=10000,
    fence_s=20,
    fence_hold_s=33,
)
SECRETS = Secrets(
    drbd={"data": Secret("FAKE-drbd-secret-for-tests-only")},
    chap={"srv-a": Secret("FAKE-chap-srv-a"), "srv-b": Secret("FAKE-chap-srv-b")},
    corosync=Secret("FAKE-corosync-key-" * 8),
    fence={"disk-a": Secret(BMC_PASSWORD), "disk-b": Secret(BMC_PASSWORD)},
)
GUARDED_FILE, ARTICLE_FILE = FIXTURES / "cluster.yaml", FIXTURES / "article.yaml"
GOAL, ARTICLE = (
    Goal(cluster=replace(load(file), timings=TIMINGS), secrets=SECRETS)
    for file in (GUARDED_FILE, ARTICLE_FILE)
)
"""The cluster of nearly every recording, and the one in the article's own mode."""
VOLUME = GOAL.cluster.volumes[0]
WIPES = ("wipe:disk-a/mapper/disk", "wipe:disk-b/mapper/disk")
REUSES = ("reuse:disk-a/mapper/disk", "reuse:disk-b/mapper/disk")
HOSTS = tuple(host.name for host in GOAL.cluster.hosts)
STORAGE = tuple(server.name for server in GOAL.cluster.storage)
APPLICATIONS = tuple(server.name for server in GOAL.cluster.applications)


def allowing(*consents: str, goal: Goal = GOAL) -> Goal:
    """Give the goal with consents by name."""
    return replace(goal, consents=frozenset(consents))
