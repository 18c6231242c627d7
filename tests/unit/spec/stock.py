"""The defaults of the tools, as somebody has them who sets nothing."""

from __future__ import annotations

from sanglier.spec.cluster import Timings

STOCK = Timings(
    name="stock",
    drbd_timeout_ds=60,
    drbd_ping_int_s=10,
    drbd_ping_timeout_ds=5,
    drbd_connect_int_s=10,
    drbd_ko_count=7,
    noop_interval_s=5,
    noop_timeout_s=5,
    recovery_s=5,
    sd_timeout_s=30,
    abort_timeout_s=15,
    reset_timeout_s=30,
    polling_s=5,
    checker_timeout_s=30,
    o2cb_threshold=31,
    o2cb_idle_ms=30000,
    o2cb_keepalive_ms=2000,
    o2cb_reconnect_ms=2000,
    corosync_token_ms=3000,
    corosync_consensus_ms=3600,
    qdevice_timeout_ms=10000,
    qdevice_sync_timeout_ms=30000,
    fence_s=60,
    fence_hold_s=65,
)
