"""Pacemaker's configuration: whole, consistent, without secrets, and compared by what matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

import pytest

from sanglier.layers.cluster import cib
from sanglier.layers.cluster.facts import ClusterFacts
from sanglier.layers.cluster.moves import LOAD
from sanglier.run.recorded import load_recording
from sanglier.spec.cluster import Cluster, FenceDevice, Volume

from .goal import GOAL, SECRETS, STORAGE, TIMINGS, VOLUME
from .recordings import CASES, NAMES, facts_of, outputs_of, unreachable_in
from .today import WANTED_THEN

SECOND = FenceDevice(agent="fence_apc", parameters=(("ip", "10.0.0.9"), ("plug", "3")), level=2)
LARGE = replace(
    GOAL.cluster,
    volumes=(VOLUME, replace(VOLUME, name="mail", minor=1, prefer="disk-b")),
    storage=tuple(
        replace(server, fence=(*server.fence, SECOND), hostname=f"{server.name}.example")
        for server in GOAL.cluster.storage
    ),
)
"""Two volumes, two levels of fencing, host names that are not the file's names."""
SUPPLIES = tuple(
    FenceDevice(agent="fence_apc", parameters=(("ip", ip), ("plug", "3")), level=2, position=n)
    for n, ip in ((1, "10.0.0.8"), (2, "10.0.0.9"))
)
TWO_SUPPLIES = replace(
    GOAL.cluster,
    storage=tuple(
        replace(server, fence=(*server.fence, *SUPPLIES)) for server in GOAL.cluster.storage
    ),
)
"""Two power supplies, each on its own switch: they are the second level."""
CLUSTERS = pytest.mark.parametrize(
    "cluster", [GOAL.cluster, LARGE, TWO_SUPPLIES], ids=["as recorded", "larger", "two supplies"]
)
RESOURCES = {"primitive", "clone"}


def ids(root: Element) -> list[str]:
    return [str(element.get("id")) for element in root.iter() if element.get("id")]


def resources(root: Element) -> set[str]:
    return {str(element.get("id")) for element in root.iter() if element.tag in RESOURCES}


def references(root: Element) -> Iterator[str]:
    constraints = root.find("constraints")
    assert constraints is not None
    for element in constraints:
        for key in ("rsc", "with-rsc", "first", "then"):
            if key in element.attrib:
                yield element.attrib[key]


@CLUSTERS
def test_every_id_is_unique(cluster: Cluster) -> None:
    found = ids(cib.configuration(cluster))
    assert len(found) == len(set(found))


@CLUSTERS
def test_constraints_and_levels_name_what_is_there(cluster: Cluster) -> None:
    root = cib.configuration(cluster)
    known, hosts = resources(root), {server.hostname for server in cluster.storage}
    assert set(references(root)) <= known
    assert {str(e.get("node")) for e in root.iter("rsc_location")} <= hosts
    for level in root.iter("fencing-level"):
        assert level.get("target") in hosts
        assert set(str(level.get("devices")).split(",")) <= known


@CLUSTERS
def test_every_fence_device_has_its_level_and_stays_off_its_own_server(cluster: Cluster) -> None:
    root = cib.configuration(cluster)
    kept_off = {e.get("rsc"): e.get("node") for e in root.iter("rsc_location")
                if e.get("score") == "-INFINITY"}  # fmt: skip
    levels = {device: (e.get("target"), e.get("index"))
              for e in root.iter("fencing-level")
              for device in str(e.get("devices")).split(",")}  # fmt: skip
    for server in cluster.storage:
        for device in server.fence:
            identity = cib.device_id(server, device)
            assert kept_off[identity] == server.hostname
            assert levels[identity] == (server.hostname, str(device.level))


def test_all_devices_of_a_level_are_in_it_in_their_order() -> None:
    root = cib.configuration(TWO_SUPPLIES)
    found = [(e.get("index"), e.get("devices")) for e in root.iter("fencing-level")]
    assert found[:2] == [
        ("1", "fence-disk-a-1"), ("2", "fence-disk-a-2,fence-disk-a-2.2"),
    ]  # fmt: skip


def test_only_where_several_switch_on_the_time_for_it_is_shared() -> None:
    loaded = cib.form(cib.configuration(TWO_SUPPLIES))
    on = {device: cib.parameters(loaded, device).get("pcmk_on_timeout")
          for device in ("fence-disk-a-1", "fence-disk-a-2", "fence-disk-a-2.2")}  # fmt: skip
    assert list(on.values()) == [None, "10s", "10s"]
    assert cib.parameters(loaded, "fence-disk-a-2.2")["pcmk_off_timeout"] == "20s"


