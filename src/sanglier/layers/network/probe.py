"""Read addresses with iproute2 and try every link with one full-size ping, all at once."""

from __future__ import annotations

import re

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers.base import Goal
from sanglier.layers.network.desired import addresses_of, links_of
from sanglier.layers.network.facts import Interface, NetworkFacts

ADDRESSES = """
read -r name < /proc/sys/kernel/hostname
printf 'hostname %s\\n' "$name"
ip -o addr show | while read -r _ dev family cidr _; do
    read -r mtu < "/sys/class/net/$dev/mtu" || mtu=0
    case $family in inet|inet6) printf 'address %s %s %s\\n' "${cidr%%/*}" "$dev" "$mtu";; esac
done
"""
# 28 and 48 are the IPv4 and IPv6 headers plus ICMP's 8 bytes; -M do forbids fragments, ping(8).
LINKS = """
command -v ping >/dev/null || return 127
addresses=$(ip -o addr show)
size_for() {
    mtu=1500
    while read -r _ dev _ cidr _; do
        if [ "${cidr%%/*}" = "$1" ]; then read -r mtu < "/sys/class/net/$dev/mtu" || :; fi
    done <<EOF
$addresses
EOF
    case $1 in *:*) size=$((mtu - 48));; *) size=$((mtu - 28));; esac
}
while [ $# -gt 1 ]; do
    size_for "$1"
    (
        if ping -n -q -c 1 -W 2 -M do -s "$size" -I "$1" "$2" >/dev/null 2>&1
        then printf 'up %s\\n' "$2"
        else
            if ping -n -q -c 2 -i 0.3 -W 2 -M do -s "$size" -I "$1" "$2" >/dev/null 2>&1
            then printf 'up %s\\n' "$2"; else printf 'down %s\\n' "$2"; fi
        fi
    ) &
    shift 2
done
wait
"""
CLOCK = "date +%s.%N"


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Addresses, clock, and links where the host has a role on the networks."""
    if not addresses_of(goal.cluster, host):
        return ()
    ends = [end for link in links_of(goal.cluster, host) for end in (link.source, link.peer)]
    return (
        Probe(name="addresses", script=Script(text=ADDRESSES)),
        Probe(name="links", script=Script(text=LINKS, args=tuple(ends))),
        Probe(name="clock", script=Script(text=CLOCK)),
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
