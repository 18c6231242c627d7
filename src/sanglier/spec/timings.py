"""The named sets of timeouts.

Every value was computed with the inequalities of the timeout budget: the longest
way a lost or hung storage server can take to fail over stays below the time
after which an application server resets itself (``2 * (o2cb_threshold - 1)``
seconds).  Change none of them alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sanglier.spec.cluster import Timings

SAFE = Timings(
    name="safe",
    drbd_timeout_ds=40,
    drbd_ping_int_s=5,
    drbd_ping_timeout_ds=10,
    drbd_connect_int_s=10,
    drbd_ko_count=7,
    noop_interval_s=5,
    noop_timeout_s=5,
    recovery_s=10,
    sd_timeout_s=20,
    abort_timeout_s=10,
    reset_timeout_s=15,
    polling_s=5,
    checker_timeout_s=15,
    o2cb_threshold=61,
    o2cb_idle_ms=30000,
    o2cb_keepalive_ms=2000,
    o2cb_reconnect_ms=2000,
    corosync_token_ms=3000,
    corosync_consensus_ms=3600,
    qdevice_timeout_ms=10000,
    qdevice_sync_timeout_ms=10000,
    fence_s=20,
    fence_hold_s=25,
)
"""The default: self-fence after 120 s, worst failover 82 s."""

FAST = Timings(
    name="fast",
    drbd_timeout_ds=20,
    drbd_ping_int_s=3,
    drbd_ping_timeout_ds=5,
    drbd_connect_int_s=3,
    drbd_ko_count=5,
    noop_interval_s=2,
    noop_timeout_s=3,
    recovery_s=5,
    sd_timeout_s=10,
    abort_timeout_s=5,
    reset_timeout_s=8,
    polling_s=2,
    checker_timeout_s=5,
    o2cb_threshold=31,
    o2cb_idle_ms=30000,
    o2cb_keepalive_ms=2000,
    o2cb_reconnect_ms=2000,
    corosync_token_ms=1000,
    corosync_consensus_ms=1200,
    qdevice_timeout_ms=5000,
    qdevice_sync_timeout_ms=5000,
    fence_s=8,
    fence_hold_s=12,
)
"""Self-fence after 60 s, worst failover 42 s: for dedicated, redundant links only."""

NAMED: Mapping[str, Timings] = MappingProxyType({"safe": SAFE, "fast": FAST})


def by_name(name: str) -> Timings:
    """Give the set called ``name``; ``KeyError`` when there is none."""
    return NAMED[name]
