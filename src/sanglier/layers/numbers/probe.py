"""Read who has which number: in kernels, in daemons, in files; whatever the cluster's file says.

No question depends on a number or on the order of the file, so that the answers can decide them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from sanglier.core.action import Script
from sanglier.core.probe import Outputs, Probe
from sanglier.layers import looks
from sanglier.layers.base import Goal
from sanglier.layers.numbers.facts import Claim, Kind, NumbersFacts, Rank

# $1: o2cb cluster name.
O2CB = (
    looks.NEWLINE
    + """
set -f; IFS=$nl
for line in $proc_mounts; do
    line=${line#* * }
    [ "${line%% *}" = ocfs2 ] && echo mounted
done
unset IFS; set +f
for node in "/sys/kernel/config/cluster/$1/node"/*; do
    number=
    { read -r number < "$node/num"; } 2>/dev/null && echo "node ${node##*/} $number"
done
echo == cluster.conf
cat /etc/ocfs2/cluster.conf 2>/dev/null
:
"""
)
# Of /etc/drbd.d nothing but names and numbers is printed: there are secrets in it.
MIRROR = (
    looks.NEWLINE
    + """
pick() {
    set -f; IFS=$nl
    for line in $1; do
        unset IFS
        case $line in *secret*) ;; *) words $line ;; esac
    done
    unset IFS; set +f
}
words() {
    last= address=
    for word; do
        case $last in
            resource) echo "resource ${word%%[;{]*}" ;;
            minor) echo "minor ${word%%[!0-9]*}" ;;
            address)
                address="$address $word"
                case $word in *";"*) ;; *) continue ;; esac
                echo "address${address%%;*};"
                address= ;;
        esac
        case $word in */dev/drbd[0-9]*)
            number=${word#*/dev/drbd}
            echo "/dev/drbd${number%%[!0-9]*}" ;;
        esac
        last=$word
    done
}
for group in /sys/kernel/config/target/core/iblock_*/*/alua/sanglier; do
    { read -r number < "$group/tg_pt_gp_id"; } 2>/dev/null || number=
    [ -d "$group" ] && echo "backstore $group $number"
done
grep -hoE 'core/iblock_[0-9]+/[^/ ]+/alua' /usr/lib/sanglier/fence-peer 2>/dev/null
echo == drbd
pick "$drbd_shown"
echo == drbd.d
pick "$drbd_files"
echo == corosync
set -f; IFS=$nl
for line in $corosync_values; do
    case $line in nodelist.* | totem.cluster_name*) printf '%s\\n' "$line" ;; esac
done
echo == corosync.conf
printf '%s\\n' "${corosync_conf#*"$nl"}"
"""
)
MIRROR_NEEDS = (looks.DRBD, looks.DRBD_FILES, looks.COROSYNC, looks.COROSYNC_CONF)
BACKSTORE = re.compile(r"^backstore \S*/core/iblock_(\d+)/([^/ ]+)/\S* ?(\d*)$")
HANDLER = re.compile(r"^core/iblock_\d+/([^/ ]+)/alua$")
RESOURCE = re.compile(
    r'^(?:resource +"?(?P<name>[^"]+?)"?|/dev/drbd(?P<device>\d+)|minor +(?P<minor>\d+)'
    r"|address.*:(?P<port>\d+) *;)$"
)
NODELIST = re.compile(r"^nodelist\.node\.(\d+)\.(name|nodeid) \(\w+\) = (.+)$")
CLUSTER_NAME = re.compile(r"^totem\.cluster_name \(str\) = (.*)$")
GROUP_STEP = 10
"""ALUA group ids are 10 and 20, Corosync's node ids 1 and 2: of index 0 and 1."""


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Ask application servers about o2cb, storage servers about the mirror and what is on it."""
    name = (goal.cluster.name,)
    servers = any(server.name == host for server in goal.cluster.applications)
    o2cb = Probe(
        name="o2cb", script=Script(text=O2CB, args=name), needs=(looks.MOUNTS,), plain=True
    )
    asked = [o2cb] if servers else []
    if any(server.name == host for server in goal.cluster.storage):
        asked.append(
            Probe(name="mirror", script=Script(text=MIRROR), needs=MIRROR_NEEDS, plain=True)
        )
    return tuple(asked)


def parse(goal: Goal, host: str, outputs: Outputs) -> NumbersFacts:
    """Build the facts; what was not asked claims nothing."""
    texts = {name: outputs[name].text if name in outputs else "" for name in ("o2cb", "mirror")}
    o2cb, mirror = _sections(texts["o2cb"]), _sections(texts["mirror"])
    claims = (
        *_o2cb(goal.cluster.name, host, o2cb),
        *_resources(mirror.get("drbd", ()), Rank.RUNNING, f"DRBD on {host}"),
        *_resources(mirror.get("drbd.d", ()), Rank.STORED, f"/etc/drbd.d on {host}"),
        *_backstores(goal, host, mirror[""]),
        *_corosync(goal.cluster.name, host, mirror),
    )
    handlers = (HANDLER.match(line) for line in mirror[""])
    return NumbersFacts(
        claims=tuple(dict.fromkeys(claims)),
        deciding=next((match[1] for match in handlers if match), ""),
    )


def _sections(text: str) -> dict[str, list[str]]:
    """Split what was printed at its ``== NAME`` lines; what stands before them is ``""``."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line in text.split("\n"):
        if line.startswith("== "):
            name = line[3:]
            found.setdefault(name, [])
        else:
            found[name].append(line)
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _o2cb(cluster: str, host: str, found: Mapping[str, list[str]]) -> Iterator[Claim]:
    rank = Rank.MOUNTED if "mounted" in found[""] else Rank.RUNNING
    mounted = ", where a volume is mounted" if rank is Rank.MOUNTED else ""
    for line in found[""]:
        words = line.split(" ")
        if len(words) == 3 and words[0] == "node":
            yield from _claim(Kind.NODE, words[1], words[2], rank, f"o2cb on {host}{mounted}")
    where = f"/etc/ocfs2/cluster.conf on {host}"
    for name, number in conf_nodes(found.get("cluster.conf", ()), cluster):
        yield from _claim(Kind.NODE, name, number, Rank.STORED, where)


