"""While the open side moves: have failed paths tried again at once instead of at the next check.

Between the shutting of one side and the opening of the other every path answers "standby", and
device-mapper fails them all.  multipathd reinstates a path at its next check, and its asynchronous
``tur`` checker gives the answer of the check before when a disk takes more than a millisecond, so
that the move would stall for up to two of its intervals beyond the move itself.  A reinstated path
whose side is still shut fails again and nothing else happens: which side answers is the targets'
decision, not ours (the kernel's drivers/md/dm-mpath.c, ``reinstate_path``).
"""

from __future__ import annotations

from collections.abc import Sequence

from sanglier.core.action import Script
from sanglier.spec.cluster import Volume

# $1 map.  In a status line each failed path is followed by F, dm-mpath.c ``multipath_status``.
FAILED = """
failed() {
    dmsetup status --target multipath "$1" 2>/dev/null | awk '{
        for (i = 2; i <= NF; i++) if ($i == "F" && $(i - 1) ~ /^[0-9]+:[0-9]+$/) print $(i - 1)
    }'
}
"""
# $1 ... maps.  It says when it watches, goes on until its standard input ends, and tries once more
# then.  Paths whose session is lost are left alone: they would hold I/O until it is given up.
HASTEN = """
hasten() {
    for map; do
        for path in $(failed "$map"); do
            read -r state < "/sys/dev/block/$path/device/state" && [ "$state" = running ] &&
            dmsetup message "$map" 0 "reinstate_path $path"
        done
    done
}
watch() { while :; do hasten "$@" || :; sleep 0.2; done; }
watch "$@" </dev/null >/dev/null 2>&1 &
watcher=$!
echo ready
cat >/dev/null
kill "$watcher"
hasten "$@" 2>/dev/null || :
"""


def hasten(volumes: Sequence[Volume]) -> Script:
    """Reinstate failed paths of these volumes until standard input ends."""
    return Script(text=FAILED + HASTEN, args=tuple(volume.alias for volume in volumes))
