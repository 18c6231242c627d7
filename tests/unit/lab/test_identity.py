"""Who a host is, and how ssh reaches it."""

from __future__ import annotations

from pathlib import Path

from sanglier.lab import topology
from sanglier.lab.identity import (
    IdentityFile,
    identity_files,
    machine_id,
    network_batch,
    render_known_hosts,
    render_ssh_config,
)
from sanglier.lab.place import Place

LAB = topology.build("lab", 1)


def files_of(host: str) -> tuple[IdentityFile, ...]:
    return identity_files(LAB, LAB.host(host), machine_id="0" * 32, authorized="KEY", cards="vec")


PLACE = Place(name="lab", state=Path("/run/x/lab"), data=Path("/cache/labs/lab"))


def test_a_host_names_and_numbers_its_cards() -> None:
    assert network_batch(LAB.host("witness"), "vec").splitlines() == [
        "link set lo up",
        "link set vec0 name eth0",
        "address add 10.77.0.31/24 brd + dev eth0",
        "link set eth0 up",
    ]


def test_a_kernel_that_names_its_cards_so_already_is_not_asked_to() -> None:
    assert network_batch(LAB.host("witness"), "eth").splitlines() == [
        "link set lo up",
        "address add 10.77.0.31/24 brd + dev eth0",
        "link set eth0 up",
    ]


def test_machine_ids_are_valid_and_differ_by_host_lab_and_key() -> None:
    ids = {machine_id(*names) for names in [("a", "k", "h"), ("b", "k", "h"), ("a", "l", "h")]}
    assert len(ids) == 3
    assert all(len(each) == 32 and int(each, 16) for each in ids)


def test_every_user_gets_the_key_and_no_secret_is_readable() -> None:
    files = files_of("srv-a")
    keys = [file.path for file in files if file.text == "KEY"]
    assert keys == [
        f"{home}/.ssh/authorized_keys" for home in ("root", "home/admin", "home/nosudo")
    ]


def test_only_a_host_with_a_data_disk_makes_it_a_mapped_device() -> None:
    for name, wanted in (("disk-a", True), ("srv-a", False), ("witness", False)):
        files = files_of(name)
        units = [file.text for file in files if file.path.endswith("/lab-disk.service")]
        wants = [file.text for file in files if "sysinit.target.d/" in file.path]
        assert (len(units), len(wants)) == (wanted, wanted)
        assert all("map disk /dev/ubdb && map disk2 /dev/ubdc" in unit for unit in units)


def test_ssh_checks_host_keys_and_enters_the_namespace() -> None:
    key, known = Path("/run/x/lab/key"), Path("/run/x/lab/known")
    text = render_ssh_config(PLACE, LAB, key, known, "nsenter --net='/n'")
    assert text.count("\nHost ") == 4 and text.startswith("Host disk-a 10.77.0.11\n")
    assert "StrictHostKeyChecking yes" in text
    assert "ProxyCommand nsenter --net='/n' nc.openbsd %h %p" in text


def test_known_hosts_has_name_and_address() -> None:
    keys = {host.name: f"ssh-ed25519 {host.name}\n" for host in LAB.hosts}
    assert render_known_hosts(LAB, keys).splitlines()[0] == "disk-a,10.77.0.11 ssh-ed25519 disk-a"
