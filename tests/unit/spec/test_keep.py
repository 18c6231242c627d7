"""Numbers in force stay with their names; new names get numbers that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanglier.spec.cluster import Cluster
from sanglier.spec.defaults import allot, slots
from sanglier.spec.keep import Numbers, keep
from sanglier.spec.load import load_text

HEAD = """\
cluster: toy
access: article
storage:
  disk-a: {ssh: disk-a, replication: 10.7.1.11, san: [10.7.2.11, 10.7.3.11]}
  disk-b: {ssh: disk-b, replication: 10.7.1.12, san: [10.7.2.12, 10.7.3.12]}
"""
NAMES = ("srv-a", "srv-b", "srv-c", "srv-d", "srv-e")
VOLUMES = ("data", "mail", "web", "old")
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def text_of(servers: Sequence[str], volumes: Sequence[str]) -> str:
    text = HEAD + "applications:\n"
    for name in servers:
        octet = 21 + NAMES.index(name)
        text += f"  {name}: {{ssh: {name}, san: [10.7.2.{octet}, 10.7.3.{octet}]}}\n"
    text += "volumes:\n"
    for name in volumes:
        on = f"on: {{disk-a: /dev/{name}, disk-b: /dev/{name}}}"
        text += f"  {name}: {{{on}, mount: /{name}}}\n"
    return text


ALL = load_text(text_of(NAMES, VOLUMES), "toy.yaml")


def cluster_of(servers: Sequence[str], volumes: Sequence[str]) -> Cluster:
    """Give what loading such a file gives, faster."""
    applications = {server.name: server for server in ALL.applications}
    known = {volume.name: volume for volume in ALL.volumes}
    return replace(
        ALL,
        applications=tuple(replace(applications[n], node=i) for i, n in enumerate(servers)),
        volumes=tuple(
            replace(known[n], minor=i, port=7789 + i, slots=slots(len(servers)))
            for i, n in enumerate(volumes)
        ),
    )


def test_the_fast_way_gives_what_the_file_gives() -> None:
    servers, volumes = ("srv-c", "srv-a"), ("web", "data")
    assert cluster_of(servers, volumes) == load_text(text_of(servers, volumes), "toy.yaml")


def numbers_of(cluster: Cluster) -> Numbers:
    """What is in force once this cluster is applied."""
    return Numbers(
        nodes={server.hostname: server.node for server in cluster.applications},
        minors={volume.name: volume.minor for volume in cluster.volumes},
        ports={volume.name: volume.port for volume in cluster.volumes},
        sides={server.hostname: server.index for server in cluster.storage},
        deciding=cluster.deciding_volume.name,
    )


def some(names: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    lists = st.lists(st.sampled_from(names), min_size=1, unique=True)
    return lists.map(tuple)


@QUICK
@given(servers=st.permutations(NAMES), volumes=st.permutations(VOLUMES), data=st.data())
def test_no_order_of_the_file_changes_a_cluster_that_is_in_force(
    servers: list[str], volumes: list[str], data: st.DataObject
) -> None:
    there = keep(cluster_of(servers, volumes), Numbers())
    other = cluster_of(data.draw(st.permutations(NAMES)), data.draw(st.permutations(VOLUMES)))
    storage = tuple(data.draw(st.permutations(other.storage)))
    indexed = tuple(replace(server, index=index) for index, server in enumerate(storage))
    assert keep(replace(other, storage=indexed), numbers_of(there)) == there


@QUICK
@given(before=some(NAMES), after=some(NAMES), old=some(VOLUMES), new=some(VOLUMES))
def test_added_and_removed_anywhere_the_others_keep_their_numbers(
    before: tuple[str, ...], after: tuple[str, ...], old: tuple[str, ...], new: tuple[str, ...]
) -> None:
    known = numbers_of(keep(cluster_of(before, old), Numbers()))
    kept = keep(cluster_of(after, new), known)
    found = numbers_of(kept)
    for was, now in (
        (known.nodes, found.nodes), (known.minors, found.minors), (known.ports, found.ports)
    ):  # fmt: skip
        assert {n: was[n] for n in was if n in now} == {n: now[n] for n in now if n in was}
        assert len(set(now.values())) == len(now), "two names, one number"
        fresh = {number for name, number in now.items() if name not in was}
        assert not fresh & set(was.values()), "a number that another name still has"
    assert keep(kept, found) == kept


@QUICK
@given(before=some(VOLUMES), after=some(VOLUMES))
def test_the_volume_that_decides_stays_the_same_as_long_as_it_is_there(
    before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    known = numbers_of(keep(cluster_of(NAMES, before), Numbers()))
    kept = keep(cluster_of(NAMES, after), known)
    if known.deciding in after:
        assert kept.deciding_volume.name == known.deciding


def test_nothing_known_means_the_numbers_of_the_file() -> None:
    cluster = cluster_of(("srv-b", "srv-a"), ("mail", "data"))
    kept = keep(cluster, Numbers())
    assert [(s.name, s.node) for s in kept.applications] == [("srv-b", 0), ("srv-a", 1)]
    assert [(v.name, v.minor, v.port) for v in kept.volumes] == [
        ("mail", 0, 7789), ("data", 1, 7790),
    ]  # fmt: skip


def test_a_preference_that_nobody_wrote_follows_the_servers_in_force_not_the_file() -> None:
    kept = keep(cluster_of(NAMES, ("data",)), Numbers(sides={"disk-b": 0}))
    assert [server.name for server in kept.storage] == ["disk-b", "disk-a"]
    assert kept.volumes[0].prefer == "disk-b"


def test_a_number_of_a_name_that_is_gone_is_not_given_away() -> None:
    kept = keep(cluster_of(("srv-a", "srv-c"), ("data",)), Numbers(nodes={"srv-b": 1, "srv-a": 0}))
    assert {server.name: server.node for server in kept.applications} == {"srv-a": 0, "srv-c": 2}


@pytest.mark.parametrize(
    ("given_numbers", "taken", "found"),
    [
        ([None, None], [], [0, 1]),
        ([None, 0], [], [1, 0]),
        ([1, None, None], [], [1, 0, 2]),
        ([None, None], [0, 1], [2, 3]),
        ([7, None], [1], [7, 0]),
    ],
)
def test_free_numbers_are_given(
    given_numbers: list[int | None], taken: list[int], found: list[int]
) -> None:
    assert allot(given_numbers, 0, taken) == found


def test_a_default_makes_room_for_what_is_written_elsewhere() -> None:
    text = HEAD + (
        "applications:\n"
        "  srv-c: {ssh: srv-c, san: [10.7.2.23, 10.7.3.23]}\n"
        "  srv-a: {ssh: srv-a, san: [10.7.2.21, 10.7.3.21], node: 0}\n"
        "volumes:\n"
        "  mail: {on: {disk-a: /dev/m, disk-b: /dev/m}, mount: /mail}\n"
        "  data: {on: {disk-a: /dev/d, disk-b: /dev/d}, mount: /data, minor: 0, port: 7789}\n"
    )
    cluster = load_text(text, "toy.yaml")
    assert [server.node for server in cluster.applications] == [1, 0]
    assert [(v.minor, v.port) for v in cluster.volumes] == [(1, 7790), (0, 7789)]
