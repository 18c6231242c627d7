"""Look at each device: kind, size, users, signatures, and whether both ends are zeroes."""

from __future__ import annotations

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers import looks
from sanglier.layers.backing import size
from sanglier.layers.backing.desired import BLANK, IN_USE, emptied_marker, metadata_marker
from sanglier.layers.backing.facts import BackingFacts, Device, DeviceKind
from sanglier.layers.base import Goal

# $1 device, $2 resource, $3 and $4 markers.  A device that DRBD has attached, under this name or
# another, is not read further; before it is, DRBD is asked again, for it may just have begun.
LOOK = (
    BLANK
    + IN_USE
    + looks.NEWLINE
    + looks.NUMBER_OF
    + looks.SHOWN_OF
    + r"""
dev=$1 resource=$2
[ -e "$dev" ] || { echo kind absent; return; }
[ -b "$dev" ] || { echo kind other; return; }
echo kind block
number_of "$dev"
read -r sectors < "/sys/dev/block/$number/size" || sectors=0
echo "size $((sectors * 512))"
if [ -n "$number" ]; then echo "number $number"; fi
[ -e "$3" ] && echo pending
[ -e "$4" ] && echo emptied
header="==> /etc/drbd.d/$resource.res <==$nl"
case $nl$drbd_files in *"$nl$header"*)
    file=$nl$drbd_files; file=${file#*"$nl$header"}; file=${file%%"$nl==> /"*}
    case $file in *"$dev;"*) echo ours file;; esac;;
esac
attached() {
    held=${shown#*disk*\"/}; held=/${held%%\"*}
    [ "$held" = "$dev" ] || [ "$held" -ef "$dev" ]
}
shown_of "$resource"
if attached; then echo ours attached; return; fi
if [ -e /proc/drbd ] && shown=$(drbdsetup show "$resource" 2>/dev/null) && attached; then
    echo ours attached; return
fi
in_use "$dev" || echo "user nobody can be asked who has it: perl did not run"
wipefs --noheadings --output TYPE,LABEL -- "$dev" 2>/dev/null |
    while read -r type label; do echo "signature $type $label"; done
blank "$dev" || echo nonzero
"""
)


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """One look per volume that has a device on this host, and one at its sizes."""
    mine = [v for v in goal.cluster.volumes if host in v.devices]
    needs = (looks.device_numbers(goal, host), looks.DRBD_FILES, looks.DRBD)
    devices = tuple(
        Probe(
            name=volume.name,
            needs=needs,
            script=Script(
                text=LOOK,
                args=(
                    volume.devices[host],
                    volume.name,
                    metadata_marker(volume.name),
                    emptied_marker(volume.name),
                ),
            ),
        )
        for volume in mine
    )
    return devices + tuple(size.probe(goal, volume, host) for volume in mine)


def _rest(output: Output, key: str) -> tuple[str, ...]:
    found = (line[len(key) + 1 :].strip() for line in output.lines if line.startswith(key + " "))
    return tuple(dict.fromkeys(found))


def _claimed(output: Output) -> tuple[str, ...]:
    """Say what the kernel says where nobody is found by name."""
    told = (f"the kernel refuses to share it: {error}" for error in _rest(output, "busy"))
    return tuple(told)


def parse_device(output: Output) -> Device:
    """Parse one look."""
    kinds = {kind.value: kind for kind in DeviceKind}
    kind = next(iter(_rest(output, "kind")), "absent")
    told = next(iter(_rest(output, "size")), "0")
    return Device(
        kind=kinds.get(kind, DeviceKind.ABSENT),
        size=int(told) if told.isdecimal() else 0,
        number=next(iter(_rest(output, "number")), ""),
        users=_rest(output, "user") or _claimed(output),
        signatures=_rest(output, "signature"),
        nonzero="nonzero" in output.lines,
        ours=any(line.startswith("ours ") for line in output.lines),
        pending="pending" in output.lines,
        emptied="emptied" in output.lines,
    )


def parse(goal: Goal, host: str, outputs: Outputs) -> BackingFacts:
    """Build the facts."""
    return BackingFacts(
        devices={
            volume.name: size.with_sizes(
                parse_device(outputs[volume.name]),
                volume.devices[host],
                outputs.get(f"{volume.name}-size"),
            )
            for volume in goal.cluster.volumes
            if host in volume.devices
        }
    )
