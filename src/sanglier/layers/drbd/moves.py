"""Each single move on a DRBD resource, with its commands and its predicted effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sanglier.core.action import Action, RemoveFile, Run, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.backing.desired import emptied_marker
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import handler_waits, resource_file
from sanglier.layers.drbd.facts import UP_TO_DATE, DrbdFacts, InForce, Resource
from sanglier.layers.files import WantedFile, as_read, write_step
from sanglier.spec.cluster import Volume

# $1 resource, $2 minor, $3 seconds.  A split brain shows as StandAlone.
WAIT = """
seconds=$3
while [ "$seconds" -gt 0 ]; do
    line=$(grep -s "^ *$2: cs:" /proc/drbd) || line=
    case $line in
        *cs:WFConnection*|*cs:WFReportParams*|*cs:Unconnected*|'') ;;
        *cs:StandAlone*)
            dmesg | grep -i "split-brain" | tail -n 2
            echo "SPLIT-BRAIN? $1 is StandAlone: each side may hold writes the other has not"
            return 1;;
        *cs:Disconnecting*|*cs:Timeout*|*cs:BrokenPipe*|*cs:NetworkFailure*) ;;
        *) return 0;;
    esac
    sleep 0.2; seconds=$((seconds - 1))
done
echo "$1 did not connect: $line"
return 1
"""
# $1 resource, $2 minor.  A side that is behind is never promoted: wait a while, then say so.
PROMOTE = """
tries=150
until grep -qs "^ *$2: .* ds:UpToDate/" /proc/drbd; do
    tries=$((tries - 1)); sleep 0.3
    if [ "$tries" -le 0 ]; then
        cat /proc/drbd
        echo "$1 is still being brought up to date here; apply again when it is done"
        return 1
    fi
done
tries=20
until drbdadm primary "$1"; do
    tries=$((tries - 1)); [ "$tries" -gt 0 ] || return 1; sleep 0.3
done
"""


def change(host: str, volume: str, alter: Callable[[Resource], Resource]) -> Effect:
    """Make an effect on one resource of one host."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, DrbdFacts)
        altered = {**now.resources, volume: alter(now.resources[volume])}
        return facts.with_(host, replace(now, resources=altered))

    return effect


def everywhere(volume: Volume, alter: Callable[[Resource], Resource]) -> Effect:
    """Make an effect on every side that was read."""

    def effect(facts: Facts) -> Facts:
        for host in volume.devices:
            if facts.has(host, DrbdFacts):
                facts = change(host, volume.name, alter)(facts)
        return facts

    return effect


def step(
    host: str,
    volume: str,
    phase: int,
    mark: Mark,
    summary: str,
    reason: str,
    action: Action,
    effect: Effect,
    risk: Risk = Risk.SAFE,
) -> Step:
    """Make a step of this layer."""
    return Step(
        address=Address(host=host, layer="drbd", subject=volume),
        phase=phase,
        mark=mark,
        summary=summary,
        reason=reason,
        actions=(action,),
        effect=effect,
        risk=risk,
        limit=120,
    )


def write(goal: Goal, volume: Volume, host: str, now: DrbdFacts, *, empty: bool) -> Step:
    """Write the resource file; the device under it is ours from then on.

    A first file for a side that is ``empty`` is preceded by the word that it is blank on purpose.
    """
    wanted = resource_file(goal, volume)
    first = empty and wanted.path not in now.files

    def effect(facts: Facts) -> Facts:
        drbd = facts.of(host, DrbdFacts)
        facts = facts.with_(host, replace(drbd, files={**drbd.files, wanted.path: as_read(wanted)}))
        backing = facts.of(host, BackingFacts)
        device = backing.devices[volume.name]
        device = replace(device, ours=True, emptied=device.emptied or first)
        devices = {**backing.devices, volume.name: device}
        return facts.with_(host, replace(backing, devices=devices))

    address = Address(host=host, layer="drbd", subject=volume.name)
    written = write_step(address, wanted, now.files, effect, phase=0)
    mark = WriteFile(path=emptied_marker(volume.name), content="")
    return replace(written, actions=(mark, *written.actions)) if first else written