def _claim(kind: Kind, name: str, text: str, rank: Rank, where: str) -> Iterator[Claim]:
    number = _number(text)
    if number is not None and name:
        yield Claim(kind=kind, name=name, number=number, rank=rank, where=where)


def conf_nodes(lines: Iterable[str], cluster: str) -> Iterator[tuple[str, str]]:
    """Give name and number of each node of ``cluster`` in a cluster.conf, o2cb(7)."""
    stanzas: list[dict[str, str]] = []
    for line in lines:
        if line.rstrip().endswith(":") and not line[:1].isspace():
            stanzas.append({"": line.strip().rstrip(":")})
        elif "=" in line and stanzas:
            key, _, value = line.partition("=")
            stanzas[-1][key.strip()] = value.strip()
    for stanza in stanzas:
        if stanza[""] == "node" and stanza.get("cluster") == cluster:
            yield stanza.get("name", ""), stanza.get("number", "")


def _resources(lines: Iterable[str], rank: Rank, where: str) -> Iterator[Claim]:
    """Read what ``pick`` left of ``drbdsetup show``, or of the files of drbd.conf(5)."""
    name = ""
    for match in filter(None, map(RESOURCE.match, lines)):
        name = match["name"] or name
        yield from _claim(Kind.MINOR, name, match["device"] or match["minor"] or "", rank, where)
        yield from _claim(Kind.PORT, name, match["port"] or "", rank, where)


def _backstores(goal: Goal, host: str, lines: Iterable[str]) -> Iterator[Claim]:
    hostname = next((s.hostname for s in goal.cluster.storage if s.name == host), "")
    where = f"the target on {host}"
    for match in filter(None, map(BACKSTORE.match, lines)):
        yield from _claim(Kind.MINOR, match[2], match[1], Rank.BUILT, where)
        yield from _side(hostname, match[3], GROUP_STEP, Rank.BUILT, where)


def _side(name: str, text: str, step: int, rank: Rank, where: str) -> Iterator[Claim]:
    """Turn a group id or a node id into an index; others than ours say nothing."""
    if _number(text) in {step, 2 * step}:
        yield from _claim(Kind.SIDE, name, str(int(text) // step - 1), rank, where)


def _corosync(cluster: str, host: str, found: Mapping[str, list[str]]) -> Iterator[Claim]:
    lines = found.get("corosync", ())
    running: dict[str, dict[str, str]] = {}
    for match in filter(None, map(NODELIST.match, lines)):
        running.setdefault(match[1], {})[match[2]] = match[3].strip()
    if cluster in {match[1].strip() for match in map(CLUSTER_NAME.match, lines) if match}:
        yield from _nodes(running.values(), Rank.RUNNING, f"Corosync on {host}")
    stored = found.get("corosync.conf", ())
    if any(line.split() == ["cluster_name:", cluster] for line in stored):
        where = f"/etc/corosync/corosync.conf on {host}"
        yield from _nodes(_conf_blocks(stored), Rank.STORED, where)


def _conf_blocks(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Give the keys of each ``node`` block, corosync.conf(5)."""
    block: dict[str, str] | None = None
    for line in lines:
        key, _, value = line.strip().partition(":")
        if line.split() == ["node", "{"]:
            block = {}
        elif block is not None and line.strip() == "}":
            yield block
            block = None
        elif block is not None:
            block[key] = value.strip()


def _nodes(blocks: Iterable[Mapping[str, str]], rank: Rank, where: str) -> Iterator[Claim]:
    for block in blocks:
        yield from _side(block.get("name", ""), block.get("nodeid", ""), 1, rank, where)
