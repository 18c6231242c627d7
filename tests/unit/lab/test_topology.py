"""Names, addresses and cards of a lab, computed from its name and size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanglier.core.errors import SanglierError
from sanglier.lab import topology
from sanglier.lab.topology import NETWORKS, Role


def test_the_default_lab_has_the_addresses_of_the_example() -> None:
    hosts = {h.name: [i.address for i in h.interfaces] for h in topology.build("lab", 2).hosts}
    assert hosts == {
        "disk-a": ["10.77.0.11", "10.77.1.11", "10.77.2.11", "10.77.3.11"],
        "disk-b": ["10.77.0.12", "10.77.1.12", "10.77.2.12", "10.77.3.12"],
        "srv-a": ["10.77.0.21", "10.77.2.21", "10.77.3.21"],
        "srv-b": ["10.77.0.22", "10.77.2.22", "10.77.3.22"],
        "witness": ["10.77.0.31"],
    }


@given(st.integers(0, topology.MAX_APPLICATIONS))
def test_nothing_is_there_twice_and_names_fit_the_kernel(applications: int) -> None:
    hosts = topology.build("lab", applications).hosts
    cards = [card for host in hosts for card in host.interfaces]
    assert len(hosts) == applications + 3
    for unique in ("address", "mac", "tap"):
        assert len({getattr(card, unique) for card in cards}) == len(cards)
    assert all(len(card.tap) <= 15 for card in cards)
    assert all(len(network.name) <= 15 for network in NETWORKS)


@given(st.integers(0, topology.MAX_APPLICATIONS))
def test_every_host_has_a_power_switch_at_its_number_plus_100(applications: int) -> None:
    hosts = topology.build("lab", applications).hosts
    numbers = {host.name: int(host.address.rpartition(".")[2]) for host in hosts}
    switches = {host.name: host.bmc for host in hosts}
    assert switches == {name: f"10.77.0.{100 + number}" for name, number in numbers.items()}
    assert all(100 + number <= 254 for number in numbers.values())
    assert not set(switches.values()) & {host.address for host in hosts}


def test_two_labs_have_other_cards() -> None:
    first, second = topology.build("one", 2), topology.build("two", 2)
    macs = [{i.mac for h in t.hosts for i in h.interfaces} for t in (first, second)]
    assert not macs[0] & macs[1]


def test_only_storage_servers_have_a_data_disk() -> None:
    assert [h.role for h in topology.build("lab", 1).hosts if h.data_disk] == [Role.STORAGE] * 2


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "-a", "a" * 13, "a b", "a/../b", "a;b", "é", "a\n"]
)
def test_a_hostile_name_is_refused(name: str) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-001"):
        topology.check_name(name)


@pytest.mark.parametrize("applications", [-1, 27])
def test_too_many_application_servers_are_refused(applications: int) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-002"):
        topology.build("lab", applications)


def test_unknown_hosts_and_networks_are_refused_with_those_that_there_are() -> None:
    lab = topology.build("lab", 1)
    with pytest.raises(SanglierError, match="disk-a, disk-b, srv-a, witness"):
        lab.host("srv-b")
    with pytest.raises(SanglierError, match="its networks: management"):
        lab.host("witness").interface("san-a")
