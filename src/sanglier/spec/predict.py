"""The longest stall that each fault can cause, as the sum of the waits that it is made of.

Of guarded access: one side of a volume is open.  A stall is how long a write of an
application server waits.  Waits that run at the same time are compared, and the
longest chain is given; the measured stall of a drill must not be longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from sanglier.spec.budget import (
    DETACH_S,
    GRACE_S,
    HANDLER_S,
    OPEN_S,
    RECOVERY_S,
    REPLAY_S,
    RETRY_S,
    ROUND_S,
    dead_peer_s,
    declared_dead_s,
    fencing_s,
    patience_s,
    self_fence_s,
    totem_s,
)
from sanglier.spec.cluster import Timings

Waits = tuple[tuple[str, float], ...]
"""Names and seconds, one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a fault comes to."""

    fault: str
    stall_s: float | None
    """Longest stall; ``None`` when it lasts as long as the fault."""
    made_of: Waits
    text: str


OF_PROGRAMS = frozenset({"opening", "closing and opening", "handler"})
"""Waits that are no timeout: programs that run on hosts."""


def _total(waits: Waits) -> float:
    return round(sum((seconds for _, seconds in waits), 0.0), 3)


def _worst(*chains: Waits) -> Waits:
    return max(chains, key=_total)


def _membership(t: Timings) -> Waits:
    if dead_peer_s(t) > totem_s(t):
        return (("witness drops it", dead_peer_s(t)),)
    token, consensus = t.corosync_token_ms / 1000, t.corosync_consensus_ms / 1000
    return (("token", token), ("consensus", consensus))


def _mirror(t: Timings) -> Waits:
    return (
        ("2 x ping-int", 2.0 * t.drbd_ping_int_s),
        ("ping-timeout", t.drbd_ping_timeout_ds / 10),
    )


def _fencing(t: Timings) -> Waits:
    name = "fencing" if t.fence_turns == 1 else f"fencing, {t.fence_turns} turns"
    return ((name, fencing_s(t)),)


def _path(t: Timings) -> Waits:
    return (
        ("NOP interval", float(t.noop_interval_s)),
        ("NOP timeout", float(t.noop_timeout_s)),
        ("recovery", float(t.recovery_s)),
        ("retry", RETRY_S),
    )


def _grace() -> Waits:
    return (("grace for a flap", GRACE_S),)


def _handler() -> Waits:
    return (("handler", HANDLER_S),)


def _opening(t: Timings) -> Waits:
    return (("opening", OPEN_S), ("polling", float(t.polling_s)))


def _open_side_lost(t: Timings) -> Waits:
    opened = (*_membership(t), *_fencing(t), *_opening(t))
    mirror = (*_mirror(t), *_handler(), ("polling", float(t.polling_s)))
    return _worst(opened, mirror, _path(t))


def _open_server_dead(t: Timings) -> tuple[Waits, str]:
    return _open_side_lost(t), (
        "The survivor switches it off, opens its own side, and the application servers take "
        "that. DRBD's notice and the failing of the old paths run meanwhile."
    )


def _open_server_frozen(t: Timings) -> tuple[Waits, str]:
    return _open_side_lost(t), (
        f"As its death. Silence of less than {_number(patience_s(t))} s passes by itself and "
        "stalls as long as it lasts."
    )


def _standby_server_dead(t: Timings) -> tuple[Waits, str]:
    noticed = min(_membership(t), (*_mirror(t), *_grace()), key=_total)
    fenced = (*noticed, *_fencing(t), *_handler())
    return _worst(fenced, (*_mirror(t), *_handler())), (
        "The open side freezes until the lost one is confirmed dead; it stays open."
    )


def _replication_cut(t: Timings) -> tuple[Waits, str]:
    return (*_mirror(t), *_grace(), *_fencing(t), *_membership(t), *_handler()), (
        "The open side switches the standby side off and goes on; nothing changes sides. The word "
        "of the kill reaches DRBD only when Corosync has agreed on who is left. The "
        f"standby side holds its fire for {t.fence_hold_s} s."
    )


def _one_san_cut(t: Timings) -> tuple[Waits, str]:
    return _path(t), (
        "The other path to the same target takes over. If o2cb's interconnect is in that network "
        "see interconnect-cut."
    )


def _interconnect_cut(t: Timings) -> tuple[Waits, str]:
    """Give o2net's time to make a silent connection anew (fs/ocfs2/cluster/tcp.c)."""
    silent = (("o2cb idle", t.o2cb_idle_ms / 1000), ("reconnect", t.o2cb_reconnect_ms / 1000))
    return _worst(silent, _path(t)), (
        "Locks that another server holds wait until the cut is over and TCP sends again, whose "
        "pauses double meanwhile; o2cb makes a connection anew that is silent for its idle time. "
        f"Of a shorter cut; of one longer than {_number(_quorum_s(t))} s: application-cut."
    )


def _both_sans_cut(t: Timings) -> tuple[None, str]:
    return None, (
        "An application server cut from both waits as long as the cut, and resets itself after "
        f"{_number(self_fence_s(t))} s. The others: as application-dead."
    )


