"""Who each host is: keys, names, addresses, and how ssh finds it.

A host copies its identity over its own files at its first boot: from a directory of the
machine that it can read and nothing else, or from an archive that its firmware hands it.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from sanglier.lab import rootless
from sanglier.lab.command import run
from sanglier.lab.place import Place
from sanglier.lab.topology import LabHost, Topology

USERS = {"root": "root", "admin": "home/admin", "nosudo": "home/nosudo"}
"""User -> home; all three accept the lab's key.  admin has sudo, nosudo has not."""

HOST_KEY = "ssh_host_ed25519_key"

DISK_UNIT = """\
[Unit]
Description=The data disk as a device-mapper device, which a drill can make fail or hang
DefaultDependencies=no
After=systemd-udevd.service systemd-tmpfiles-setup-dev.service
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'modprobe dm_mod; \
    map() { [ ! -b "$$2" ] || \
        dmsetup create "$$1" --table "0 $$(blockdev --getsz "$$2") linear $$2 0"; }; \
    map disk /dev/ubdb && map disk2 /dev/ubdc'
"""
"""Makes /dev/mapper/disk at every boot, and disk2 where there is a second one, before any ordinary
service; dmsetup(8) waits for udev."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityFile:
    """One file of a host's identity."""

    path: str
    """Relative to the host's root directory."""
    text: str
    mode: int = 0o644


def identity_files(
    topology: Topology, host: LabHost, *, machine_id: str, authorized: str, cards: str
) -> tuple[IdentityFile, ...]:
    """List what makes a host itself, its ssh host key apart.

    ``cards`` is what its kernel calls its cards, before a number.
    """
    iscsi = f"InitiatorName=iqn.1993-08.org.debian:01:{machine_id[:12]}\n"
    keys = tuple(
        IdentityFile(path=f"{home}/.ssh/authorized_keys", text=authorized)
        for home in USERS.values()
    )
    return (
        IdentityFile(path="etc/hostname", text=f"{host.name}\n"),
        IdentityFile(path="etc/machine-id", text=f"{machine_id}\n"),
        IdentityFile(path="etc/hosts", text=hosts_file(topology)),
        IdentityFile(path="etc/sanglier-lab.network", text=network_batch(host, cards)),
        IdentityFile(path="etc/iscsi/initiatorname.iscsi", text=iscsi, mode=0o600),
        *keys,
        *(_disk_files() if host.data_disk else ()),
    )


def _disk_files() -> tuple[IdentityFile, ...]:
    units = "etc/systemd/system"
    wants = "[Unit]\nWants=lab-disk.service\n"
    return (
        IdentityFile(path=f"{units}/lab-disk.service", text=DISK_UNIT),
        IdentityFile(path=f"{units}/sysinit.target.d/lab-disk.conf", text=wants),
    )


def hosts_file(topology: Topology) -> str:
    """Render /etc/hosts: every host by its management address."""
    names = "".join(f"{host.address}\t{host.name}\n" for host in topology.hosts)
    return f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n{names}"


def network_batch(host: LabHost, cards: str) -> str:
    """Render the ``ip -batch`` lines by which the host names and numbers its cards."""
    lines = ["link set lo up"]
    for index, interface in enumerate(host.interfaces):
        if f"{cards}{index}" != interface.device:
            lines.append(f"link set {cards}{index} name {interface.device}")
        lines += [
            f"address add {interface.address}/24 brd + dev {interface.device}",
            f"link set {interface.device} up",
        ]
    return "\n".join(lines) + "\n"


def machine_id(lab: str, salt: str, host: str) -> str:
    """Derive a machine-id(5): 32 hex digits, different per host and per lab."""
    return hashlib.sha256(f"{lab}/{salt}/{host}".encode()).hexdigest()[:32]


def render_ssh_config(
    place: Place, topology: Topology, key: Path, known_hosts: Path, enter: str
) -> str:
    """Render the ssh_config(5) of the lab: host keys checked, nothing of the user's read."""
    quote = '"{}"'.format
    common = f"""\
# Written by `sanglier lab up --name {place.name}`.
Host *
    IdentityFile {quote(key)}
    IdentitiesOnly yes
    UserKnownHostsFile {quote(known_hosts)}
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    PasswordAuthentication no
    ConnectTimeout 10
    LogLevel ERROR
"""
    blocks = "".join(
        f"""
Host {host.name} {host.address}
    HostName {host.address}
    User root
    ProxyCommand {enter} nc.openbsd %h %p
"""
        for host in topology.hosts
    )
    return blocks.lstrip() + "\n" + common


def render_known_hosts(topology: Topology, public_keys: dict[str, str]) -> str:
    """Render the known host keys, by name and by address."""
    return "".join(
        f"{host.name},{host.address} {public_keys[host.name].strip()}\n" for host in topology.hosts
    )


def ensure(place: Place, topology: Topology, cards: str) -> None:
    """Write every key, identity and the ssh_config; keys that exist are kept."""
    key = place.state / "id_ed25519"
    authorized = _key_pair(key, f"sanglier-lab-{place.name}")
    public_keys = {
        host.name: _write_identity(place, topology, host, authorized, cards)
        for host in topology.hosts
    }
    known_hosts = place.state / "known_hosts"
    write_atomically(known_hosts, render_known_hosts(topology, public_keys))
    text = render_ssh_config(place, topology, key, known_hosts, _entrance(place))
    write_atomically(place.ssh_config, text)


def _entrance(place: Place) -> str:
    """Return the words before a command of ssh(1) that is to run in the lab's network."""
    script = rootless.entrance(place.namespace_file)
    if not script:
        return f"nsenter --net='{place.namespace_file}'"
    write_atomically(place.entrance, script, 0o700)
    return f"sh '{place.entrance}'"


def _write_identity(
    place: Place, topology: Topology, host: LabHost, authorized: str, cards: str
) -> str:
    root = place.identity(host.name)
    own = machine_id(place.name, authorized, host.name)
    for file in identity_files(topology, host, machine_id=own, authorized=authorized, cards=cards):
        path = root / file.path
        _directories(root, path.parent)
        path.write_text(file.text)
        path.chmod(file.mode)
    ssh = root / "etc/ssh"
    _directories(root, ssh)
    return _key_pair(ssh / HOST_KEY, host.name)


def _directories(root: Path, directory: Path) -> None:
    """Make them with the modes that they have in a root: the host copies these too."""
    directory.mkdir(parents=True, exist_ok=True)
    while directory != root.parent:
        directory.chmod(0o700 if directory == root / "root" else 0o755)
        directory = directory.parent


def _key_pair(path: Path, comment: str) -> str:
    """Make an ed25519 pair unless it is whole already; return the public half."""
    public = path.with_name(f"{path.name}.pub")
    if not (path.exists() and public.exists()):
        path.unlink(missing_ok=True)
        public.unlink(missing_ok=True)
        run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)))
    return public.read_text()


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file in one step: a reader sees the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.chmod(mode)
    temporary.replace(path)
