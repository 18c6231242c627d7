"""Read corosync's values in force, Pacemaker's configuration and what runs where."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from sanglier.core.action import Script
from sanglier.core.probe import Look, Output, Outputs, Probe
from sanglier.layers import looks
from sanglier.layers.base import Goal
from sanglier.layers.cluster.certificates import (
    AUTHORITY,
    CLIENT,
    SERVER,
    STORAGE_DATABASE,
    WITNESS_DATABASE,
    parse_certificate,
)
from sanglier.layers.cluster.cib import parse_form
from sanglier.layers.cluster.corosync import CONF
from sanglier.layers.cluster.desired import (
    OUTDATED,
    QNETD_UNIT,
    UNITS,
    files_of,
    requiring_file,
)
from sanglier.layers.cluster.facts import Client, ClusterFacts, Link, Node, State, WitnessFacts
from sanglier.layers.files import digest_probe, parse_digest, parse_read, read_probe
from sanglier.layers.services import parse_units, units_probe
from sanglier.spec.cluster import StorageServer

# Without corosync none of these answers; timeout(1) bounds one that hangs.
VALUES = (
    looks.NEWLINE
    + """
[ -n "$corosync_values" ] || return 0
set -f; IFS=$nl
for line in $corosync_values; do
    case $line in runtime.config.totem.* | quorum.device.*) printf '%s\\n' "$line" ;; esac
done
unset IFS
timeout 10 corosync-quorumtool -s -i 2>/dev/null
:
"""
)
SHOW_CONF = "printf '%s\\n' \"$corosync_conf\""
CONFIGURATION = """
[ -n "$pacemaker" ] || return 0
timeout 15 cibadmin --query --scope configuration 2>/dev/null; :
"""
STATE = """
[ -n "$pacemaker" ] || return 0
timeout 15 crm_mon --one-shot --inactive --output-as=xml 2>/dev/null; :
"""
VALUE = re.compile(r"^(?P<name>[\w.]+) \(\w+\) = (?P<value>.*)$")
DEVICE = re.compile(r"^\s+0\s+1\s+Qdevice", re.MULTILINE)
""" "Membership information" of corosync-quorumtool(8): the device's line has its votes, 1 or 0."""


# $1 database, $2 mark.
LINK = """
[ ! -d "$1" ] || echo '== database'
[ ! -e "$2" ] || echo '== outdated'
[ ! -e "$1/cert9.db" ] || for nickname in 'QNet CA' 'Cluster Cert'; do
    printf '== %s\\n' "$nickname"
    certutil -L -d "$1" -n "$nickname" 2>/dev/null
done
echo '== device'
timeout 10 corosync-qdevice-tool -s -v 2>/dev/null
:
"""
# $1 database.
AUTHORITY_SEEN = """
[ ! -e "$1/cert9.db" ] || for nickname in 'QNet CA' 'QNetd Cert'; do
    printf '== %s\\n' "$nickname"
    certutil -L -d "$1" -n "$nickname" 2>/dev/null
done
echo '== daemon'
timeout 10 corosync-qnetd-tool -s 2>/dev/null
echo '== clients'
timeout 10 corosync-qnetd-tool -l -v 2>/dev/null
:
"""
CLOCK = "date +%s"
TLS = re.compile(r"^TLS:\s+(?P<setting>\w+)", re.MULTILINE)
ENCRYPTED = re.compile(r"^\s*TLS active:\s+(?P<word>\w+)", re.MULTILINE)
CONNECTED = re.compile(r"^State:\s+Connected$", re.MULTILINE)


