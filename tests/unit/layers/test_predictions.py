"""What the plan from blank predicts is what the hosts then answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.facts import Facts
from sanglier.core.plan import excess
from sanglier.layers.cluster.facts import ClusterFacts, WitnessFacts
from sanglier.layers.drbd.facts import DrbdFacts
from sanglier.layers.files import Files
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2.desired import FORMER_PATHS
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.packages.facts import PackagesFacts
from sanglier.layers.stack import LAYERS
from sanglier.layers.target.facts import TargetFacts

from .goal import APPLICATIONS, GOAL, REUSES, STORAGE, VOLUME, allowing
from .recordings import facts_of
from .simulate import applying, settle, take_all

REAL = facts_of("converged")


YEAR_S = 366 * 86400


def digests(files: Files) -> dict[str, str]:
    return {path: file.digest for path, file in files.items()}


@pytest.fixture(scope="module", name="predicted")
def fixture_predicted() -> Facts:
    return settle(GOAL, facts_of("blank"))


@pytest.mark.parametrize("host", STORAGE)
def test_the_mirror_is_as_predicted(predicted: Facts, host: str) -> None:
    real, said = (f.of(host, DrbdFacts).resources[VOLUME.name] for f in (REAL, predicted))
    for field in ("up", "connection", "role", "disk", "peer_disk", "metadata", "fresh", "pending"):
        assert getattr(said, field) == getattr(real, field), field
    assert digests(predicted.of(host, DrbdFacts).files) == digests(REAL.of(host, DrbdFacts).files)


@pytest.mark.parametrize("host", STORAGE)
def test_the_export_is_as_predicted(predicted: Facts, host: str) -> None:
    real, said = (f.of(host, TargetFacts).exports[VOLUME.name] for f in (REAL, predicted))
    assert said.nodes <= real.nodes
    assert said.values.items() <= real.values.items()
    assert digests(predicted.of(host, TargetFacts).files) == digests(
        REAL.of(host, TargetFacts).files
    )


@pytest.mark.parametrize("host", STORAGE)
def test_the_arbitration_is_as_predicted(predicted: Facts, host: str) -> None:
    real, said = (f.of(host, ClusterFacts) for f in (REAL, predicted))
    assert digests(said.files) == digests(real.files)
    assert said.units == real.units
    assert said.values.items() <= real.values.items()
    assert (said.device_votes, said.configuration) == (real.device_votes, real.configuration)
    assert said.state is not None
    assert real.state is not None
    assert said.state == replace(real.state, coordinator=said.state.coordinator)


def test_the_witness_is_as_predicted(predicted: Facts) -> None:
    real, said = (f.of("witness", WitnessFacts) for f in (REAL, predicted))
    assert (said.units, said.tls, digests(said.files)) == (
        real.units,
        real.tls,
        digests(real.files),
    )


@pytest.mark.parametrize("host", STORAGE)
def test_the_link_to_the_witness_is_as_predicted(predicted: Facts, host: str) -> None:
    real, said = (f.of(host, ClusterFacts).link for f in (REAL, predicted))
    assert said.certificate
    assert real.certificate
    assert (said.tls, said.encrypted, said.outdated) == (real.tls, real.encrypted, real.outdated)
    assert said.certificate.name == real.certificate.name
    assert abs(said.certificate.ends - real.certificate.ends) < YEAR_S


@pytest.mark.parametrize("host", APPLICATIONS)
def test_the_initiator_is_as_predicted(predicted: Facts, host: str) -> None:
    real, said = (f.of(host, InitiatorFacts) for f in (REAL, predicted))
    assert {s.portal for s in said.sessions} == {s.portal for s in real.sessions}
    assert {s.state for s in said.sessions} == {s.state for s in real.sessions}
    assert digests(said.files) == digests(real.files)
    for portal, record in said.records.items():
        assert record.items() <= real.records[portal].items()
    for name, unit in said.units.items():
        assert real.units[name].is_active or not unit.is_active, name


@pytest.mark.parametrize("host", APPLICATIONS)
def test_the_map_is_as_predicted(predicted: Facts, host: str) -> None:
    (real,), (said,) = (f.of(host, MultipathFacts).maps for f in (REAL, predicted))
    assert (said.name, said.wwid, said.groups) == (real.name, real.wwid, real.groups)
    assert len(said.paths) == len(real.paths)


@pytest.mark.parametrize("host", APPLICATIONS)
def test_the_filesystem_is_as_predicted(predicted: Facts, host: str) -> None:
    real, said = (f.of(host, Ocfs2Facts) for f in (REAL, predicted))
    unread = {name: replace(now, cache="") for name, now in real.filesystems.items()}
    assert said.filesystems == unread
    assert said.cluster_values == real.cluster_values
    assert said.o2cb_at_boot == real.o2cb_at_boot
    ours, theirs = (
        {p: state for p, state in now.files.items() if p not in FORMER_PATHS}  # Debian's own
        for now in (said, real)
    )
    assert digests(ours) == digests(theirs)
    for where, mount in said.mounts.items():
        assert (mount.source, mount.kind) == (real.mounts[where].source, real.mounts[where].kind)
        assert mount.options <= real.mounts[where].options


@pytest.mark.parametrize("host", (*STORAGE, *APPLICATIONS))
def test_packages_are_as_predicted(predicted: Facts, host: str) -> None:
    assert predicted.of(host, PackagesFacts) == REAL.of(host, PackagesFacts)


def test_the_real_hosts_need_nothing_more_than_the_predicted_ones(predicted: Facts) -> None:
    assert applying(GOAL, predicted).empty
    assert applying(GOAL, REAL).empty


@pytest.mark.parametrize(
    "case", ["metadata-just-made", "first-sync-skipped", "engine-just-started",
             "configuration-just-loaded", "apply-cut-at-discovery", "filesystem-not-made",
             "converged"]
)  # fmt: skip
def test_what_a_real_run_finds_on_its_way_was_in_its_plan(case: str) -> None:
    """Apply stops on steps that nobody consented to; a plan that predicts well has none."""
    consented = applying(GOAL, facts_of("blank"))
    for stage in applying(GOAL, facts_of(case)).stages:
        assert excess(consented, stage.proposal) == ()


@pytest.mark.parametrize("case", ["blank", "disk-b-rebooted", "destroyed", "one-side-wiped"])
def test_before_each_layer_the_steps_are_those_of_the_plan(case: str) -> None:
    goal = allowing(*REUSES)
    facts = facts_of(case)
    consented = applying(goal, facts)
    for layer, stage in zip(LAYERS, consented.stages, strict=True):
        assert excess(consented, layer.propose(goal, facts)) == ()
        facts = take_all(facts, stage.proposal.steps)
