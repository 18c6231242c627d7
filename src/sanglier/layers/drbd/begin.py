"""How a side without data begins: its metadata and, on a new volume, no first sync."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.facts import Facts
from sanglier.core.step import Mark, Risk, Step
from sanglier.layers.backing.desired import BLANK, IN_USE, emptied_marker, metadata_marker
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.drbd.facts import FRESH_UUID, UP_TO_DATE
from sanglier.layers.drbd.moves import change, everywhere, step
from sanglier.layers.drbd.traces import tree_of
from sanglier.spec.cluster import Volume

# $1 resource, $2 device, $3 marker, $4 resume, $5 marker of what is blank on purpose.  The first
# marker says that the device was blank when metadata was begun, so that a cut run can begin it
# again without asking.  drbdmeta(8) claims the device while it writes, and without --force and a
# terminal it gives up where somebody else has it; over its own cut work it must be forced.
CREATE = (
    BLANK
    + IN_USE
    + """
in_use "$2" true
if [ "$4" != resume ]; then
    blank "$2" || { echo "$2 is not blank any more; nothing was written"; return 1; }
fi
mkdir -p "${3%/*}"
: > "$3"
sync "$3" "${3%/*}"
if [ "$4" = resume ]; then
    drbdadm create-md --force "$1" </dev/null
else
    drbdadm create-md "$1" </dev/null
fi
rm -f "$5" "$3"
"""
)
# $1 resource, $2 minor, $3 the target's tree, $4 known or new.  Only ever on two sides that hold
# nothing: both must say Inconsistent and Connected, the metadata never have been used, and nobody
# have the volume.
SKIP = f"""
for disk in /sys/kernel/config/target/core/iblock_*/"$1"; do
    [ ! -d "$disk" ] || {{ echo "the target of $1 is there: it is not new"; return 1; }}
done
[ "$4" = known ] || [ ! -e "$3" ] || {{ echo "$3 is there: $1 is not new"; return 1; }}
used=$(drbdsetup get-gi "$2")
case $used in {FRESH_UUID}:*) ;; *) echo "$1 has held data: $used"; return 1;; esac
state="cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent"
grep -q "^ *$2: $state" /proc/drbd || {{
    echo "not $state any more:"; cat /proc/drbd; return 1
}}
drbdadm -- --clear-bitmap new-current-uuid "$1/0"
"""


def _consented(made: Step, consent: str | None) -> Step:
    """A volume that is not new is begun anew on its consent only."""
    return replace(made, consent=consent, risk=Risk.DESTRUCTIVE) if consent else made


def create_metadata(volume: Volume, host: str, *, resume: bool, consent: str | None) -> Step:
    """Write DRBD's metadata at the end of a device that is blank."""
    args = (
        volume.name,
        volume.devices[host],
        metadata_marker(volume.name),
        "resume" if resume else "new",
        emptied_marker(volume.name),
    )

    def effect(facts: Facts) -> Facts:
        made = change(
            host, volume.name, lambda r: replace(r, metadata=True, fresh=True, pending=False)
        )(facts)
        now = made.of(host, BackingFacts)
        device = replace(now.devices[volume.name], emptied=False)
        return made.with_(host, replace(now, devices={**now.devices, volume.name: device}))

    created = step(
        host, volume.name, 1, Mark.CREATE, f"create metadata on {volume.devices[host]}",
        "a run was cut while it was written" if resume else "the device is blank",
        Script(text=CREATE, args=args), effect,
    )  # fmt: skip
    return _consented(created, consent)


def skip_sync(volume: Volume, host: str, *, known: bool, consent: str | None) -> Step:
    """Declare two blank devices equal, drbdsetup(8) new-current-uuid --clear-bitmap."""
    args = (volume.name, str(volume.minor), tree_of(volume), "known" if known else "new")
    skipped = step(
        host, volume.name, 4, Mark.CHANGE, f"skip the first sync of {volume.name}",
        "both devices are blank, so they are equal",
        Script(text=SKIP, args=args),
        everywhere(
            volume,
            lambda r: replace(r, fresh=False, disk=UP_TO_DATE, peer_disk=UP_TO_DATE),
        ),
    )  # fmt: skip
    return _consented(skipped, consent)