def write_handler(goal: Goal, host: str, wanted: WantedFile, now: DrbdFacts) -> Step:
    """Write the fence-peer handler, drbd.conf(5)."""

    def effect(facts: Facts) -> Facts:
        drbd = facts.of(host, DrbdFacts)
        files = {**drbd.files, wanted.path: as_read(wanted)}
        waits = handler_waits(goal.cluster.timings)
        return facts.with_(host, replace(drbd, files=files, handler=waits))

    address = Address(host=host, layer="drbd", subject="fence-peer")
    return write_step(address, wanted, now.files, effect, phase=0)


def load_module(host: str) -> Step:
    """Load DRBD into the kernel."""

    def effect(facts: Facts) -> Facts:
        return facts.with_(host, replace(facts.of(host, DrbdFacts), version="8.4"))

    return step(
        host, "module", 0, Mark.START, "load the kernel module drbd", "not loaded",
        Run(argv=("modprobe", "drbd")), effect,
    )  # fmt: skip


def _connected(volume: Volume, facts: Facts) -> Facts:
    sides = [
        facts.of(h, DrbdFacts).resources[volume.name]
        for h in volume.devices
        if facts.has(h, DrbdFacts)
    ]
    if all(side.up for side in sides) and len(sides) == len(volume.devices):
        good = any(side.disk == UP_TO_DATE for side in sides)
        return everywhere(volume, lambda r: _caught_up(r, good=good))(facts)
    return facts


def _caught_up(side: Resource, *, good: bool) -> Resource:
    """A side that only missed some writes is soon up to date; one without data is not."""
    behind = good and side.disk in {"Outdated", "Consistent"}
    return replace(side, connection="Connected", disk=UP_TO_DATE if behind else side.disk)


def talks(host: str, volume: Volume, alter: Callable[[Resource], Resource]) -> Effect:
    """Alter one side; once both are up, both are connected."""

    def effect(facts: Facts) -> Facts:
        return _connected(volume, change(host, volume.name, alter)(facts))

    return effect


def _brought_up(volume: Volume, side: Resource) -> Resource:
    disk = "Inconsistent" if side.fresh else UP_TO_DATE
    return replace(
        side, up=True, role="Secondary", disk=disk, connection="WFConnection",
        in_force=InForce(minor=volume.minor),
    )  # fmt: skip


def up(volume: Volume, host: str) -> Step:
    """Attach the device and start to connect."""
    return step(
        host, volume.name, 2, Mark.START, f"bring up resource {volume.name}", "it is down",
        Run(argv=("drbdadm", "up", volume.name)),
        talks(host, volume, lambda r: _brought_up(volume, r)),
    )  # fmt: skip


def wait_connected(volume: Volume, host: str) -> Step:
    """Wait until both sides talk, at most 20 s."""
    return step(
        host, volume.name, 3, Mark.START, f"wait until {volume.name} is connected",
        "it is not connected", Script(text=WAIT, args=(volume.name, str(volume.minor), "100")),
        lambda facts: _connected(volume, facts),
    )  # fmt: skip


def promote(volume: Volume, host: str) -> Step:
    """Make one side Primary."""
    return step(
        host, volume.name, 5, Mark.START, f"promote {volume.name} to Primary",
        "it is Secondary", Script(text=PROMOTE, args=(volume.name, str(volume.minor))),
        change(host, volume.name, lambda r: replace(r, role="Primary")),
    )  # fmt: skip


def take_down(volume: Volume, host: str) -> Step:
    """Demote, disconnect and detach, for good."""
    return step(
        host, volume.name, 0, Mark.STOP, f"take down resource {volume.name}",
        "the cluster is being taken down", Run(argv=("drbdadm", "down", volume.name)),
        change(host, volume.name, lambda r: Resource(metadata=True, fresh=r.fresh)),
        Risk.DISRUPTIVE,
    )  # fmt: skip


def _forgotten(host: str, path: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, DrbdFacts)
        files = {key: value for key, value in now.files.items() if key != path}
        return facts.with_(host, replace(now, files=files))

    return effect


def remove_handler(host: str, path: str) -> Step:
    """Remove the fence-peer handler."""
    return step(
        host, "fence-peer", 1, Mark.REMOVE, f"remove {path}",
        "the cluster is being taken down", RemoveFile(path=path), _forgotten(host, path),
    )  # fmt: skip


def remove_file(volume: Volume, host: str, path: str) -> Step:
    """Remove the resource file; the data stays on the device."""
    return step(
        host, volume.name, 1, Mark.REMOVE, f"remove {path}",
        "the cluster is being taken down", RemoveFile(path=path), _forgotten(host, path),
    )  # fmt: skip
