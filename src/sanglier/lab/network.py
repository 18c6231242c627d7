"""The lab's networks: bridges and taps in a network namespace of its own.

The first half decides (``ip -batch`` lines), the second runs them.  A cut link
is a tap that is taken out of its bridge: nothing passes, in either direction.
(Setting the tap down instead makes the guest's writes fail, and its driver does
not always recover from that.)
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sanglier.lab import process
from sanglier.lab.command import run
from sanglier.lab.errors import refuse
from sanglier.lab.place import Place
from sanglier.lab.topology import GATEWAY, MANAGEMENT, NETWORKS, LabHost, Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What the namespace holds."""

    bridges: Mapping[str, str]
    """Link name -> the bridge that it is in, or an empty string."""
    addresses: frozenset[str] = frozenset()
    """The lab's own, of every link."""

    def cut(self, host: LabHost) -> tuple[str, ...]:
        """Networks whose link to ``host`` is cut."""
        return tuple(i.network for i in host.interfaces if self.bridges.get(i.tap) == "")

    def bmc_cut(self, host: LabHost) -> bool:
        """Whether the host's power switch has no address."""
        return MANAGEMENT.name in self.bridges and host.bmc not in self.addresses


def setup_lines(topology: Topology, present: Collection[str]) -> tuple[str, ...]:
    """List the ``ip -batch`` lines that make what is missing; cut links stay cut."""
    lines = ["link set lo up"]
    for network in NETWORKS:
        if network.name not in present:
            lines += _bridge(network.name)
            if network is MANAGEMENT:
                lines.append(f"address add {GATEWAY}/24 dev {network.name}")
    for host in topology.hosts:
        lines += _bmc(host, present)
        for interface in host.interfaces:
            if interface.tap not in present:
                lines += _tap(interface.tap, interface.network)
    return tuple(lines)


def _bmc(host: LabHost, present: Collection[str]) -> tuple[str, ...]:
    """Give its power switch an address with its first tap, or with the bridge."""
    new = MANAGEMENT.name not in present or host.interfaces[0].tap not in present
    return (_bmc_line(host),) if new else ()


def _bmc_line(host: LabHost) -> str:
    """A /32: it can come and go without a word about the others' route."""
    return f"address replace {host.bmc}/32 dev {MANAGEMENT.name}"


def _bridge(name: str) -> tuple[str, ...]:
    """No spanning tree and no forwarding delay: a port works as soon as it is up."""
    return (
        f"link add {name} type bridge forward_delay 0 stp_state 0 mcast_snooping 0",
        f"link set {name} up",
    )


def _tap(name: str, bridge: str) -> tuple[str, ...]:
    return (
        f"tuntap add dev {name} mode tap",
        f"link set {name} master {bridge}",
        f"link set {name} up",
    )


def parse_links(text: str) -> Links:
    """Read ``ip -json address``."""
    found = json.loads(text or "[]")
    return Links(
        bridges={link["ifname"]: link.get("master", "") for link in found},
        addresses=frozenset(
            address["local"] for link in found for address in link.get("addr_info", ())
        ),
    )


def attempt() -> str:
    """Make a bridge with a tap in namespaces that go at once, and tell what was refused."""
    argv = ("unshare", "--net", "--mount", "--pid", "--fork", "ip", "-batch", "-")
    lines = (*_bridge("bridge"), *_tap("tap", "bridge"))
    done = run(argv, text="\n".join(lines) + "\n", check=False)
    return "" if done.returncode == 0 else "; ".join(done.stderr.strip().splitlines())


def exists(place: Place) -> bool:
    """Whether the namespace is there (a mount, not just its mount point)."""
    return run(("ip", "-n", place.namespace, "link"), check=False).returncode == 0


def links(place: Place) -> Links:
    """Read every link of the namespace; empty if there is no namespace."""
    done = run(("ip", "-n", place.namespace, "-json", "address"), check=False)
    return parse_links(done.stdout) if done.returncode == 0 else Links(bridges={})


def ensure(place: Place, topology: Topology) -> None:
    """Make the namespace, bridges and taps that are missing."""
    if not exists(place):
        place.namespace_file.unlink(missing_ok=True)
        _add(place)
    _batch(place, setup_lines(topology, links(place).bridges))


def _add(place: Place) -> None:
    """Make the namespace.

    ip-netns(8) goes back to the one that it came from, which the root of a user namespace may not.
    """
    if process.in_initial_user_namespace():
        run(("ip", "netns", "add", place.namespace))
    else:
        place.namespace_file.touch()
        run(("unshare", f"--net={place.namespace_file}", "true"))


def plug(place: Place, tap: str, bridge: str) -> None:
    """Put a card's tap into its bridge."""
    _batch(place, (f"link set {tap} master {bridge}",))


def unplug(place: Place, tap: str) -> None:
    """Take a card's tap out of its bridge."""
    _batch(place, (f"link set {tap} nomaster",))


def plug_bmc(place: Place, host: LabHost) -> None:
    """Give a power switch its address."""
    _batch(place, (_bmc_line(host),))


def unplug_bmc(place: Place, host: LabHost) -> None:
    """Take a power switch's address away, if it has it: nothing answers there, not even ARP."""
    if host.bmc in links(place).addresses:
        _batch(place, (f"address delete {host.bmc}/32 dev {MANAGEMENT.name}",))


def _batch(place: Place, lines: tuple[str, ...]) -> None:
    if lines:
        run(("ip", "-n", place.namespace, "-batch", "-"), text="\n".join(lines) + "\n")


def enter(place: Place) -> tuple[str, ...]:
    """Prefix of a command that is to run inside the namespace, nsenter(1)."""
    return ("nsenter", f"--net={place.namespace_file}")


def remove(place: Place) -> None:
    """End whatever lives in the namespace, then remove it with its bridges and taps."""
    if not place.namespace_file.exists():
        return
    left = process.end(lambda: process.in_namespace(place.namespace_file))
    if left:
        raise refuse(
            32, place.name, f"processes {', '.join(str(p.pid) for p in left)} do not end",
            why="they are in the lab's network namespace and ignore SIGKILL",
            fix="look at them with ps(1), then run `lab down` again",
        )  # fmt: skip
    run(("ip", "netns", "delete", place.namespace), check=False)
    place.namespace_file.unlink(missing_ok=True)
