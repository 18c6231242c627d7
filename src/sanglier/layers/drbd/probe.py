"""Read /proc/drbd, ``drbdsetup show`` and, where detached, the metadata."""

from __future__ import annotations

import re

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers import looks
from sanglier.layers.backing.desired import metadata_marker
from sanglier.layers.base import Goal
from sanglier.layers.drbd import traces
from sanglier.layers.drbd.desired import HANDLER, resource_path
from sanglier.layers.drbd.facts import FRESH_UUID, DrbdFacts, InForce, Resource, UserFacts
from sanglier.layers.files import digest_probe, parse_digest
from sanglier.spec.cluster import Volume

STATE = "printf '%s\\n' \"$drbd_state\""
# $1 resource, $2 minor, $3 device, $4 marker.  The shared secret is cut out on the host.  What runs
# is found by the resource's name: its minor may be another than the file's.  "backed" is what the
# kernel has open under the mirror (drbd_nl.c links it as a holder), "named" what the file's path
# leads to, both as MAJOR:MINOR.
RESOURCE = (
    looks.NEWLINE
    + looks.NUMBER_OF
    + looks.SHOWN_OF
    + """
gi= minor=$2
[ -e "$4" ] && echo pending
shown_of "$1"
case $shown in *"minor "*)
    minor=${shown#*minor }; minor=${minor%%;*}
    set -f; IFS=$nl
    for line in $shown; do
        case $line in *shared-secret*) ;; *) printf '%s\\n' "$line" ;; esac
    done
    unset IFS; set +f
    case $shown in *shared-secret*)
        secret=${shown#*shared-secret*\\"}
        printf 'secret '
        sha256sum <<EOF
${secret%%\\"*}
EOF
        ;;
    esac
    for slave in /sys/block/drbd"$minor"/slaves/*/dev; do
        if read -r number < "$slave"; then echo "backed $number"; fi
    done 2>/dev/null
    gi=$(drbdsetup get-gi "$minor" 2>/dev/null) || gi=;;
esac
number_of "$3"
if [ -b "$3" ] && [ -n "$number" ]; then echo "named $number"; fi
if [ -z "$gi" ] && [ -b "$3" ] && command -v drbdmeta >/dev/null; then
    gi=$(drbdmeta "$2" v08 "$3" internal get-gi 2>/dev/null) || gi=
fi
echo "gi $gi"
"""
)
# $1 handler.  DRBD runs this file anew at each call, so what stands in it is in force.
HOLD = r"""
sed -n '/^HOLD=/{
h
s/^HOLD=\([0-9]*\) GRACE=\([0-9]*\) .*/hold \1\ngrace \2/p
g
s/.* LONGER=\([0-9]*\) .*/longer \1/p
}' "$1" 2>/dev/null; :
"""
PROC = re.compile(
    r"^\s*(?P<minor>\d+): cs:(?P<cs>\w+)"
    r"(?: ro:(?P<role>\w+)/(?P<peer_role>\w+) ds:(?P<disk>\w+)/(?P<peer_disk>\w+)"
    r" (?P<protocol>[ABC ]?) ?(?P<flags>\S+))?"
)
OPTION = re.compile(r"^\s*(?P<key>[a-z0-9-]+)\s+\"?(?P<value>[^\";]*)\"?;")
DEVICE = re.compile(r"^\s*disk\s+\"(?P<path>[^\"]*)\";", re.MULTILINE)
MINOR = re.compile(r"^\s*device\s+minor (?P<minor>\d+);", re.MULTILINE)
ADDRESS = re.compile(r"_(?P<end>this|remote)_host \{\s*address\s+(?P<family>\w+) (?P<address>\S+);")


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """State of the module, digests of the files, one look per volume, and what it left."""
    mine = [v for v in goal.cluster.volumes if host in v.devices]
    if not mine:
        return traces.probes(goal, host)
    handler = (HANDLER,) if goal.cluster.guarded else ()
    paths = (*handler, *(resource_path(volume) for volume in mine))
    hold = Probe(name="handler", script=Script(text=HOLD, args=handler), plain=True)
    return (
        *((hold,) if handler else ()),
        Probe(name="state", script=Script(text=STATE), needs=(looks.DRBD,), plain=True),
        digest_probe("files", paths),
        *(_look(goal, volume, host) for volume in mine),
        *traces.probes(goal, host),
    )


def _look(goal: Goal, volume: Volume, host: str) -> Probe:
    args = (volume.name, str(volume.minor), volume.devices[host], metadata_marker(volume.name))
    return Probe(
        name=f"resource-{volume.name}",
        script=Script(text=RESOURCE, args=args),
        needs=(looks.device_numbers(goal, host), looks.DRBD),
    )


