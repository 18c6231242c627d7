"""Moves on a resource that runs: options, connection, disk; never a disk or a peer away.

``drbdadm adjust`` of 8.4 compares names: for the attached device by another name it would detach
and attach, for another port it cuts the connection, whoever is open.  So what it would do is asked
first (``--dry-run``), and only what takes nothing away is done.
"""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Run, Script
from sanglier.core.step import Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import checked_options
from sanglier.layers.drbd.facts import UP_TO_DATE, Resource
from sanglier.layers.drbd.in_force import Ends
from sanglier.layers.drbd.moves import change, step, talks
from sanglier.spec.cluster import Volume

# $1 resource, $2 minor, $3 device, $4 "apart" where the connection may be made anew: only while the
# peer is away and known to be behind.  What drbdadm would run holds the secret: it is not printed.
# Its words are split, not evaluated; drbdsetup finds the program of 8.4, which is not in PATH.  A
# disk that is to be attached is left to its own step; of one that stays, by another name, those
# options are set with which drbdadm would attach it.
ADJUST = r"""
(
resource=$1 minor=$2 device=$3 apart=$4
doing=$(drbdadm --dry-run adjust "$resource") || exit 1
refuse() { echo "drbdadm would $1: nothing was changed; plan again"; exit 1; }
same() {
    number=$(stat -Lc '0x%t 0x%T' -- "$device") || return 1
    for slave in /sys/block/drbd"$minor"/slaves/*/dev; do
        read -r kernel < "$slave" || continue
        [ "$kernel" = "$((${number% *})):$((${number#* }))" ] && return
    done 2>/dev/null
    return 1
}
behind() {
    away="cs:(WFConnection|StandAlone) .* ds:[A-Za-z]+/(Outdated|Inconsistent) .* r[^ ]*$"
    grep -qE "^ *$minor: $away" /proc/drbd
}
if same; then other=; else other=other; fi
detach=
set -f
IFS='
'
for line in $doing; do
    case $line in
        "drbdsetup-84 detach "*)
            [ -z "$other" ] || refuse "exchange the disk of $resource"
            detach=no ;;
        "drbdsetup-84 disconnect "*)
            [ "$apart" = apart ] && behind || refuse "cut the connection of $resource" ;;
        "drbdsetup-84 connect "* | "drbdsetup-84 net-options "* | "drbdsetup-84 disk-options "*) ;;
        "drbdsetup-84 resource-options "* | "drbdsetup-84 attach "* | "drbdmeta "*" apply-al") ;;
        *) refuse "change more than options of $resource" ;;
    esac
done
for line in $doing; do
    IFS=' '
    # shellcheck disable=SC2086  # split into words
    set -- $line
    case "$1 $2$detach" in
        drbdmeta* | *" detach"* | *" attach") continue ;;
        *" attachno") shift 6; set -- disk-options "$minor" "$@" ;;
        *) shift ;;
    esac
    drbdsetup "$@" || exit 1
done
)
"""


def _adjusted(goal: Goal, volume: Volume, ends: Ends | None, side: Resource) -> Resource:
    here, there = ends or (side.in_force.here, side.in_force.there)
    return replace(
        side,
        options={**side.options, **checked_options(goal.cluster)},
        secret_digest=goal.secrets.drbd[volume.name].digest(),
        in_force=replace(side.in_force, here=here, there=there),
    )


def _script(volume: Volume, host: str, *, apart: bool = False) -> Script:
    allowed = "apart" if apart else ""
    args = (volume.name, str(volume.minor), volume.devices[host], allowed)
    return Script(text=ADJUST, args=args)


def adjust(
    goal: Goal, volume: Volume, host: str, reasons: tuple[str, ...], ends: Ends | None
) -> Step:
    """Bring the running resource to what its file says; with ``ends`` also its connection."""
    return step(
        host, volume.name, 2, Mark.CHANGE, f"adjust resource {volume.name}", "; ".join(reasons),
        _script(volume, host, apart=ends is not None),
        talks(host, volume, lambda r: _adjusted(goal, volume, ends, r)), Risk.DISRUPTIVE,
    )  # fmt: skip


def connect(volume: Volume, host: str) -> Step:
    """Connect a side that stands alone; a split brain stays disconnected."""
    return step(
        host, volume.name, 2, Mark.START, f"connect resource {volume.name}",
        "it stands alone", _script(volume, host), talks(host, volume, lambda r: r),
        Risk.DISRUPTIVE,
    )  # fmt: skip


def _attached(side: Resource) -> Resource:
    return replace(side, disk="Inconsistent" if side.fresh else UP_TO_DATE)


def attach(volume: Volume, host: str) -> Step:
    """Attach the backing device again; one with new metadata is then copied from the peer."""
    return step(
        host, volume.name, 2, Mark.START, f"attach {volume.devices[host]}", "it is detached",
        Run(argv=("drbdadm", "attach", volume.name)), change(host, volume.name, _attached),
        Risk.DISRUPTIVE,
    )  # fmt: skip