@pytest.mark.parametrize(("fence_s", "look"), [(8, "20s"), (20, "20s"), (36, "36s")])
def test_the_look_at_a_device_may_take_as_long_as_a_kill_and_not_less_than_20_s(
    fence_s: int, look: str
) -> None:
    slow = replace(GOAL.cluster, timings=replace(GOAL.cluster.timings, fence_s=fence_s))
    root = cib.configuration(slow)
    device = next(e for e in root.iter("primitive") if e.get("id") == "fence-disk-a-1")
    assert [op.get("timeout") for op in device.iter("op")] == ["10s", look]
    loaded = cib.parameters(cib.form(root), "fence-disk-a-1")
    assert (loaded["pcmk_monitor_timeout"], loaded["pcmk_reboot_timeout"]) == (look, f"{fence_s}s")


def test_a_kill_never_waits_for_a_look() -> None:
    loaded = cib.form(cib.configuration(TWO_SUPPLIES))
    for device in ("fence-disk-a-1", "fence-disk-a-2", "fence-disk-a-2.2"):
        assert cib.parameters(loaded, device)["pcmk_action_limit"] == "-1"


def test_each_device_of_a_level_has_a_password_script_of_its_own() -> None:
    server = TWO_SUPPLIES.storage[0]
    paths = [cib.password_path(server, device).rpartition("/")[2] for device in server.fence]
    assert paths == ["fence-disk-a-1", "fence-disk-a-2", "fence-disk-a-2.2"]


@CLUSTERS
def test_a_volume_is_promoted_then_exported_then_opened_in_one_place(cluster: Cluster) -> None:
    root = cib.configuration(cluster)
    order = {(e.get("first"), e.get("then")) for e in root.iter("rsc_order")}
    together = {(e.get("rsc"), e.get("with-rsc"), e.get("score"))
                for e in root.iter("rsc_colocation")}  # fmt: skip
    clones = {e.get("id") for e in root.iter("clone")}
    for volume in cluster.volumes:
        mirror, target, side = cib.mirror(volume), cib.target(volume), cib.side(volume)
        assert {(mirror, target), (target, side)} <= order
        assert {(target, mirror, "INFINITY"), (side, target, "INFINITY")} <= together
        assert {mirror, target} <= clones
        assert side not in clones


def test_a_side_that_moved_stays() -> None:
    assert int(cib.STICKINESS) > int(cib.PREFER)


def test_fencing_is_on_and_a_lost_quorum_freezes() -> None:
    (options,) = cib.configuration(GOAL.cluster).iter("cluster_property_set")
    values = {e.get("name"): e.get("value") for e in options}
    assert (values["stonith-enabled"], values["no-quorum-policy"]) == ("true", "freeze")
    assert values["fence-reaction"] == "panic"  # stock: it leaves as if dead


def test_a_secondary_that_has_lost_its_peer_is_not_promoted() -> None:
    """The third number of the DRBD agent: Secondary, up to date, peer unknown (M1 of the model)."""
    name = f"{cib.drbd(VOLUME)}-parameters-adjust_master_score"
    found = [e for e in cib.configuration(GOAL.cluster).iter("nvpair") if e.get("id") == name]
    assert [element.get("value") for element in found] == ["0 0 0 10000"]


def test_no_secret_in_it_but_the_path_of_the_script() -> None:
    text = cib.as_text(cib.configuration(GOAL.cluster))
    assert not [secret for secret in SECRETS.all if secret.reveal() in text]
    assert "/etc/sanglier/fence/fence-disk-a-1" in text


def test_a_device_without_password_has_no_script() -> None:
    bare = replace(SECOND, no_password=True)
    servers = tuple(replace(server, fence=(bare,)) for server in GOAL.cluster.storage)
    text = cib.as_text(cib.configuration(replace(GOAL.cluster, storage=servers)))
    assert "password" not in text


def test_the_place_for_the_nodes_is_where_the_loading_looks_for_it() -> None:
    """The cluster's own nodes are put there by the shell of LOAD."""
    text = cib.as_text(cib.configuration(GOAL.cluster))
    assert text.count("<nodes />") == 1
    assert "%%<nodes />*" in LOAD


@pytest.mark.parametrize("host", STORAGE)
def test_what_was_loaded_is_read_back_without_a_difference(host: str) -> None:
    raw = load_recording(CASES / "converged", host, "cluster")["configuration"]
    assert cib.parse_form(raw.text) == cib.parse_form(WANTED_THEN.read_text())


