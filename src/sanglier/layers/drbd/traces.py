"""What a volume has left anywhere: a volume that left traces is not new, however blank its disks.

Only a first build may call two blank devices equal.  Traces are read again with the mirror itself,
right before its steps: on the storage servers what is made after the mirror, on the application
servers whatever leads to the volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sanglier.core.action import Script
from sanglier.core.facts import Facts
from sanglier.core.probe import Look, Output, Outputs, Probe
from sanglier.core.problem import Problem
from sanglier.layers import looks
from sanglier.layers.backing.desired import short_device
from sanglier.layers.backing.facts import BackingFacts, Device
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import resource_path, servers_of
from sanglier.layers.drbd.facts import DrbdFacts, Resource, Traces, UserFacts
from sanglier.layers.drbd.judge import blocker
from sanglier.spec.cluster import Volume

TREES = "/etc/sanglier/targets"
"""Where the targets' trees lie, which the layer above writes."""

# $1 volume, $2 resource file, $3 target's tree.  The last two are made once the mirror runs.
ON_STORAGE = """
[ -e "$2" ] && echo "file $2"
[ -e "$3" ] && echo "known $3 is there"
if grep -qsF "id=\\"$1-drbd\\"" /var/lib/pacemaker/cib/cib.xml; then
    echo "known Pacemaker's configuration has its resources"
fi
for disk in /sys/kernel/config/target/core/iblock_*/"$1"; do
    if [ -d "$disk" ]; then echo "known its target is there"; fi
done
:
"""
# $1 map, then the targets.  Nothing here touches a device.
ON_APPLICATION = (
    looks.NEWLINE
    + """
map=$1; shift
[ -e "$map" ] && echo "live it has the map $map"
set -f; IFS=$nl
for line in $proc_mounts; do
    case $line in "$map "*) line=${line#* }; echo "live it is mounted on ${line%% *}" ;; esac
done
unset IFS; set +f
for file in /sys/class/iscsi_session/session*/targetname; do
    name=
    if [ -e "$file" ]; then read -r name < "$file" || :; fi
    for target in "$@"; do
        if [ "$name" = "$target" ]; then echo "known it has sessions with its targets"; fi
    done
done
for target in "$@"; do
    for records in /etc/iscsi/nodes /var/lib/iscsi/nodes; do
        if [ -e "$records/$target" ]; then echo "known its targets are in $records"; fi
    done
done
for unit in $(grep -lsxF "What=$map" /etc/systemd/system/*.mount); do
    echo "known $unit is there"
done
if grep -qsF "$map " /etc/fstab; then echo "known it is in /etc/fstab"; fi
:
"""
)


def tree_of(volume: Volume) -> str:
    """Path of the file from which the target of a volume is built."""
    return f"{TREES}/{volume.name}"


def new_consent(volume: Volume) -> str:
    """Consent that allows to begin a volume anew that there was already."""
    return f"new:{volume.name}"


def older_consent(volume: Volume) -> str:
    """Consent that allows to go on from data that is known not to be the newest."""
    return f"older:{volume.name}"


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """One look per volume, on the servers that mirror it and on those that mount it."""
    needs: tuple[Look, ...] = ()
    if any(server.name == host for server in goal.cluster.applications):
        needs = (looks.MOUNTS,)
        asked = [(v, ON_APPLICATION, (v.map_device, *_targets(goal, v)))
                 for v in goal.cluster.volumes]  # fmt: skip
    else:
        asked = [(v, ON_STORAGE, (v.name, resource_path(v), tree_of(v)))
                 for v in goal.cluster.volumes if host in v.devices]  # fmt: skip
    return tuple(
        Probe(
            name=f"traces-{volume.name}",
            script=Script(text=text, args=args),
            needs=needs,
            plain=True,
        )
        for volume, text, args in asked
    )


def _targets(goal: Goal, volume: Volume) -> tuple[str, ...]:
    servers = servers_of(goal.cluster, volume)
    return tuple(goal.cluster.target_iqn(volume, server) for server in servers)


def _rest(output: Output, key: str) -> tuple[str, ...]:
    found = (line[len(key) + 1 :] for line in output.lines if line.startswith(key + " "))
    return tuple(dict.fromkeys(found))


