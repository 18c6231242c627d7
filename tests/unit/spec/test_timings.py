"""The named sets keep the inequalities of the timeout budget."""

from __future__ import annotations

import pytest

from sanglier.spec.cluster import Timings
from sanglier.spec.timings import FAST, SAFE, by_name

KILL_S = {"safe": 20, "fast": 8}
"""The longest time that fencing may take, which the sets were computed for."""
TOKEN_AND_CONSENSUS_S = 3 + 3.6


@pytest.mark.parametrize("timings", [SAFE, FAST], ids=lambda timings: timings.name)
def test_inequalities(timings: Timings) -> None:
    kill = KILL_S[timings.name]
    self_fence = 2 * (timings.o2cb_threshold - 1)
    silent = timings.noop_interval_s + timings.noop_timeout_s + timings.recovery_s + 2
    hung = 3 * timings.sd_timeout_s + timings.abort_timeout_s + timings.recovery_s + 2
    lost = 2 * timings.drbd_ping_int_s + timings.drbd_ping_timeout_ds / 10
    fence = max(lost, TOKEN_AND_CONSENSUS_S) + kill + 2
    knocked_out = timings.drbd_timeout_ds / 10 * timings.drbd_ko_count + kill + 2
    assert max(silent, hung, fence, knocked_out) + 2 + 10 <= self_fence
    assert timings.drbd_timeout_ds < 10 * min(timings.drbd_ping_int_s, timings.drbd_connect_int_s)
    assert timings.noop_interval_s + timings.noop_timeout_s < timings.sd_timeout_s
    assert timings.checker_timeout_s < timings.sd_timeout_s
    assert timings.abort_timeout_s < timings.sd_timeout_s
    assert timings.o2cb_keepalive_ms < timings.o2cb_idle_ms


def test_safe_is_the_article_of_the_manual() -> None:
    assert SAFE.o2cb_threshold == 61
    assert (SAFE.sd_timeout_s, SAFE.recovery_s, SAFE.polling_s) == (20, 10, 5)


def test_by_name() -> None:
    assert (by_name("safe"), by_name("fast")) == (SAFE, FAST)
    with pytest.raises(KeyError):
        by_name("slow")