def _proc_entry(text: str, minor: int) -> tuple[dict[str, str], float | None]:
    """Find the line of ``minor`` in /proc/drbd, and the sync percentage below it."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = PROC.match(line)
        if match and int(match["minor"]) == minor:
            below = "\n".join(lines[number + 1 : number + 4])
            percent = re.search(r"sync'ed:\s*(\d+(?:\.\d+)?)%", below)
            found = {key: value or "" for key, value in match.groupdict().items()}
            return found, float(percent[1]) if percent else None
    return {}, None


def _options(lines: tuple[str, ...]) -> dict[str, str]:
    matches = (OPTION.match(line) for line in lines)
    return {m["key"]: m["value"].strip() for m in matches if m}


def _secret_digest(lines: tuple[str, ...]) -> str:
    words = (line.split() for line in lines if line.startswith("secret "))
    return next((w[1] for w in words if len(w) > 1), "")


def _flags(lines: tuple[str, ...]) -> tuple[bool, bool]:
    """Read the flags behind the four UUIDs of get-gi: consistent, was up to date…, drbdmeta(8)."""
    words = next((line[3:].strip().split(":") for line in lines if line.startswith("gi ")), [])
    return words[4:5] != ["0"], words[5:6] != ["0"]


def _current_uuid(lines: tuple[str, ...]) -> str:
    texts = (line[3:].strip() for line in lines if line.startswith("gi "))
    return next((text.split(":")[0] for text in texts if re.match(r"[0-9A-F]{16}:", text)), "")


def _words(lines: tuple[str, ...], key: str) -> tuple[str, ...]:
    """Give the second word of each line that begins with ``key``."""
    words = (line.split() for line in lines)
    return tuple(w[1] for w in words if len(w) == 2 and w[0] == key)


def _in_force(look: Output) -> InForce:
    device, minor = DEVICE.search(look.text), MINOR.search(look.text)
    ends = {m["end"]: f"{m['family']} {m['address']}" for m in ADDRESS.finditer(look.text)}
    return InForce(
        minor=int(minor["minor"]) if minor else None,
        device=device["path"] if device else "",
        backed=frozenset(_words(look.lines, "backed")),
        here=ends.get("this", ""),
        there=ends.get("remote", ""),
    )


def parse_resource(state: Output, look: Output, minor: int) -> Resource:
    """Combine /proc/drbd and the look at one resource."""
    in_force = _in_force(look)
    known = minor if in_force.minor is None else in_force.minor
    entry, percent = _proc_entry(state.text, known)
    uuid = _current_uuid(look.lines)
    used = uuid not in {"", FRESH_UUID}
    consistent, newest = _flags(look.lines)
    up = entry.get("cs", "Unconfigured") != "Unconfigured"
    attached = up and entry["disk"] not in {"Diskless", ""}
    return Resource(
        up=up,
        connection=entry.get("cs", "") if up else "",
        role=entry.get("role", ""),
        peer_role=entry.get("peer_role", ""),
        disk=entry.get("disk", ""),
        peer_disk=entry.get("peer_disk", ""),
        protocol=entry.get("protocol", "").strip(),
        suspended=up and not entry.get("flags", "r").startswith("r"),
        synced_percent=percent,
        metadata=bool(uuid) or attached,
        fresh=uuid == FRESH_UUID,
        pending="pending" in look.lines,
        outdated=used and not newest,
        torn=used and not consistent,
        secret_digest=_secret_digest(look.lines) if up else "",
        options=_options(look.lines) if up else {},
        in_force=in_force if up else InForce(),
        named=next(iter(_words(look.lines, "named")), ""),
    )


WAITS = frozenset({"hold", "grace", "longer"})


def _handler(output: Output | None) -> dict[str, str]:
    words = (line.split() for line in output.lines) if output else ()
    return {w[0]: w[1] for w in words if len(w) == 2 and w[0] in WAITS}


def parse(goal: Goal, host: str, outputs: Outputs) -> DrbdFacts | UserFacts:
    """Build the facts."""
    if not any(server.name == host for server in goal.cluster.storage):
        return UserFacts(traces=traces.parse(goal, outputs))
    state = outputs["state"]
    first = state.lines[0].strip() if state.lines else ""
    return DrbdFacts(
        version=first if re.fullmatch(r"\d+\.\d+\.\d+\S*", first) else "",
        files=parse_digest(outputs["files"]),
        resources={
            volume.name: parse_resource(state, outputs[f"resource-{volume.name}"], volume.minor)
            for volume in goal.cluster.volumes
            if host in volume.devices
        },
        traces=traces.parse(goal, outputs),
        handler=_handler(outputs.get("handler")),
    )