@pytest.mark.parametrize("host", STORAGE)
def test_a_recording_is_renewed_to_what_is_wanted_today(host: str) -> None:
    """Else the plans of all cases would be about our own changes."""
    found = facts_of("converged").of(host, ClusterFacts).configuration
    assert found == cib.form(cib.configuration(GOAL.cluster))


def element(root: Element, identity: str) -> Element:
    return next(e for e in root.iter() if e.get("id") == identity)


def _parameter(root: Element) -> None:
    element(root, "fence-disk-a-1-parameters-ip").set("value", "10.9.9.9")


def _property(root: Element) -> None:
    element(root, "cib-bootstrap-options-stonith-enabled").set("value", "false")


def _more(root: Element) -> None:
    ET.SubElement(element(root, "cib-bootstrap-options"), "nvpair", id="x", name="maintenance-mode",
                  value="true")  # fmt: skip


def _less(root: Element) -> None:
    constraints = root.find("constraints")
    assert constraints is not None
    constraints.remove(element(root, "data-open-where-target"))


def _stranger(root: Element) -> None:
    parent = root.find("resources")
    assert parent is not None
    ET.SubElement(parent, "primitive", {"id": "web", "class": "systemd", "type": "nginx"})


def _operation(root: Element) -> None:
    element(root, "data-open-monitor-5s").set("timeout", "60s")


def _default(root: Element) -> None:
    element(root, "rsc-options-failure-timeout").set("value", "0")


def _topology(root: Element) -> None:
    element(root, "level-fence-disk-b-1").set("index", "2")


DRIFTS: list[tuple[Callable[[Element], None], str]] = [
    (_parameter, "fence-disk-a-1 is changed"),
    (_property, "cib-bootstrap-options is changed"),
    (_more, "cib-bootstrap-options is changed"),
    (_less, "data-open-where-target is missing"),
    (_stranger, "web is not of the cluster's file"),
    (_operation, "data-open is changed"),
    (_default, "rsc-options is changed"),
    (_topology, "level-fence-disk-b-1 is changed"),
]


@pytest.mark.parametrize(("drift", "told"), DRIFTS, ids=[told for _, told in DRIFTS])
def test_each_kind_of_drift_is_told(drift: Callable[[Element], None], told: str) -> None:
    wanted = cib.configuration(GOAL.cluster)
    found = deepcopy(wanted)
    drift(found)
    assert cib.differences(cib.form(wanted), cib.form(found)) == (told,)


def test_a_change_of_the_file_is_told_of_what_it_touches() -> None:
    slower = replace(GOAL.cluster, timings=replace(TIMINGS, fence_s=60))
    told = cib.differences(*(cib.form(cib.configuration(c)) for c in (slower, GOAL.cluster)))
    assert told == ("fence-disk-a-1 is changed", "fence-disk-b-1 is changed")


def test_order_space_and_what_pacemaker_adds_itself_do_not_matter() -> None:
    root = cib.configuration(GOAL.cluster)
    other = deepcopy(root)
    options = element(other, "cib-bootstrap-options")
    for name in ("dc-version", "have-watchdog", "last-lrm-refresh"):
        ET.SubElement(options, "nvpair", id=f"o-{name}", name=name, value="1")
    nodes, constraints = other.find("nodes"), other.find("constraints")
    assert nodes is not None
    assert constraints is not None
    ET.SubElement(nodes, "node", id="1", uname="disk-a")
    ET.SubElement(constraints, "rsc_location", id="cli-prefer-data-open", rsc="data-open")
    constraints[:] = list(reversed(constraints))
    ET.indent(other, "\t")
    text = ET.tostring(other, encoding="unicode")
    assert cib.parse_form(text) == cib.form(root)


@pytest.mark.parametrize("text", ["", "<configuration>", "no xml", "<a/><b/>"])
def test_what_is_no_configuration_is_none(text: str) -> None:
    assert cib.parse_form(text) is None


@pytest.mark.parametrize("case", NAMES)
def test_no_recorded_configuration_tells_a_secret(case: str) -> None:
    for host in (h for h in STORAGE if h not in unreachable_in(CASES / case)):
        text = "".join(output.text for output in outputs_of(case, host, "cluster").values())
        assert not [secret for secret in SECRETS.all if secret.reveal() in text]


def volume(name: str) -> Volume:
    return replace(VOLUME, name=name)


def test_volumes_do_not_share_ids() -> None:
    for make in (cib.mirror, cib.drbd, cib.target, cib.lun, cib.side):
        assert make(volume("a")) != make(volume("b"))
