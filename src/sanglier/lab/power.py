"""Power switches of the lab's hosts: who may use them, and what they did.

``bmc.py`` is the daemon that answers IPMI; this is what the rest knows of it.
"""

from __future__ import annotations

import json
import os
import secrets as random
import string
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from sanglier.lab import process
from sanglier.lab.identity import write_atomically
from sanglier.lab.place import Place
from sanglier.lab.topology import Role, Topology

DAEMON = "bmc"
"""Name of the daemon's process in the lab."""

USER = "sanglier"
PASSWORD_LENGTH = 16
"""At most 20 bytes: IPMI 2.0, 22.30 Set User Password."""

PORT = 623
"""UDP; IPMI 2.0, 13.1.2 RMCP port numbers."""


class Action(StrEnum):
    """What a power switch can be told, IPMI 2.0, 28.3 Chassis Control."""

    OFF = "off"
    ON = "on"
    CYCLE = "cycle"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerEvent:
    """One thing that a power switch was told."""

    at: float
    """Seconds since the epoch, when it was done and not yet answered."""
    host: str
    action: Action
    requester: str
    """Address of who asked."""
    done: bool
    """False if it was refused: another verb held the host, or the state did not allow it."""


def note(log: Path, event: PowerEvent) -> None:
    """Append an event, in one write: the switches of several hosts share the file."""
    line = json.dumps(asdict(event) | {"at": round(event.at * 1000)}) + "\n"
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def read(log: Path) -> tuple[PowerEvent, ...]:
    """Read every event, refused ones too; none if nothing was ever switched."""
    try:
        lines = log.read_text().splitlines()
    except FileNotFoundError:
        return ()
    return tuple(_event(json.loads(line)) for line in lines)


def _event(found: dict[str, str | int | bool]) -> PowerEvent:
    return PowerEvent(
        at=int(found["at"]) / 1000,
        host=str(found["host"]),
        action=Action(str(found["action"])),
        requester=str(found["requester"]),
        done=bool(found["done"]),
    )


def ensure(place: Place, topology: Topology) -> None:
    """Make the password, and the secrets file that has it; what exists is kept."""
    if not place.bmc_password.exists():
        alphabet = string.ascii_letters + string.digits
        made = "".join(random.choice(alphabet) for _ in range(PASSWORD_LENGTH))
        write_atomically(place.bmc_password, made)
    if not place.secrets.exists():
        write_atomically(place.secrets, render_secrets(topology, password(place)))


def password(place: Place) -> str:
    """Read the lab's password."""
    return place.bmc_password.read_text()


def render_secrets(topology: Topology, known: str) -> str:
    """Render the start of a cluster's secrets file; `apply` adds what it makes itself."""
    servers = [host.name for host in topology.hosts if host.role is Role.STORAGE]
    return "fence:\n" + "".join(f"  {name}: {known!r}\n" for name in servers)


def serve_argv(lab: str) -> tuple[str, ...]:
    """Command of the daemon."""
    return (sys.executable, "-I", "-m", "sanglier.lab.bmc", lab)


def udp_sockets(pid: int) -> str:
    """Read the table of UDP sockets of a process's network namespace; empty if it is gone."""
    try:
        return (process.PROC / str(pid) / "net" / "udp").read_text()
    except OSError:
        return ""


def unbound(table: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """List those without a socket in /proc/PID/net/udp, proc(5): address and port in hex."""
    bound = {line.split()[1] for line in table.splitlines()[1:]}
    return tuple(address for address in addresses if _hexadecimal(address) not in bound)


def _hexadecimal(address: str) -> str:
    octets = (int(octet) for octet in reversed(address.split(".")))
    return "".join(f"{octet:02X}" for octet in octets) + f":{PORT:04X}"
