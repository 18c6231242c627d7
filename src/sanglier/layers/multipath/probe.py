"""Ask multipathd over its socket; JSON, multipathd(8)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers.base import Goal
from sanglier.layers.files import parse_read, read_probe
from sanglier.layers.multipath.desired import DAEMON, PATH
from sanglier.layers.multipath.facts import Map, MultipathFacts, Path
from sanglier.layers.services import parse_units, units_probe

MAPS = "multipathd show maps json 2>/dev/null; :"
CONFIG = "multipathd show config local 2>/dev/null; :"
DISKS = """
for disk in /sys/block/sd*; do
    vendor= wwid=
    read -r vendor < "$disk/device/vendor" || :
    read -r wwid < "$disk/device/wwid" || :
    case $vendor in LIO-ORG*) echo "disk ${disk##*/} $wwid";; esac
done 2>/dev/null
:
"""


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """File, daemon, maps and disks of an application server."""
    if not any(server.name == host for server in goal.cluster.applications):
        return ()
    return (
        read_probe("files", (PATH,)),
        units_probe((DAEMON,)),
        Probe(name="maps", script=Script(text=MAPS), plain=True),
        Probe(name="disks", script=Script(text=DISKS), plain=True),
        Probe(name="config", script=Script(text=CONFIG), plain=True),
    )


def _path(entry: dict[str, Any]) -> Path:
    priority = entry.get("pri", 0)
    return Path(
        device=str(entry.get("dev", "")),
        state=str(entry.get("dm_st", "")),
        checker=str(entry.get("chk_st", "")),
        target=str(entry.get("target_wwnn", "")),
        priority=priority if isinstance(priority, int) else 0,
    )


def _map(entry: dict[str, Any]) -> Map:
    groups = entry.get("path_groups", [])
    return Map(
        name=str(entry.get("name", "")),
        wwid=str(entry.get("uuid", "")),
        paths=tuple(_path(path) for group in groups for path in group.get("paths", [])),
        groups=len(groups),
        queueing=str(entry.get("queueing", "")),
    )


def parse_maps(output: Output) -> tuple[Map, ...]:
    """Parse ``multipathd show maps json``; a daemon that does not answer has no maps."""
    try:
        entries = json.loads(output.text)["maps"]
        return tuple(_map(entry) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def _sections(output: Output) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Give every section with its place, e.g. ``("devices", "device")``, as it closes."""
    place: list[tuple[str, dict[str, str]]] = []
    for line in output.lines:
        keyword, _, value = line.strip().partition(" ")
        if value == "{":
            place.append((keyword, {}))
        elif keyword == "}" and place:
            yield tuple(name for name, _ in place), place.pop()[1]
        elif place and value:
            place[-1][1][keyword] = value.strip('"')


def parse_settings(output: Output) -> dict[str, str]:
    """Parse ``multipathd show config local``: what counts for LIO's disks, multipath.conf(5).

    A device's section goes before the defaults, the overrides before both.  Of several sections
    that match a device the last counts; ours, for LIO-ORG alone, comes after the built-in one.
    """
    defaults: dict[str, str] = {}
    device: dict[str, str] = {}
    overrides: dict[str, str] = {}
    for place, found in _sections(output):
        if place == ("defaults",):
            defaults |= found
        elif place == ("devices", "device") and "LIO-ORG" in found.get("vendor", ""):
            device |= found
        elif place == ("overrides",):
            overrides |= found
    return {**defaults, **device, **overrides}


def _disks(output: Output) -> Iterator[tuple[str, str]]:
    for line in output.lines:
        words = line.split()
        if len(words) == 3 and words[0] == "disk":
            yield words[1], "3" + words[2].removeprefix("naa.")


def parse(goal: Goal, host: str, outputs: Outputs) -> MultipathFacts:
    """Build the facts."""
    return MultipathFacts(
        files=parse_read(outputs["files"], (PATH,)),
        units=parse_units(outputs["units"]),
        maps=parse_maps(outputs["maps"]),
        disks=dict(_disks(outputs["disks"])),
        settings=parse_settings(outputs["config"]),
    )
