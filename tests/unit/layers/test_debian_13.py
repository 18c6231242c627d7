"""A converged cluster of Debian 13, as its tools answer: parsed, healthy, and in need of nothing.

``fixtures/debian-13`` was recorded on 2026-11-27 on hosts of ``lab up --release 13``, with the
cluster and the secrets (both are gone) beside it.  disk-a gave no answer in time: four of five
hosts are there.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.layers.base import Goal
from sanglier.layers.initiator.desired import all_portals
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.packages.desired import packages_of
from sanglier.layers.packages.facts import PackagesFacts
from sanglier.layers.stack import LAYERS
from sanglier.run.recorded import load_recording
from sanglier.run.secrets import load_or_generate
from sanglier.spec.load import load

from .goal import APPLICATIONS, FIXTURES, STORAGE, TIMINGS
from .recordings import asked
from .simulate import applying
from .today import of_today

PLACE = FIXTURES / "debian-13"
RECORDED = ("disk-b", "srv-a", "srv-b", "witness")


@pytest.fixture(scope="module")
def goal(tmp_path_factory: pytest.TempPathFactory) -> Goal:
    cluster = replace(load(PLACE / "cluster.yaml"), timings=TIMINGS)
    secrets = tmp_path_factory.mktemp("debian-13") / "secrets"
    shutil.copy(PLACE / "lab.secrets", secrets)
    secrets.chmod(0o600)
    known, made = load_or_generate(secrets, cluster)
    assert not made
    return Goal(cluster=cluster, secrets=known)


@pytest.fixture(scope="module")
def facts(goal: Goal) -> Facts:
    found = Facts()
    for host, layer in asked(goal):
        if host in RECORDED:
            told = load_recording(PLACE / "converged", host, layer.name)
            now = {name: of_today(layer.name, name, output) for name, output in told.items()}
            found = found.with_(host, layer.parse(goal, host, now))
    return found


def test_nothing_is_left_to_do(goal: Goal, facts: Facts) -> None:
    plan = applying(goal, facts)
    assert [str(step.address) for step in plan.steps] == []
    assert {problem.code for problem in plan.problems} <= {"SG-NET-006"}


def test_all_is_healthy(goal: Goal, facts: Facts) -> None:
    lines = [line for layer in LAYERS for line in layer.status(goal, facts)]
    assert [f"{x.host} {x.layer} {x.subject}: {x.text}" for x in lines if not x.healthy] == []


@pytest.mark.parametrize("host", RECORDED)
def test_packages_are_found_by_the_names_of_debian_13(goal: Goal, facts: Facts, host: str) -> None:
    now = facts.of(host, PackagesFacts)
    assert (now.release.version, now.release.proven) == ("13", True)
    assert now.installed == set(packages_of(goal.cluster, host, "13"))
    assert ("fence-agents-ipmilan" in now.installed) == (host in STORAGE)


@pytest.mark.parametrize("host", APPLICATIONS)
def test_records_are_found_where_open_iscsi_2_1_11_keeps_them(
    goal: Goal, facts: Facts, host: str
) -> None:
    (server,) = (s for s in goal.cluster.applications if s.name == host)
    now = facts.of(host, InitiatorFacts)
    assert set(now.records) == set(all_portals(goal.cluster, server))
    assert not now.stale_passwords


@pytest.mark.parametrize("host", APPLICATIONS)
def test_the_label_is_known_with_and_without_the_plain_form(
    goal: Goal, facts: Facts, host: str
) -> None:
    found = facts.of(host, Ocfs2Facts).filesystems["data"]
    label = goal.cluster.volumes[0].label
    assert (found.kind, found.label, found.cache) == ("ocfs2", label, "write back")
    (shown,) = facts.of(host, MultipathFacts).maps
    assert len(shown.paths) == 4
