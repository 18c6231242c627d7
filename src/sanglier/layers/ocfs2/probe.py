"""Read o2cb's configfs, the mounts, and what blkid sees on each map."""

from __future__ import annotations

import re

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers import looks
from sanglier.layers.backing.desired import BLANK
from sanglier.layers.base import Goal
from sanglier.layers.files import parse_read, read_probe
from sanglier.layers.ocfs2.desired import mkfs_marker, read_paths, units_of
from sanglier.layers.ocfs2.facts import Filesystem, Mount, Ocfs2Facts
from sanglier.layers.services import parse_units, units_probe

# $1: o2cb cluster name.
CLUSTER = """
for name in panic panic_on_oops; do
    value=
    read -r value < "/proc/sys/kernel/$name" && echo "kernel $name $value"
done
cd "/sys/kernel/config/cluster/$1" 2>/dev/null || return 0
for name in heartbeat/dead_threshold idle_timeout_ms keepalive_delay_ms reconnect_delay_ms; do
    value=
    read -r value < "$name" && echo "value ${name##*/} $value"
done
for node in node/*; do
    num= address= port=
    read -r num < "$node/num" && read -r address < "$node/ipv4_address" &&
        read -r port < "$node/ipv4_port" && echo "value $node $num $address $port"
done 2>/dev/null
:
"""
# $1 device, $2 marker.  Nothing is read where a read could hang for ever: a mounted filesystem is
# known to udev, udev(7), and a map without a working path is not touched.  Of a map that has lost
# its paths once, udev keeps the encoded label only (multipath-tools 0.11, 56-dm-mpath.rules).
# Both ends are read only where no signature is known.
FILESYSTEM = (
    BLANK
    + looks.NEWLINE
    + """
[ -e "$2" ] && echo pending
[ -b "$1" ] || return 0
echo device
case $nl$proc_mounts in *"$nl$1 "*)
    echo readable
    for map in /sys/block/dm-*; do
        read -r name < "$map/dm/name" && [ "$name" = "${1##*/}" ] || continue
        read -r numbers < "$map/dev"
        read -r cache < "$map/queue/write_cache" && echo "cache $cache"
        while IFS= read -r line; do
            case $line in E:ID_FS_TYPE=*|E:ID_FS_LABEL=*|E:ID_FS_LABEL_ENC=*)
                echo "${line#E:ID_FS_}";; esac
        done < "/run/udev/data/b$numbers"
    done
    return 0;;
esac
dmsetup status "${1##*/}" 2>/dev/null | grep -qE ' [0-9]+:[0-9]+ A ' || return 0
echo readable
blkid -p -s TYPE -s LABEL -o export -- "$1" 2>/dev/null && return 0
blank "$1" && echo blank
:
"""
)
MOUNTS = "printf '%s\\n' \"$proc_mounts\""


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Files, units, o2cb, mounts, and one look per volume."""
    if not any(server.name == host for server in goal.cluster.applications):
        return ()
    paths = read_paths(goal.cluster)
    filesystems = (
        Probe(
            name=f"filesystem-{volume.name}",
            script=Script(text=FILESYSTEM, args=(volume.map_device, mkfs_marker(volume))),
            needs=(looks.MOUNTS,),
        )
        for volume in goal.cluster.volumes
    )
    return (
        read_probe("files", paths),
        units_probe(units_of(goal.cluster)),
        Probe(name="cluster", script=Script(text=CLUSTER, args=(goal.cluster.name,)), plain=True),
        Probe(name="mounts", script=Script(text=MOUNTS), needs=(looks.MOUNTS,), plain=True),
        *filesystems,
    )


def _named(output: Output, kind: str) -> dict[str, str]:
    parts = (line.split(" ", 2) for line in output.lines if line.startswith(f"{kind} "))
    return {part[1]: part[2] for part in parts if len(part) == 3}


def _unescape(text: str) -> str:
    """Undo the octal escapes of /proc/mounts, getmntent(3)."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text


def _mounts(goal: Goal, output: Output) -> dict[str, Mount]:
    wanted = {volume.mount for volume in goal.cluster.volumes}
    found = {}
    for line in output.lines:
        words = line.split()
        if len(words) >= 4 and _unescape(words[1]) in wanted:
            options = frozenset(words[3].split(","))
            found[_unescape(words[1])] = Mount(source=words[0], kind=words[2], options=options)
    return found


def _elsewhere(goal: Goal, output: Output) -> tuple[str, ...]:
    wanted = {volume.mount for volume in goal.cluster.volumes}
    words = (line.split() for line in output.lines)
    places = (_unescape(w[1]) for w in words if len(w) >= 4 and w[2] == "ocfs2")
    return tuple(place for place in places if place not in wanted)


def _decode(text: str) -> str:
    """Undo what blkid_encode_string(3) did: bytes as ``\\xNN``."""
    plain = re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
    return plain.encode("latin-1", "replace").decode("utf-8", "replace")


def parse_filesystem(output: Output) -> Filesystem:
    """Parse one look."""
    pairs = dict(line.partition("=")[::2] for line in output.lines if "=" in line)
    return Filesystem(
        device="device" in output.lines,
        readable="readable" in output.lines,
        kind=pairs.get("TYPE", ""),
        label=pairs.get("LABEL") or _decode(pairs.get("LABEL_ENC", "")),
        blank="blank" in output.lines,
        pending="pending" in output.lines,
        cache=next((line[6:] for line in output.lines if line.startswith("cache ")), ""),
    )


def parse(goal: Goal, host: str, outputs: Outputs) -> Ocfs2Facts:
    """Build the facts."""
    paths = read_paths(goal.cluster)
    return Ocfs2Facts(
        files=parse_read(outputs["files"], paths),
        units=parse_units(outputs["units"]),
        cluster_values=_named(outputs["cluster"], "value"),
        panic=_named(outputs["cluster"], "kernel"),
        filesystems={
            volume.name: parse_filesystem(outputs[f"filesystem-{volume.name}"])
            for volume in goal.cluster.volumes
        },
        mounts=_mounts(goal, outputs["mounts"]),
        elsewhere=_elsewhere(goal, outputs["mounts"]),
    )
