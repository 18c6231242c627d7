"""Read open-iscsi's files and records, and the kernel's sessions from sysfs."""

from __future__ import annotations

import re

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers.base import Goal
from sanglier.layers.files import (
    Files,
    as_file,
    digest_probe,
    parse_digest,
    parse_read,
    read_probe,
)
from sanglier.layers.initiator.desired import (
    ALIAS,
    BOOT_PATH,
    CONF_PATH,
    DAEMON_PATH,
    LOGIN_PATH,
    NAME_PATH,
    UDEV_PATH,
    UNITS,
)
from sanglier.layers.initiator.facts import InitiatorFacts, Portal, Session
from sanglier.layers.services import parse_units, units_probe

NODES = "nodes=/etc/iscsi/nodes; [ ! -d /var/lib/iscsi ] || nodes=/var/lib/iscsi/nodes; "
"""Where iscsiadm keeps its records, as ``$nodes``: elsewhere since 2.1.10, whose package has that
folder and moves them there."""

# Records whose password is not that of iscsid.conf are named by their files alone; the pattern
# goes through a pipe, so that no process list shows it.
RECORDS = (
    NODES + "grep -s '^node.session.auth.password = ' /etc/iscsi/iscsid.conf | "
    'grep -rsLxF -f - "$nodes" | while read -r file; do echo "stale $file"; done; '
    "grep -rsE '^node[.](startup|session[.]timeo[.]|session[.]err_timeo[.]|session.auth.authmethod|"
    'conn[[]0[]][.]timeo[.]noop)\' "$nodes"; :'
)
SESSIONS = """
for session in /sys/class/iscsi_session/session*; do
    [ -d "$session" ] || continue
    name=${session##*/session}
    connection=/sys/class/iscsi_connection/connection$name:0
    target= state= address= initiator=
    read -r target < "$session/targetname" || :
    read -r state < "$session/state" || :
    read -r initiator < "$session/initiatorname" || :
    read -r address < "$connection/persistent_address" || :
    echo "session $target $address $state ${initiator:--} $session"
    for file in "$session/recovery_tmo" "$session/abort_tmo" "$session/lu_reset_tmo" \
        "$session/tgt_reset_tmo" "$connection/recv_tmo" "$connection/ping_tmo"; do
        seconds=
        read -r seconds < "$file" || :
        echo "timeout $session ${file##*/} $seconds"
    done
done 2>/dev/null
sha256sum /sys/class/iscsi_session/session*/password 2>/dev/null
for disk in /sys/block/sd*; do
    vendor= timeout=
    read -r vendor < "$disk/device/vendor" || :
    read -r timeout < "$disk/device/timeout" || :
    case $vendor in LIO-ORG*) echo "disk ${disk##*/} $timeout";; esac
done 2>/dev/null
:
"""
SHOWN = (NAME_PATH, UDEV_PATH, LOGIN_PATH, DAEMON_PATH, BOOT_PATH)
"""Files without secrets."""
RECORD = re.compile(
    r"^(?:/etc|/var/lib)/iscsi/nodes/(?P<target>[^/]+)/(?P<address>[^/,]+),\d+,\d+(?:/[^/:]+)?"
    r":(?P<key>node[.]\S+) = (?P<value>.*)$"
)
STALE = re.compile(
    r"^stale (?:/etc|/var/lib)/iscsi/nodes/(?P<target>[^/]+)/(?P<address>[^/,]+),\d+,\d+"
)


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Files, units, records and sessions of an application server."""
    if not any(server.name == host for server in goal.cluster.applications):
        return ()
    return (
        read_probe("files", SHOWN),
        digest_probe("secret-files", (CONF_PATH,)),
        units_probe(UNITS),
        Probe(name="records", script=Script(text=RECORDS), plain=True),
        Probe(name="sessions", script=Script(text=SESSIONS), plain=True),
    )


def _records(output: Output) -> dict[Portal, dict[str, str]]:
    found: dict[Portal, dict[str, str]] = {}
    for line in output.lines:
        match = RECORD.match(line)
        if match:
            portal = Portal(target=match["target"], address=match["address"])
            found.setdefault(portal, {})[match["key"]] = match["value"].strip()
    return found


def _stale(output: Output) -> frozenset[Portal]:
    matches = (STALE.match(line) for line in output.lines)
    return frozenset(Portal(target=m["target"], address=m["address"]) for m in matches if m)


def _session_timeouts(output: Output) -> dict[str, dict[str, int]]:
    """Give the timeouts in force by the folder of their session; what is no number is unknown."""
    found: dict[str, dict[str, int]] = {}
    for line in output.lines:
        words = line.split()
        if len(words) == 4 and words[0] == "timeout" and re.fullmatch(r"-?[0-9]{1,9}", words[3]):
            found.setdefault(words[1], {})[words[2]] = int(words[3])
    return found


def _sessions(output: Output) -> tuple[Session, ...]:
    words = (line.split() for line in output.lines if line.startswith("session "))
    digests = {path: state.digest for path, state in parse_digest(output).items()}
    timeouts = _session_timeouts(output)
    return tuple(
        Session(
            portal=Portal(target=w[1], address=w[2]),
            state=w[3],
            initiator=w[4],
            password_digest=digests.get(f"{w[5]}/password", ""),
            name=w[5].rpartition("/")[2],
            timeouts=timeouts.get(w[5], {}),
        )
        for w in words
        if len(w) == 6
    )


def _timeouts(output: Output) -> dict[str, int]:
    words = (line.split() for line in output.lines if line.startswith("disk "))
    return {w[1]: int(w[2]) for w in words if len(w) == 3 and w[2].isdecimal()}


def _without_boot(files: Files) -> Files:
    """Leave out the line that each boot writes into the file of the name."""
    name = files.get(NAME_PATH)
    if name is None or name.text is None:
        return files
    lines = (line for line in name.text.split("\n") if not line.startswith(ALIAS))
    return {**files, NAME_PATH: as_file("\n".join(lines))}


def parse(goal: Goal, host: str, outputs: Outputs) -> InitiatorFacts:
    """Build the facts."""
    return InitiatorFacts(
        files={
            **_without_boot(parse_read(outputs["files"], SHOWN)),
            **parse_digest(outputs["secret-files"]),
        },
        units=parse_units(outputs["units"]),
        records=_records(outputs["records"]),
        stale_passwords=_stale(outputs["records"]),
        sessions=_sessions(outputs["sessions"]),
        disk_timeouts=_timeouts(outputs["sessions"]),
    )
