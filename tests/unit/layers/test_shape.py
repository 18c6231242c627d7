"""Layers look alike, and every layer has recordings."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

import sanglier.layers
from sanglier.layers.base import StackLayer
from sanglier.layers.stack import LAYERS

from .goal import GOAL, HOSTS
from .recordings import CASES, NAMES, asked, base_of, outputs_of

PLACE = Path(sanglier.layers.__file__).parent
FOLDERS = sorted(path.parent.name for path in PLACE.glob("*/__init__.py"))
ALWAYS = {"__init__", "facts", "probe", "desired", "steps", "teardown", "status"}
WRITING = re.compile(
    r"(?m)^\s*(?:rm|mkdir|rmdir|mv|ln|tee|dd|modprobe|mkfs\S*|systemctl (?!show)|drbdadm|iscsiadm) "
)
MORE = {"judge", "moves", "timeouts"}
"""Where the steps need more than a page, and where the layer has timeouts in force."""
OWN = {
    "cluster": {"sides", "cib", "corosync", "change", "certificates", "exchange", "link"},
    "multipath": {"change"},
    "drbd": {"adjusting", "begin", "in_force", "traces"},
    "backing": {"size"},
    "packages": {"agents"},
}
"""Files of two engines, the witness's link, how a mirror begins, what is in force, sizes, what
fence agents need, and the changes that are in no plan."""


@pytest.mark.parametrize("name", FOLDERS)
def test_every_layer_has_the_same_files(name: str) -> None:
    files = {path.stem for path in (PLACE / name).glob("*.py")}
    assert files >= ALWAYS
    assert files <= ALWAYS | MORE | OWN.get(name, set())


@pytest.mark.parametrize("name", FOLDERS)
def test_every_folder_is_a_layer_of_the_stack_under_its_name(name: str) -> None:
    layer = import_module(f"sanglier.layers.{name}").LAYER
    assert layer.name == name
    assert layer in LAYERS


def test_the_layers_are_in_the_order_of_the_stack() -> None:
    assert [layer.name for layer in LAYERS] == [
        "numbers", "packages", "network", "backing", "drbd", "target", "cluster", "initiator",
        "multipath", "ocfs2",
    ]  # fmt: skip


SINCE = {"data-size"}
"""Asked since these two were recorded; empty again once they are recorded anew."""


@pytest.mark.parametrize("case", ["blank", "converged"])
@pytest.mark.parametrize(("host", "layer"), [pytest.param(*x, id=f"{x[0]}-{x[1].name}")
                                             for x in asked()])  # fmt: skip
def test_every_probe_is_recorded_whole(case: str, host: str, layer: StackLayer) -> None:
    asked_for = {probe.name for probe in layer.probes(GOAL, host)}
    assert asked_for - SINCE <= set(outputs_of(case, host, layer.name))
    assert base_of(CASES / case) is None


@pytest.mark.parametrize("case", NAMES)
def test_a_case_holds_only_answers_to_probes_of_today(case: str) -> None:
    names = {(h, layer.name, p.name) for h, layer in asked() for p in layer.probes(GOAL, h)}
    for path in (CASES / case).glob("*/*/*.txt"):
        host, layer, probe = path.relative_to(CASES / case).with_suffix("").parts
        assert (host, layer, probe) in names or probe == "controller-clock"


@pytest.mark.parametrize("host", HOSTS)
def test_probe_names_are_unique_on_a_host(host: str) -> None:
    for layer in LAYERS:
        names = [probe.name for probe in layer.probes(GOAL, host)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("host", HOSTS)
def test_probes_only_read(host: str) -> None:
    """No probe calls a command that writes; a rough net for what slips in by habit."""
    for layer in LAYERS:
        for probe in layer.probes(GOAL, host):
            assert not WRITING.search(probe.script.text), probe.name
