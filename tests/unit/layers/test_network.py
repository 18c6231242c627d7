"""Addresses, links and clocks, read with iproute2, ping and date."""

from __future__ import annotations

import pytest

from sanglier.core.probe import Output
from sanglier.layers.network.facts import Interface, NetworkFacts
from sanglier.layers.network.probe import parse

from .goal import APPLICATIONS, GOAL, STORAGE
from .recordings import facts_of, outputs_of


@pytest.mark.parametrize("host", (*STORAGE, *APPLICATIONS))
def test_a_host_knows_its_name_its_time_and_its_peers(host: str) -> None:
    now = facts_of("blank").of(host, NetworkFacts)
    assert now.hostname == host
    assert now.clock_ahead_s is not None
    assert abs(now.clock_ahead_s) < 5
    assert set(now.reachable.values()) == {True}


def test_addresses_come_with_interface_and_mtu() -> None:
    now = facts_of("blank").of("disk-a", NetworkFacts)
    san = now.addresses["10.77.2.11"]
    assert isinstance(san, Interface)
    assert san.mtu == 1500
    assert {"10.77.1.11", "10.77.2.11", "10.77.3.11"} <= set(now.addresses)


def test_an_application_server_tries_every_portal_and_the_other_servers() -> None:
    now = facts_of("blank").of("srv-a", NetworkFacts)
    assert set(now.reachable) == {
        "10.77.2.11", "10.77.3.11", "10.77.2.12", "10.77.3.12", "10.77.2.22",
    }  # fmt: skip


def test_links_to_a_dead_storage_server_are_down() -> None:
    now = facts_of("disk-b-dead").of("srv-a", NetworkFacts)
    assert now.reachable["10.77.2.12"] is False
    assert now.reachable["10.77.3.12"] is False
    assert now.reachable["10.77.2.11"] is True


def test_without_ping_links_are_unknown_not_down() -> None:
    outputs = outputs_of("blank", "srv-a", "network")
    now = parse(GOAL, "srv-a", {**outputs, "links": Output(status=127, text="")})
    assert now.reachable == {}


def test_an_unreadable_clock_is_unknown_not_wrong() -> None:
    outputs = outputs_of("blank", "srv-a", "network")
    now = parse(GOAL, "srv-a", {**outputs, "clock": Output(status=1, text="date: error")})
    assert now.clock_ahead_s is None
