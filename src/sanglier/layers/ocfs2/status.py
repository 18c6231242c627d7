"""Lines for o2cb and for each mount."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.ocfs2.desired import BARRIER, heard_unit
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.ocfs2.judge import drops_flushes, missing_options, wrong_panic, wrong_values
from sanglier.layers.services import Unit
from sanglier.spec.cluster import Cluster, Volume


def _o2cb(cluster: Cluster, host: str, now: Ocfs2Facts) -> StatusLine:
    wrong = wrong_values(cluster, now)
    threshold = now.cluster_values.get("dead_threshold", "")
    if not now.cluster_values:
        text = "offline"
    else:
        fence = 2 * (int(threshold) - 1) if threshold.isdecimal() else "?"
        text = f"online, {len(cluster.applications)} nodes, fences itself after {fence} s"
        if wrong:
            text += "; not as declared: " + ", ".join(sorted(wrong))
    panic = wrong_panic(now)
    if panic:
        text += "; " + ", ".join(f"kernel.{name} is {value}" for name, value in panic.items())
    healthy = not wrong and not panic
    return StatusLine(host=host, layer="ocfs2", subject="o2cb", healthy=healthy, text=text)


def _mount(host: str, volume: Volume, now: Ocfs2Facts) -> StatusLine:
    mount = now.mounts.get(volume.mount)
    missing = missing_options(volume, now)
    right = mount is not None and mount.source == volume.map_device and "rw" in mount.options
    if mount is None:
        text = f"not mounted on {volume.mount}"
        unit = heard_unit(volume.mount)
        if now.units.get(unit, Unit()).active == "activating":
            text += f": waits for other servers' heartbeats (systemctl status {unit})"
    else:
        mode = "read-write" if "rw" in mount.options else "READ-ONLY"
        text = f"{mount.source} on {volume.mount}, {mode}"
        if missing:
            text += f", WITHOUT {', '.join(missing)}"
        if BARRIER in missing:
            text += ": NO FSYNC IS FLUSHED"
    drops = drops_flushes(host, volume, now.filesystems[volume.name]) is not None
    if drops:
        text += ", ITS MAP DROPS FLUSHES"
    good = right and not missing and not drops
    return StatusLine(host=host, layer="ocfs2", subject=volume.name, healthy=good, text=text)


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell o2cb and every mount."""
    lines: list[StatusLine] = []
    for server in goal.cluster.applications:
        if facts.has(server.name, Ocfs2Facts):
            now = facts.of(server.name, Ocfs2Facts)
            lines.append(_o2cb(goal.cluster, server.name, now))
            lines += [_mount(server.name, volume, now) for volume in goal.cluster.volumes]
    return tuple(lines)
