"""Read addresses with iproute2 and try every link with one full-size ping, all at once."""

from __future__ import annotations

import re

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers import looks
from sanglier.layers.base import Goal
from sanglier.layers.network.desired import addresses_of, links_of
from sanglier.layers.network.facts import Interface, NetworkFacts

ADDRESSES = (
    looks.NEWLINE
    + """
read -r name < /proc/sys/kernel/hostname
printf 'hostname %s\\n' "$name"
set -f; IFS=$nl
for line in $addresses; do
    unset IFS
    set -- $line
    read -r mtu < "/sys/class/net/$2/mtu" || mtu=0
    case $3 in inet|inet6) printf 'address %s %s %s\\n' "${4%%/*}" "$2" "$mtu";; esac
done
"""
)
# 28 and 48 are the IPv4 and IPv6 headers plus ICMP's 8 bytes; -M do forbids fragments, ping(8).
# A command in the background, without a subshell around it, is one process.
LINKS = (
    looks.NEWLINE
    + """
command -v ping >/dev/null || return 127
size_for() {
    mtu=1500
    case $addresses in *" $1/"*)
        before=${addresses%%" $1/"*}
        before=${before##*"$nl"}
        dev=${before#*: }
        read -r mtu < "/sys/class/net/${dev%% *}/mtu" || :;;
    esac
    case $1 in *:*) size=$((mtu - 48));; *) size=$((mtu - 28));; esac
}
try() {
    size_for "$1"
    ping -n -q $3 -W 2 -M do -s "$size" -I "$1" "$2" >/dev/null 2>&1 &
    pids="$pids $!"
}
tried() {
    for pid in $pids; do
        if wait "$pid"; then printf 'up %s\\n' "$2"; else failed="$failed $1 $2"; fi
        shift 2
    done
}
pids= failed= ends=$*
while [ $# -gt 1 ]; do try "$1" "$2" "-c 1"; shift 2; done
tried $ends
set -- $failed; pids= failed= ends=$*
while [ $# -gt 1 ]; do try "$1" "$2" "-c 2 -i 0.3"; shift 2; done
tried $ends
set -- $failed
while [ $# -gt 1 ]; do printf 'down %s\\n' "$2"; shift 2; done
"""
)
CLOCK = "date +%s.%N"


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Addresses, clock, and links where the host has a role on the networks."""
    if not addresses_of(goal.cluster, host):
        return ()
    ends = [end for link in links_of(goal.cluster, host) for end in (link.source, link.peer)]
    return (
        Probe(
            name="addresses", script=Script(text=ADDRESSES), needs=(looks.ADDRESSES,), plain=True
        ),
        Probe(
            name="links",
            script=Script(text=LINKS, args=tuple(ends)),
            needs=(looks.ADDRESSES,),
            slow=True,
        ),
        Probe(name="clock", script=Script(text=CLOCK), plain=True),
    )


def _addresses(output: Output) -> dict[str, Interface]:
    words = (line.split() for line in output.lines if line.startswith("address "))
    return {
        w[1]: Interface(name=w[2], mtu=int(w[3]) if w[3].isdecimal() else 0)
        for w in words
        if len(w) == 4
    }


def _hostname(output: Output) -> str:
    names = (line[9:] for line in output.lines if line.startswith("hostname "))
    return next(names, "")


def _seconds(output: Output | None) -> float | None:
    text = output.text.strip() if output else ""
    return float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else None


def parse(goal: Goal, host: str, outputs: Outputs) -> NetworkFacts:
    """Build the facts; the far clock is compared with ours at the moment of the answer."""
    links = outputs["links"]
    pairs = [line.split() for line in links.lines]
    theirs, ours = _seconds(outputs["clock"]), _seconds(outputs.get("controller-clock"))
    return NetworkFacts(
        hostname=_hostname(outputs["addresses"]),
        addresses=_addresses(outputs["addresses"]),
        reachable={p[1]: p[0] == "up" for p in pairs if len(p) == 2 and p[0] in {"up", "down"}},
        clock_ahead_s=None if theirs is None or ours is None else theirs - ours,
    )
