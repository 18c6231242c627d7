"""A converged cluster of Debian 12, whose tools answer otherwise than those of all other cases."""

from __future__ import annotations

from functools import cache

import pytest

from sanglier.core.facts import Facts
from sanglier.layers.initiator.desired import all_portals
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.packages.desired import packages_of
from sanglier.layers.packages.facts import PackagesFacts
from sanglier.layers.stack import LAYERS

from .goal import APPLICATIONS, FIXTURES, GOAL, HOSTS, STORAGE
from .recordings import facts_at, facts_of
from .simulate import applying


@cache
def older() -> Facts:
    """Parse the recording."""
    return facts_at(FIXTURES / "older/converged")


@cache
def newer() -> Facts:
    """Parse that of Debian 13."""
    return facts_of("converged")


RELEASES = {"12": older, "13": newer}


def test_nothing_is_left_to_do() -> None:
    assert [str(step.address) for step in applying(GOAL, older()).steps] == []


def test_all_is_healthy() -> None:
    lines = [line for layer in LAYERS for line in layer.status(GOAL, older())]
    assert [f"{x.host} {x.layer} {x.subject}: {x.text}" for x in lines if not x.healthy] == []


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("release", RELEASES)
def test_packages_are_found_by_the_names_of_the_release(release: str, host: str) -> None:
    agents = {"12": "fence-agents", "13": "fence-agents-ipmilan"}[release]
    facts = RELEASES[release]()
    now = facts.of(host, PackagesFacts)
    assert (now.release.version, now.release.proven) == (release, True)
    assert now.installed == set(packages_of(GOAL.cluster, host, release))
    assert (agents in now.installed) == (host in STORAGE)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("host", APPLICATIONS)
def test_iscsiadms_records_are_found_where_the_release_keeps_them(release: str, host: str) -> None:
    facts = RELEASES[release]()
    (server,) = (s for s in GOAL.cluster.applications if s.name == host)
    now = facts.of(host, InitiatorFacts)
    assert set(now.records) == set(all_portals(GOAL.cluster, server))
    assert not now.stale_passwords


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("host", APPLICATIONS)
def test_the_label_is_known_with_and_without_the_plain_form(release: str, host: str) -> None:
    facts = RELEASES[release]()
    found = facts.of(host, Ocfs2Facts).filesystems["data"]
    assert (found.kind, found.label) == ("ocfs2", GOAL.cluster.volumes[0].label)
    (shown,) = facts.of(host, MultipathFacts).maps
    assert len(shown.paths) == 4