def _management_cut(t: Timings) -> tuple[Waits, str]:
    return (), "Nothing stalls. While it lasts, fencing and the witness may be out of reach."


def _witness_dead(t: Timings) -> tuple[Waits, str]:
    return (), (
        "Nothing stalls. While it lasts, the loss of a storage server stops the volumes: the "
        "survivor has no quorum."
    )


def _clock_stepped(t: Timings) -> tuple[Waits, str]:
    return (), "Nothing stalls: every wait is told by a clock that counts since the boot."


def _planned_move(t: Timings) -> tuple[Waits, str]:
    return (("closing and opening", OPEN_S), ("polling", float(t.polling_s))), (
        "What is in flight is done before the old side closes."
    )


def _disk_hangs(t: Timings) -> tuple[Waits, str]:
    hung = (
        ("3 x SCSI timeout", 3.0 * t.sd_timeout_s),
        ("abort", float(t.abort_timeout_s)),
        ("recovery", float(t.recovery_s)),
    )
    return (*hung, *_fencing(t), *_opening(t)), (
        "The paths are given up, its server is switched off, the other side opens. Counts on "
        "Pacemaker's monitor of the open side failing no later than the paths do."
    )


def _disk_fails(t: Timings) -> tuple[Waits, str]:
    return (("DRBD detaches", DETACH_S),), "The open side then serves from its peer."


def _gone(t: Timings) -> Waits:
    return (
        ("declared dead by o2cb", declared_dead_s(t)),
        ("its fellows' round", ROUND_S),
        ("o2dlm's look", RECOVERY_S),
        ("journal replay", REPLAY_S),
    )


def _application_dead(t: Timings) -> tuple[Waits, str]:
    return _gone(t), (
        "The others wait where they need a lock that it held; what they hold themselves goes on."
    )


def _application_frozen(t: Timings) -> tuple[Waits, str]:
    return _gone(t), (
        f"As its death, or as long as the freeze if that is shorter. Thawed after "
        f"{_number(self_fence_s(t))} s or more it resets itself."
    )


def _quorum_s(t: Timings) -> float:
    """Give o2cb's time from the cut of a node to its decision (cluster/tcp.c, quorum.c)."""
    return t.o2cb_idle_ms / 1000 + 2.0 * (t.o2cb_threshold + 2)


def _application_cut(t: Timings) -> tuple[Waits, str]:
    idle, decision = t.o2cb_idle_ms / 1000, 2.0 * (t.o2cb_threshold + 2)
    return (("o2cb idle", idle), ("o2cb's quorum", decision), *_gone(t)), (
        "Cut from its fellows but not from the disk: a majority decides, or the half with the "
        "lowest node number, and the loser resets itself. Cut from both: as application-dead."
    )


def _daemon_killed(t: Timings) -> tuple[Waits, str]:
    return _open_side_lost(t), (
        "At worst it is the open server's corosync, whose server is then switched off. iscsid, "
        "multipathd and Pacemaker's own are started again, and nothing stalls."
    )


FAULTS: Mapping[str, Callable[[Timings], tuple[Waits | None, str]]] = MappingProxyType(
    {
        "open-server-dead": _open_server_dead,
        "open-server-frozen": _open_server_frozen,
        "standby-server-dead": _standby_server_dead,
        "replication-cut": _replication_cut,
        "one-san-cut": _one_san_cut,
        "interconnect-cut": _interconnect_cut,
        "both-sans-cut": _both_sans_cut,
        "management-cut": _management_cut,
        "witness-dead": _witness_dead,
        "clock-stepped": _clock_stepped,
        "planned-move": _planned_move,
        "disk-hangs": _disk_hangs,
        "disk-fails": _disk_fails,
        "application-dead": _application_dead,
        "application-frozen": _application_frozen,
        "application-cut": _application_cut,
        "daemon-killed": _daemon_killed,
    }
)
"""Every fault that has a prediction, by the key that drills use."""


def predict_one(
    timings: Timings, fault: str, *, fence_s: int | None = None, programs: float = 1.0
) -> Prediction:
    """Predict one fault; ``KeyError`` when there is none of that name.

    ``fence_s`` is the time that fencing took where it was measured, with whatever
    level, instead of the longest that the set allows for.  ``programs`` is how many
    times longer than on real hardware a program takes there, where hosts are emulated; of
    waits that run at the same time the longest on real hardware is given all the same.
    """
    measured = timings
    if fence_s is not None:
        measured = replace(timings, fence_s=fence_s, fence_turns=1)
    made_of, text = FAULTS[fault](measured)
    if made_of is not None:
        made_of = tuple((n, s * programs if n in OF_PROGRAMS else s) for n, s in made_of)
    stall = None if made_of is None else _total(made_of)
    return Prediction(fault=fault, stall_s=stall, made_of=made_of or (), text=text)


def predict(timings: Timings, *, fence_s: int | None = None) -> tuple[Prediction, ...]:
    """Predict every fault."""
    return tuple(predict_one(timings, fault, fence_s=fence_s) for fault in FAULTS)


def _number(seconds: float) -> str:
    return f"{seconds:g}"
