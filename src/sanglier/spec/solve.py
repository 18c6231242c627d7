"""From the longest stall that somebody accepts to a whole set of timeouts.

The stall is that of the open storage server's death.  Patience is what protects
from false fencing, so the solver gives away as little of it as the wish leaves.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from sanglier.core.errors import SanglierError
from sanglier.spec.budget import (
    ALLOWANCE_S,
    HANDLER_S,
    LEAST_ISCSI_S,
    LEAST_TOKEN_S,
    MARGIN_S,
    OPEN_S,
    RETRY_S,
    fenced_s,
    fencing_s,
    hang_overcome_s,
    least_hold_s,
    longest_failover_s,
)
from sanglier.spec.cluster import Timings
from sanglier.spec.timings import SAFE

CEILING_S = 60
"""Longer stalls buy nothing: every timeout has reached its most patient value by then."""
MOST_FENCE_S = 20
"""Assumed of fencing when nothing is said and the stall is long, as in ``safe``."""
POLLING_S = 1
"""A planned move takes at most 2 s with it; a TEST UNIT READY a second costs nothing."""
LEAST_PING_INT_S, MOST_PING_INT_S = 2, 5
LEAST_NOOP_S, MOST_NOOP_S = 2, 5
MOST_RECOVERY_S = 10
MOST_TOKEN_MS = 10_000
LEAST_SCSI_S = 10
LEAST_THRESHOLD = 31
TOKENS = 2.2
"""Token and consensus, in tokens."""
AFTER_FENCING_S = int(OPEN_S) + POLLING_S


def default_fence_s(stall_s: int, turns: int = 1) -> int:
    """Give what a turn of fencing may take when the file does not say it.

    Half of what is to be shared; with more turns each has as much as is left for the rest.
    """
    return min(MOST_FENCE_S, max(1, (stall_s - 4) // (1 + turns)))


def least_stall_s(fence_s: int) -> int:
    """Give the shortest stall that can be promised if fencing takes ``fence_s``, all turns.

    The least token and consensus, then fencing, opening and polling; or the least
    time in which an initiator gives a path up.
    """
    fenced = ceil(TOKENS * LEAST_TOKEN_S) + fence_s + AFTER_FENCING_S
    return max(fenced, ceil(LEAST_ISCSI_S + RETRY_S))


def solve(stall_s: int, fence_s: int | None = None, turns: int = 1) -> Timings:
    """Give the timeouts for a stall of at most ``stall_s`` when the open server dies.

    ``fence_s`` is the longest that a fence device takes, and ``turns`` how often that may
    pass in one fencing; stall and fencing are whole seconds.
    Raises ``SanglierError`` with SG-SPEC-090, the inequality that fails and the
    least stall that is possible.  Equal wishes give equal sets.
    """
    fence = default_fence_s(stall_s, turns) if fence_s is None else fence_s
    if stall_s < least_stall_s(turns * fence):
        raise _too_short(stall_s, turns * fence, turns)
    if stall_s > CEILING_S:
        raise _too_long(stall_s)
    return _set(stall_s, fence, turns)


def _too_short(stall_s: int, fence_s: int, turns: int) -> SanglierError:
    token = (stall_s - fence_s - AFTER_FENCING_S) / TOKENS
    if token < LEAST_TOKEN_S:
        left = f"{token:.1f} s" if token > 0 else "nothing"
        failing = f"I17 fails: 1 <= token, and {left} would be left for the token"
    else:
        paths = stall_s - RETRY_S
        failing = (
            "I18 fails: 7 <= noop interval + timeout + recovery, "
            f"and {paths:g} s would be left for them"
        )
    least = least_stall_s(fence_s)
    faster = _faster_fencing(stall_s, turns)
    counted = "" if turns == 1 else f" ({turns} turns, one after the other)"
    return _impossible(
        f"a stall of at most {stall_s} s is not possible with fencing of up to {fence_s} s"
        f"{counted}: "
        f"{failing}",
        f"{least} s is the least; write `stall: {least}s` or more{faster}",
    )


def _faster_fencing(stall_s: int, turns: int) -> str:
    most = (stall_s - (least_stall_s(MOST_FENCE_S) - MOST_FENCE_S)) // turns
    possible = most >= 1 and least_stall_s(turns * most) <= stall_s
    return f", or use fence devices that take at most {most} s" if possible else ""


def _too_long(stall_s: int) -> SanglierError:
    return _impossible(
        f"a stall of {stall_s} s is longer than any set allows for",
        f"write at most `stall: {CEILING_S}s`; every timeout is at its most patient there",
    )


def _impossible(what: str, fix: str) -> SanglierError:
    return SanglierError(code="SG-SPEC-090", subject="timings.stall", what=what, fix=fix)


def _set(stall_s: int, fence_s: int, turns: int) -> Timings:
    named = replace(
        SAFE, name=f"stall-{stall_s}s", polling_s=POLLING_S, fence_s=fence_s, fence_turns=turns
    )
    return _self_fence(_scsi(_paths(_mirror_and_arbitration(named, stall_s), stall_s)))


def _clamp(value: int, least: int, most: int) -> int:
    return max(least, min(most, value))


def _mirror_and_arbitration(timings: Timings, stall_s: int) -> Timings:
    """Share the time until a silent server is noticed; DRBD is never the more nervous."""
    ping_int = _clamp(stall_s // 6, LEAST_PING_INT_S, MOST_PING_INT_S)
    pings = stall_s - int(HANDLER_S) - POLLING_S - 2 * ping_int
    totem = stall_s - int(fencing_s(timings)) - AFTER_FENCING_S
    token = min(MOST_TOKEN_MS, 10_000 * totem // 22, 1000 * pings) // 100 * 100
    consensus = token * 12 // 10
    qdevice = (token + consensus) * 10 // 12 // 100 * 100
    shared = replace(
        timings,
        drbd_timeout_ds=10 * ping_int - 5,
        drbd_ping_int_s=ping_int,
        drbd_ping_timeout_ds=min(max(10, token // 100), 10 * pings),
        drbd_connect_int_s=2 * ping_int,
        drbd_ko_count=7,
        corosync_token_ms=token,
        corosync_consensus_ms=consensus,
        qdevice_timeout_ms=qdevice,
        qdevice_sync_timeout_ms=max(5000, 2 * qdevice),
    )
    return replace(shared, fence_hold_s=least_hold_s(shared))


def _paths(timings: Timings, stall_s: int) -> Timings:
    budget = stall_s - int(RETRY_S)
    interval = _clamp(budget // 4, LEAST_NOOP_S, MOST_NOOP_S)
    timeout = _clamp(budget // 3, LEAST_NOOP_S, MOST_NOOP_S)
    recovery = min(MOST_RECOVERY_S, budget - interval - timeout)
    return replace(timings, noop_interval_s=interval, noop_timeout_s=timeout, recovery_s=recovery)


def _scsi(timings: Timings) -> Timings:
    """Let no command time out before its dead server is confirmed so, and no sooner than a NOP."""
    noop = timings.noop_interval_s + timings.noop_timeout_s
    timeout = max(LEAST_SCSI_S, 2 * noop, int(fenced_s(timings) / 2) + 1)
    return replace(
        timings,
        sd_timeout_s=timeout,
        abort_timeout_s=timeout // 2,
        reset_timeout_s=timeout * 3 // 4,
        checker_timeout_s=timeout * 3 // 4,
    )


def _self_fence(timings: Timings) -> Timings:
    """Take the least o2cb threshold that outlasts everything else; 31 is o2cb's own."""
    failover = longest_failover_s(timings) + ALLOWANCE_S + MARGIN_S
    outlast = max(failover, hang_overcome_s(timings) + ALLOWANCE_S)
    return replace(timings, o2cb_threshold=max(LEAST_THRESHOLD, int(outlast / 2) + 2))
