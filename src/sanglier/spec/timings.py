"""The named sets of timeouts.

Every value was computed with the inequalities of the timeout budget
(:mod:`sanglier.spec.budget`), and a test checks each with its margin.  Change
none of them alone; docs/explanation/timeouts.md says why each is what it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sanglier.spec.cluster import Timings

SAFE = Timings(
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
"""The default: a server that is silent for less than 6 s is not switched off.

Self-fence after 120 s, longest failover 77 s; the open server's death stalls for
at most 14 s and, where fencing takes more than 5.4 s, 8.6 s more than fencing.
"""

FAST = Timings(
    name="fast",
    drbd_timeout_ds=15,
    drbd_ping_int_s=2,
    drbd_ping_timeout_ds=10,
    drbd_connect_int_s=3,
    drbd_ko_count=7,
    noop_interval_s=2,
    noop_timeout_s=2,
    recovery_s=3,
    sd_timeout_s=10,
    abort_timeout_s=5,
    reset_timeout_s=8,
    polling_s=1,
    checker_timeout_s=5,
    o2cb_threshold=31,
    o2cb_idle_ms=30000,
    o2cb_keepalive_ms=2000,
    o2cb_reconnect_ms=2000,
    corosync_token_ms=1000,
    corosync_consensus_ms=1200,
    qdevice_timeout_ms=1800,
    qdevice_sync_timeout_ms=5000,
    fence_s=8,
    fence_hold_s=19,
)
"""For dedicated, redundant links: a second of silence is enough to be switched off.

Self-fence after 60 s, longest failover 40 s; the open server's death stalls for
at most 8 s and, where fencing takes more than 3.8 s, 4.2 s more than fencing.
"""

NAMED: Mapping[str, Timings] = MappingProxyType({"safe": SAFE, "fast": FAST})


def by_name(name: str) -> Timings:
    """Give the set called ``name``; ``KeyError`` when there is none."""
    return NAMED[name]
