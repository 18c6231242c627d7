"""Read a volume's part of configfs: one listing, one process for all values."""

from __future__ import annotations

import re

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import RUN
from sanglier.layers.files import digest_probe, parse_digest
from sanglier.layers.services import parse_units, units_probe
from sanglier.layers.target.desired import BOOTS, RESTORE_UNIT, ROOT, core, tpg, tree_path
from sanglier.layers.target.facts import Export, TargetFacts
from sanglier.spec.cluster import StorageServer

LOADED = f"[ -d {ROOT}/iscsi ] && echo loaded; :"
# $1 backstore, $2 portal group.  Passwords are read as digests only; tail(1) -v names each file.
EXPORT = f"""
cd {ROOT} 2>/dev/null || return 0
for node in "${{1%/*}}" "$1" "$1"/alua/* "${{2%/*}}" "$2" "$2"/np/* "$2"/lun/lun_0 \\
    "$2"/lun/lun_0/* "$2"/acls/* "$2"/acls/*/lun_0 "$2"/acls/*/lun_0/*; do
    if [ -d "$node" ]; then echo "node $node"; fi
done
tail -v -n +1 "$1"/enable "$1"/info "$1"/udev_path "$1"/wwn/vpd_unit_serial "$1"/attrib/emulate_* \\
    "$1"/attrib/block_size "$1"/alua/*/tg_pt_gp_id "$1"/alua/*/alua_access_* \\
    "$1"/alua/*/preferred "$1"/alua/*/nonop_delay_msecs "$2"/enable "$2"/attrib/authentication \\
    "$2"/attrib/generate_node_acls "$2"/attrib/demo_mode_write_protect \\
    "$2"/attrib/default_cmdsn_depth "$2"/param/I* "$2"/param/FirstBurstLength \\
    "$2"/param/Max* "$2"/lun/lun_0/alua_tg_pt_gp "$2"/acls/*/auth/userid \\
    {RUN}/open-"${{1##*/}}" {RUN}/opened-"${{1##*/}}" {BOOTS}/"${{1##*/}}"/iqn* 2>/dev/null
sha256sum "$2"/acls/*/auth/password 2>/dev/null
:
"""
HEADER = re.compile(r"^==> (?P<path>.+) <==$")
PASSWORD = re.compile(r"^(?P<digest>[0-9a-f]{64})  (?P<path>\S+/auth/password)$")
GROUP_ALIAS = re.compile(r"^TG Port Alias: (?P<alias>\S+)")


def _server(goal: Goal, host: str) -> StorageServer | None:
    return next((s for s in goal.cluster.storage if s.name == host), None)


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Whether LIO is there, the boot-time restore, and one look per volume."""
    server = _server(goal, host)
    if server is None:
        return ()
    looks = (
        Probe(
            name=f"export-{volume.name}",
            script=Script(text=EXPORT, args=(core(volume), tpg(goal, volume, server))),
            plain=True,
        )
        for volume in goal.cluster.volumes
        if host in volume.devices
    )
    return (
        Probe(name="loaded", script=Script(text=LOADED), plain=True),
        units_probe((RESTORE_UNIT,)),
        *_trees(goal, host),
        *looks,
    )


def _trees(goal: Goal, host: str) -> tuple[Probe, ...]:
    if not goal.cluster.guarded:
        return ()
    paths = tuple(tree_path(v) for v in goal.cluster.volumes if host in v.devices)
    return (digest_probe("trees", paths),)


def _clean(path: str, lines: list[str]) -> str:
    """Reduce an attribute's text to the value that would be written to it."""
    text = "\n".join(lines).strip("\n ")
    if path.endswith("/vpd_unit_serial"):
        return text.rpartition(": ")[2]
    if path.endswith("/alua_tg_pt_gp"):
        match = GROUP_ALIAS.match(text)
        return match["alias"] if match else text
    if path.endswith("/alua_access_type"):
        return {"Implicit": "1", "Explicit": "2", "Implicit and Explicit": "3"}.get(text, text)
    return text


def parse_export(output: Output) -> Export:
    """Parse one look."""
    nodes, values, path = set(), {}, ""
    collected: dict[str, list[str]] = {}
    for line in output.text.splitlines():
        header, digest = HEADER.match(line), PASSWORD.match(line)
        if header:
            path = header["path"]
            collected[path] = []
        elif digest:
            values[digest["path"]] = digest["digest"]
        elif not path and line.startswith("node "):
            nodes.add(line[5:])
        elif path:
            collected[path].append(line)
    values.update({path: _clean(path, lines) for path, lines in collected.items()})
    return Export(nodes=frozenset(nodes), values=values)


def parse(goal: Goal, host: str, outputs: Outputs) -> TargetFacts:
    """Build the facts."""
    return TargetFacts(
        loaded="loaded" in outputs["loaded"].lines,
        units=parse_units(outputs["units"]),
        files=parse_digest(outputs["trees"]) if "trees" in outputs else {},
        exports={
            volume.name: parse_export(outputs[f"export-{volume.name}"])
            for volume in goal.cluster.volumes
            if host in volume.devices
        },
    )