def server_of(goal: Goal, host: str) -> StorageServer | None:
    """Find the storage server called ``host``."""
    return next((s for s in goal.cluster.storage if s.name == host), None)


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Ask the storage servers about the engine, the witness about its daemon."""
    if not goal.cluster.guarded:
        return ()
    server, asked = server_of(goal, host), []
    if server is not None:
        secret = tuple(file.path for file in files_of(goal, server) if file.path != CONF)
        asked += [
            digest_probe("files", secret),
            _told("conf", SHOW_CONF, looks.COROSYNC_CONF),
            units_probe(UNITS),
            Probe(name="values", script=Script(text=VALUES), needs=(looks.COROSYNC,), plain=True),
            _told("configuration", CONFIGURATION, looks.PACEMAKER),
            _told("state", STATE, looks.PACEMAKER),
            _asked("link", LINK, STORAGE_DATABASE, OUTDATED),
        ]
    witness = goal.cluster.witness
    if witness is not None and witness.name == host:
        asked += [
            units_probe((QNETD_UNIT,)),
            read_probe("requiring", (requiring_file().path,)),
            _asked("authority", AUTHORITY_SEEN, WITNESS_DATABASE),
        ]
    if asked:
        asked.append(_asked("clock", CLOCK))
    return tuple(asked)


def _asked(name: str, text: str, *args: str) -> Probe:
    return Probe(name=name, script=Script(text=text, args=args), plain=True)


def _told(name: str, text: str, look: Look) -> Probe:
    return Probe(name=name, script=Script(text=text), needs=(look,), plain=True)


def _node(element: ET.Element) -> Node:
    """Read a node; one whose Pacemaker is stopped is "online" and "standby", but pending."""
    joined = element.get("pending") != "true"
    return Node(
        online=joined and element.get("online") == "true",
        unclean=element.get("unclean") == "true",
        standby=joined and element.get("standby") == "true",
    )


def _running(root: ET.Element) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for resource in root.iter("resource"):
        places = found.setdefault(str(resource.get("id")), {})
        if resource.get("active") == "true":
            for node in resource.findall("node"):
                places[str(node.get("name"))] = str(resource.get("role"))
    return found


def _failure(element: ET.Element) -> str:
    reason = element.get("exitreason") or element.get("exitstatus") or element.get("status")
    return f"{element.get('op_key')} on {element.get('node')}: {reason}"


def parse_state(text: str) -> State | None:
    """Read what ``crm_mon --output-as=xml`` printed; ``None`` when it is not that."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return None
    coordinator = root.find("summary/current_dc")
    if coordinator is None:
        return None
    return State(
        coordinator=coordinator.get("name", ""),
        quorate=coordinator.get("with_quorum") == "true",
        nodes={str(node.get("name")): _node(node) for node in root.findall("nodes/node")},
        running=_running(root),
        failed=tuple(_failure(failure) for failure in root.findall("failures/failure")),
    )


def _values(output: Output) -> dict[str, str]:
    matches = (VALUE.match(line) for line in output.lines)
    return {match["name"]: match["value"] for match in matches if match}


def _sections(text: str) -> dict[str, str]:
    """Take an answer apart at its lines ``== NAME``."""
    parts = (part.partition("\n") for part in f"\n{text}".split("\n== ")[1:])
    return {name: body for name, _, body in parts}


def _clock(output: Output) -> int:
    return int(output.text) if output.text.strip().isdecimal() else 0


def parse_link(text: str, now: int) -> Link:
    """Read a storage server's certificates, and how its quorum device runs."""
    found = _sections(text)
    device = found.get("device", "")
    setting, active = TLS.search(device), ENCRYPTED.search(device)
    connected = bool(active and CONNECTED.search(device))
    return Link(
        now=now,
        database="database" in found,
        authority=parse_certificate(found.get(AUTHORITY, "")),
        certificate=parse_certificate(found.get(CLIENT, "")),
        tls=setting["setting"] if setting else "",
        encrypted=active["word"] == "Yes" if active and connected else None,
        outdated="outdated" in found,
    )


def _clients(text: str) -> tuple[Client, ...]:
    clusters = (part.partition('"') for part in text.split('Cluster "')[1:])
    return tuple(
        Client(cluster=name, encrypted=match["word"] == "Yes")
        for name, _, body in clusters
        for match in ENCRYPTED.finditer(body)
    )


def parse_witness(outputs: Outputs) -> WitnessFacts:
    """Read the witness's certificates, and who is connected."""
    found = _sections(outputs["authority"].text)
    setting = TLS.search(found.get("daemon", ""))
    return WitnessFacts(
        units=parse_units(outputs["units"]),
        now=_clock(outputs["clock"]),
        files=parse_read(outputs["requiring"], (requiring_file().path,)),
        authority=parse_certificate(found.get(AUTHORITY, "")),
        certificate=parse_certificate(found.get(SERVER, "")),
        tls=setting["setting"] if setting else "",
        clients=_clients(found.get("clients", "")),
    )


def parse(goal: Goal, host: str, outputs: Outputs) -> object:
    """Build the facts of a storage server, or of the witness."""
    if server_of(goal, host) is None:
        return parse_witness(outputs)
    return ClusterFacts(
        files={**parse_digest(outputs["files"]), **parse_read(outputs["conf"], (CONF,))},
        units=parse_units(outputs["units"]),
        values=_values(outputs["values"]),
        device_votes=bool(DEVICE.search(outputs["values"].text)),
        configuration=parse_form(outputs["configuration"].text),
        state=parse_state(outputs["state"].text),
        link=parse_link(outputs["link"].text, _clock(outputs["clock"])),
    )
