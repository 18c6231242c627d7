"""What is made in the namespace, and what is left alone."""

from __future__ import annotations

from sanglier.lab import topology
from sanglier.lab.network import parse_links, setup_lines

LAB = topology.build("lab", 1)
LINKS = """[
 {"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"]},
 {"ifindex":2,"ifname":"management","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"addr_info":[
  {"family":"inet","local":"10.77.0.1","prefixlen":24,"scope":"global"},
  {"family":"inet","local":"10.77.0.111","prefixlen":32,"scope":"global"}]},
 {"ifindex":6,"ifname":"srv-a.0","master":"management","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"]},
 {"ifindex":7,"ifname":"srv-a.1","flags":["BROADCAST","MULTICAST","UP"]}]"""


def test_an_empty_namespace_gets_every_bridge_and_tap() -> None:
    lines = setup_lines(LAB, {})
    assert sum(line.startswith("link add") for line in lines) == 4
    assert sum(line.startswith("tuntap add") for line in lines) == 4 + 4 + 3 + 1
    assert "address add 10.77.0.1/24 dev management" in lines
    assert sum(line.startswith("address replace 10.77.0.1") for line in lines) == 4
    assert "address replace 10.77.0.111/32 dev management" in lines


def test_what_is_there_is_left_alone_and_a_cut_link_stays_cut() -> None:
    links = parse_links(LINKS)
    lines = "\n".join(setup_lines(LAB, links.bridges))
    assert "srv-a.0" not in lines and "srv-a.1" not in lines and "10.77.0.1/24" not in lines
    assert "tuntap add dev srv-a.2 mode tap" in lines


def test_a_link_in_no_bridge_is_cut_and_one_that_is_missing_is_not() -> None:
    assert parse_links(LINKS).cut(LAB.host("srv-a")) == ("san-a",)


def test_a_cut_power_switch_stays_cut_and_a_new_host_s_is_made() -> None:
    lines = setup_lines(LAB, parse_links(LINKS).bridges)
    assert not any("10.77.0.121" in line for line in lines)
    assert "address replace 10.77.0.112/32 dev management" in lines


def test_a_power_switch_without_its_address_is_cut() -> None:
    links = parse_links(LINKS)
    assert not links.bmc_cut(LAB.host("disk-a"))
    assert links.bmc_cut(LAB.host("disk-b"))
    assert not parse_links("").bmc_cut(LAB.host("disk-b"))


def test_no_namespace_has_no_links() -> None:
    assert parse_links("").bridges == {}
