"""The timeout budget: what follows from a set of timeouts, and the inequalities it must keep.

Every length is in seconds.  ``2 s`` of allowance go into each chain for what runs
between two timeouts (scheduling, a login, a script).  Sources are named where a
tool's own code decides; the whole reasoning is in docs/explanation/timeouts.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from sanglier.spec.cluster import Timings

ALLOWANCE_S = 2.0
"""For what runs between the timeouts of a chain."""
MARGIN_S = 10.0
"""Least distance of the longest failover from the self-fence (HP Serviceguard's guide to OCFS2)."""
OPEN_S = 1.0
"""From a confirmed fencing, or from the closing, to the other side open (measured: below 1 s)."""
HANDLER_S = 1.0
"""From a confirmed fencing to DRBD's resuming: the handler looks every 0.5 s."""
GRACE_S = 3.0
"""What the open side's handler leaves a flapping mirror to come back, before it shoots."""
RETRY_S = 1.0
"""From the failing of a path to its I/O done over another."""
DETACH_S = 1.0
"""From an I/O error to DRBD serving from its peer."""
ROUND_S = 2.0
"""o2cb's peers look at heartbeats once in so long, o2hb_thread() in cluster/heartbeat.c."""
RECOVERY_S = 5.0
"""The longest until o2dlm looks whether somebody died: DLM_RECO_THREAD_TIMEOUT_MS in
fs/ocfs2/dlm/dlmrecovery.c."""
REPLAY_S = 5.0
"""To replay a dead node's OCFS2 journal and to take over its locks (assumed)."""
HEARTBEAT_SHARE = 0.8
"""corosync-qdevice's heartbeat is this share of quorum.device.timeout (qdevice-net-instance.c)."""
DEAD_PEER_FACTOR = 1.5
"""Heartbeats after which qnetd gives a client up, corosync-qnetd(8) dpd_interval_coefficient."""
TWO_LOOKS_S = 20.0
"""The target's monitor looks every 10 s: one look to see the last command, one to be past it."""
LEAST_HEARTBEAT_S = 1.0
"""Shortest heartbeat that qnetd accepts, corosync-qnetd(8) heartbeat_interval_min."""
LEAST_TOKEN_S = 1.0
"""Shorter, and a busy server is taken for a dead one; Corosync's default was 1 s until 3.0."""
LEAST_ISCSI_S = 7.0
"""Shorter, and a switch that reconverges is taken for a dead server."""


def _round(seconds: float) -> float:
    return round(seconds, 3)


def self_fence_s(timings: Timings) -> float:
    """W: an application server resets itself so long after its last heartbeat write."""
    return 2.0 * (timings.o2cb_threshold - 1)


def declared_dead_s(timings: Timings) -> float:
    """o2cb's peers give a server up so long after its last heartbeat write."""
    return 2.0 * timings.o2cb_threshold


def silence_s(timings: Timings) -> float:
    """Silence after which the storage servers shut an application server out.

    Two looks of theirs (10 s each) after it the LUN is gone, before its peers give it up.
    """
    return max(TWO_LOOKS_S, self_fence_s(timings) - TWO_LOOKS_S)


def silent_s(timings: Timings) -> float:
    """F_silent: a target that is dead fails its path."""
    noop = timings.noop_interval_s + timings.noop_timeout_s
    return noop + timings.recovery_s + ALLOWANCE_S


def hung_s(timings: Timings) -> float:
    """F_hung: a target whose disk hangs fails its path; libiscsi.c re-arms the timer twice."""
    scsi = 3 * timings.sd_timeout_s + timings.abort_timeout_s
    return scsi + timings.recovery_s + ALLOWANCE_S


def ping_loss_s(timings: Timings) -> float:
    """D_drbd: the longest until DRBD notices that its peer is silent (drbd_receiver.c, asender)."""
    return _round(2 * timings.drbd_ping_int_s + timings.drbd_ping_timeout_ds / 10)


def knock_out_s(timings: Timings) -> float:
    """KO: DRBD gives up a peer that answers pings and completes nothing, drbd.conf(5) ko-count."""
    return _round(timings.drbd_timeout_ds / 10 * timings.drbd_ko_count)


def totem_s(timings: Timings) -> float:
    """Corosync forms a membership without a silent server: token and consensus."""
    return _round((timings.corosync_token_ms + timings.corosync_consensus_ms) / 1000)


def dead_peer_s(timings: Timings) -> float:
    """The witness drops a silent server.

    It votes for the survivor only then: as long as it believes both to be there and
    they disagree about the membership, ffsplit waits (qnetd-algo-ffsplit.c).
    """
    return _round(DEAD_PEER_FACTOR * HEARTBEAT_SHARE * timings.qdevice_timeout_ms / 1000)


def membership_s(timings: Timings) -> float:
    """A survivor knows itself quorate and alone; both clocks run from the last sign of life."""
    return max(totem_s(timings), dead_peer_s(timings))


def fencing_s(timings: Timings) -> float:
    """Longest until a server is confirmed off: each level may fail, and take its time for it."""
    return float(timings.fence_turns * timings.fence_s)


def turns(sizes: Iterable[int]) -> int:
    """Count how often a device's time may pass in one fencing, from the devices of each level.

    A level of one device is a reboot: one turn.  Of several, Pacemaker switches all off, one after
    the other, then all on, and confirms after that (fenced_remote.c): a turn for each off, and
    one for all of the on, which share it (``on_s``).
    """
    return max(1, sum(size if size < 2 else size + 1 for size in sizes))


def on_s(timings: Timings, devices: int) -> int:
    """Longest that one of a level's devices may take to switch the server on again."""
    return max(1, timings.fence_s // devices)


def least_hold_s(timings: Timings) -> int:
    """Hold of fire that I12 asks for, in whole seconds and with 2 s to spare."""
    return int(2 * timings.drbd_ping_int_s + GRACE_S + fencing_s(timings) + ALLOWANCE_S) + 2


def longer_hold_s(timings: Timings) -> int:
    """Hold of fire of the higher node id: where no side is open the lower one's shot hits first."""
    return timings.fence_hold_s + int(fencing_s(timings) + ALLOWANCE_S)


def with_turns(timings: Timings, count: int) -> Timings:
    """Count the turns of fencing: the hold of fire outlasts all of them."""
    counted = replace(timings, fence_turns=count)
    return replace(counted, fence_hold_s=max(timings.fence_hold_s, least_hold_s(counted)))


def fenced_s(timings: Timings) -> float:
    """F_fence: a silent storage server is confirmed dead, to both Pacemaker and DRBD."""
    noticed = max(ping_loss_s(timings), membership_s(timings))
    return _round(noticed + fencing_s(timings) + ALLOWANCE_S)


def knocked_out_s(timings: Timings) -> float:
    """F_ko: a storage server that only pretends to work is confirmed dead."""
    return _round(knock_out_s(timings) + fencing_s(timings) + ALLOWANCE_S)


def longest_failover_s(timings: Timings) -> float:
    """Give the longest of all ways to lose a storage server."""
    return max(silent_s(timings), hung_s(timings), fenced_s(timings), knocked_out_s(timings))


def hang_overcome_s(timings: Timings) -> float:
    """A hung disk's path is given up, its server switched off, and the other side open."""
    beyond = fencing_s(timings) + OPEN_S + timings.polling_s
    return _round(hung_s(timings) + beyond)


def patience_s(timings: Timings) -> float:
    """The longest silence of a storage server that surely passes without a fencing."""
    return min(totem_s(timings), timings.drbd_ping_timeout_ds / 10 + GRACE_S)


class Kind(StrEnum):
    """What it means when an inequality fails."""

    HARD = "hard"
    """Servers reset or kill each other without need, or the set cannot work."""
    SOFT = "soft"
    """A warning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inequality:
    """One inequality of the budget; without numbers where it holds by construction."""

    code: str
    kind: Kind
    text: str
    left_s: float | None
    right_s: float | None
    margin_s: float | None
    """How far the right is above the left."""
    holds: bool
    why: str


def _less(code: str, kind: Kind, text: str, left: float, right: float, why: str) -> Inequality:
    margin = _round(right - left)
    return _inequality(code, kind, text, (left, right, margin), margin > 0, why)


def _at_most(code: str, kind: Kind, text: str, left: float, right: float, why: str) -> Inequality:
    margin = _round(right - left)
    return _inequality(code, kind, text, (left, right, margin), margin >= 0, why)


def _given(code: str, kind: Kind, text: str, why: str) -> Inequality:
    return _inequality(code, kind, text, (None, None, None), True, why)


def _inequality(
    code: str,
    kind: Kind,
    text: str,
    numbers: tuple[float, float, float] | tuple[None, None, None],
    holds: bool,
    why: str,
) -> Inequality:
    left, right, margin = numbers
    return Inequality(
        code=code,
        kind=kind,
        text=text,
        left_s=None if left is None else _round(left),
        right_s=None if right is None else _round(right),
        margin_s=margin,
        holds=holds,
        why=why,
    )


def _of_the_filesystem(t: Timings) -> tuple[Inequality, ...]:
    return (
        _less(
            "I1", Kind.HARD, "longest failover + 12 < self-fence W",
            longest_failover_s(t) + ALLOWANCE_S + MARGIN_S, self_fence_s(t),
            "otherwise application servers reset themselves while a failover is under way; "
            "12 s are one heartbeat and a margin of 10",
        ),
        _given(
            "I2", Kind.HARD, "no_path_retry is queue",
            "an I/O error at o2cb's heartbeat makes every server reset itself; waiting does not",
        ),
        _less(
            "I8", Kind.HARD, "o2cb keepalive < o2cb idle",
            t.o2cb_keepalive_ms / 1000, t.o2cb_idle_ms / 1000,
            "otherwise a quiet connection is taken for a dead one; all servers have the same "
            "values, because they come from one file",
        ),
    )  # fmt: skip


def _of_the_mirror(t: Timings) -> tuple[Inequality, ...]:
    return (
        _less(
            "I3", Kind.HARD, "DRBD timeout < ping-int and connect-int",
            t.drbd_timeout_ds / 10, min(t.drbd_ping_int_s, t.drbd_connect_int_s),
            "drbd.conf(5) requires it",
        ),
        _given(
            "I9", Kind.HARD, "the loser is dead before the winner resumes",
            "the fence-peer handler answers with nothing but 7, a confirmed kill, or a failure",
        ),
        _at_most(
            "I16", Kind.SOFT, "corosync token <= DRBD ping-timeout",
            t.corosync_token_ms / 1000, t.drbd_ping_timeout_ds / 10,
            "otherwise DRBD is the more nervous of the two, and a lost ping kills a server that "
            "Corosync still waits for",
        ),
    )  # fmt: skip


def _of_the_paths(t: Timings) -> tuple[Inequality, ...]:
    noop = t.noop_interval_s + t.noop_timeout_s
    return (
        _less(
            "I4", Kind.SOFT, "fencing is over < 2 x SCSI timeout", fenced_s(t), 2 * t.sd_timeout_s,
            "so that no command is aborted, and sent again, while its old server may still live",
        ),
        _less(
            "I5", Kind.HARD, "noop interval + timeout < SCSI timeout", noop, t.sd_timeout_s,
            "libiscsi counts on the NOP being the first to notice a dead connection",
        ),
        _less(
            "I6", Kind.SOFT, "checker timeout < SCSI timeout",
            t.checker_timeout_s, t.sd_timeout_s,
            "the path checker should know of a hung path before the I/O does",
        ),
        _less(
            "I7", Kind.SOFT, "abort timeout < SCSI timeout", t.abort_timeout_s, t.sd_timeout_s,
            "an abort that takes longer than the command only adds to the stall",
        ),
        _at_most(
            "I18", Kind.HARD, "7 <= noop interval + timeout + recovery",
            LEAST_ISCSI_S, noop + t.recovery_s,
            "with less, a switch that reconverges is taken for a dead server",
        ),
        _less(
            "I19", Kind.SOFT, "polling < checker timeout", t.polling_s, t.checker_timeout_s,
            "a check must be able to end before it is given up",
        ),
        _less(
            "I20", Kind.SOFT, "hung disk overcome + 2 < self-fence W",
            hang_overcome_s(t) + ALLOWANCE_S, self_fence_s(t),
            "otherwise a hung disk on the open side can make application servers reset themselves",
        ),
    )  # fmt: skip


def _of_the_arbitration(t: Timings) -> tuple[Inequality, ...]:
    return (
        _given(
            "I10", Kind.HARD, "SBD watchdog > qdevice sync timeout: not applicable",
            "SBD is not used; a fence device switches the server off",
        ),
        _at_most(
            "I11", Kind.HARD, "1.2 x token <= consensus",
            1.2 * t.corosync_token_ms / 1000, t.corosync_consensus_ms / 1000,
            "corosync.conf(5) requires it",
        ),
        _less(
            "I12", Kind.HARD, "2 x ping-int + grace 3 + fencing + 2 < hold of fire",
            2 * t.drbd_ping_int_s + GRACE_S + fencing_s(t) + ALLOWANCE_S, t.fence_hold_s,
            "when the mirror alone is cut, the standby side may notice two ping-ints before the "
            "open side does, and must not shoot before that one's shot has hit, by whatever level",
        ),
        _less(
            "I13", Kind.HARD, "witness drops a silent server + 1 < qdevice sync timeout",
            dead_peer_s(t) + 1, t.qdevice_sync_timeout_ms / 1000,
            "otherwise the survivor loses quorum before the witness votes for it",
        ),
        _at_most(
            "I14", Kind.HARD, "1 <= qdevice heartbeat",
            LEAST_HEARTBEAT_S, HEARTBEAT_SHARE * t.qdevice_timeout_ms / 1000,
            "corosync-qnetd(8) accepts no shorter one",
        ),
        _at_most(
            "I15", Kind.SOFT, "witness drops a silent server <= token + consensus",
            dead_peer_s(t), totem_s(t),
            "otherwise the survivor waits for the witness, and not for Corosync",
        ),
        _at_most(
            "I17", Kind.HARD, "1 <= token", LEAST_TOKEN_S, t.corosync_token_ms / 1000,
            "with less, a busy server is taken for a dead one and switched off",
        ),
    )  # fmt: skip


def inequalities(timings: Timings) -> tuple[Inequality, ...]:
    """Check every inequality of the budget, in the order of their codes."""
    found = (
        *_of_the_filesystem(timings),
        *_of_the_mirror(timings),
        *_of_the_paths(timings),
        *_of_the_arbitration(timings),
    )
    return tuple(sorted(found, key=lambda inequality: int(inequality.code[1:])))