def parse(goal: Goal, outputs: Outputs) -> dict[str, Traces]:
    """Parse the looks of one host."""
    found = {v.name: outputs.get(f"traces-{v.name}") for v in goal.cluster.volumes}
    return {
        name: Traces(
            live=_rest(output, "live"), known=_rest(output, "known"), file=_rest(output, "file")
        )
        for name, output in found.items()
        if output
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What may be begun on a volume of which at least one side holds nothing."""

    problem: Problem | None = None
    consent: str | None = None
    """Consent on which its steps rest."""
    known: bool = False
    """It has traces, and beginning it anew is meant."""


def is_empty(side: Resource, device: Device) -> bool:
    """Whether a side holds no generation of data.

    Metadata that wipefs(8) sees and drbdmeta(8), which may be missing yet, did not read is data.
    """
    return side.fresh or side.pending or not (side.metadata or device.has_drbd)


def beginning(goal: Goal, facts: Facts, volume: Volume, sides: Mapping[str, Resource]) -> Beginning:
    """Judge whether sides without data are new, replaced, or lost."""
    devices = {host: facts.of(host, BackingFacts).devices[volume.name] for host in sides}
    empty = [host for host, side in sides.items() if is_empty(side, devices[host])]
    if len(empty) < len(sides):
        return _one_side(goal, volume, sides, empty)
    live = tuple(_told(goal, facts, volume, "live"))
    if live:
        return Beginning(problem=_in_use(volume, live))
    if all(device.emptied for device in devices.values()):
        return Beginning(known=True)
    known = (*_files(facts, volume, sides, devices), *_told(goal, facts, volume, "known"))
    if not known:
        return Beginning()
    if new_consent(volume) in goal.consents:
        return Beginning(consent=new_consent(volume), known=True)
    return Beginning(problem=_lost(volume, known))


def _told(goal: Goal, facts: Facts, volume: Volume, kind: str) -> Iterator[str]:
    for host in goal.cluster.hosts:
        traces = _traces(facts, host.name).get(volume.name, Traces())
        found = traces.live if kind == "live" else traces.known
        yield from (f"{host.name}: {trace}" for trace in found)


def _traces(facts: Facts, host: str) -> Mapping[str, Traces]:
    if facts.has(host, DrbdFacts):
        return facts.of(host, DrbdFacts).traces
    return facts.of(host, UserFacts).traces if facts.has(host, UserFacts) else {}


def _files(facts: Facts, volume: Volume, sides: Mapping[str, Resource],
           devices: Mapping[str, Device]) -> Iterator[str]:  # fmt: skip
    """Tell the resource files; a device that is blank on purpose makes its file no trace."""
    for host, side in sides.items():
        traces = facts.of(host, DrbdFacts).traces.get(volume.name, Traces())
        if not (side.metadata or side.pending or devices[host].emptied):
            yield from (f"{host}: {path} is there" for path in traces.file)


def _one_side(
    goal: Goal, volume: Volume, sides: Mapping[str, Resource], empty: list[str]
) -> Beginning:
    """Let a blank side be filled from the other, which must have the newest data."""
    bare = [host for host in empty if not sides[host].metadata]
    old = [host for host in sides if host not in empty and not sides[host].current]
    if not bare or not old:
        return Beginning()
    if sides[old[0]].whole and older_consent(volume) in goal.consents:
        return Beginning(consent=older_consent(volume))
    return Beginning(problem=_older(volume, bare[0], old[0], sides[old[0]]))


def _in_use(volume: Volume, live: tuple[str, ...]) -> Problem:
    return blocker(
        volume, volume.prefer, "SG-DRBD-010",
        f"both sides of {volume.name} are blank, and the volume is in use: " + "; ".join(live),
        "what is mounted would write on from its memory onto nothing; and a wrong or an absent "
        "disk under the right name looks just like this",
        "see on both storage servers which disk it is (`lsblk -o NAME,SERIAL,SIZE`) and bring "
        "the right one back; if the data is truly gone, first unmount the volume on every "
        "application server and remove its map (a reboot does both)",
    )  # fmt: skip


def _lost(volume: Volume, known: tuple[str, ...]) -> Problem:
    return blocker(
        volume, volume.prefer, "SG-DRBD-011",
        f"both sides of {volume.name} are blank, and the volume is not new: " + "; ".join(known),
        "a wrong or an absent disk under the right name looks just like this; a volume begun anew "
        "on it takes the name of the one whose data is elsewhere",
        "see on both storage servers which disk it is (`lsblk -o NAME,SERIAL,SIZE`) and bring "
        f"the right one back; if {volume.name} is to begin anew, empty, add: "
        f"--allow {new_consent(volume)}",
    )  # fmt: skip


def _older(volume: Volume, bare: str, source: str, side: Resource) -> Problem:
    device = short_device(volume.devices[bare])
    state = "Outdated" if side.whole else "Inconsistent, a mixture"
    lost = (
        f"if it is lost, and {source}'s older data is to be used: --allow {older_consent(volume)}"
        if side.whole
        else f"if it is lost, neither side is usable: your backup, and `wipe:` for {source}"
    )
    return blocker(
        volume, bare, "SG-DRBD-012",
        f"the device {device} is blank, and the other side, {source}, has older data ({state})",
        f"the newest data was on {bare}; a blank peer makes {source} the source, and what was "
        "acknowledged since is lost for good",
        f"bring the right disk of {bare} back (docs/how-to/replace-a-storage-server.md); {lost}",
    )  # fmt: skip
