"""Parsers never raise, whatever a host prints."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.core.probe import Output
from sanglier.layers.base import StackLayer
from sanglier.layers.stack import LAYERS

from .goal import GOAL, HOSTS
from .recordings import NAMES, asked, facts_of, outputs_of

SLOW_IS_FINE = [HealthCheck.too_slow]
ASKED = [pytest.param(host, layer, id=f"{host}-{layer.name}") for host, layer in asked()]
ONE_PER_LAYER = [
    pytest.param(next(h for h in HOSTS if layer.probes(GOAL, h)), layer, id=layer.name)
    for layer in LAYERS
]
TOOL_MISSING = Output(status=127, text="sh: 1: iscsiadm: not found\n")

ODD = st.sampled_from(
    ["²", "٣", "-", "--5", "1..2", "", " ", "\0", "\x85", "\u2028", "9" * 20, "[", "{}", "null",
     '{"maps": null}', '{"maps": [{"path_groups": [{"paths": [null]}]}]}', "=", ":", "\t"]
)  # fmt: skip
STRUCTURED = st.sampled_from(
    [" 0: cs:{0} ro:{0}/{0} ds:{0}/{0} C {0}\n", "\t[>....] sync'ed: {0}% ({0}/{0})M\n",
     "gi {0}:{0}", "    ping-int {0};", "kind {0}", "size {0}", "user {0}", "signature {0}",
     "address {0} {0} {0}", "hostname {0}", "up {0}", "kernel {0}", "node {0}",
     "==> {0} <==\n{0}", "session {0} {0} {0} {0} {0}", "disk {0} {0}", "value {0} {0}",
     "timeout {0} abort_tmo {0}", "hold {0}", "devices {{", "\tdevice {{", "\t\tvendor {0}", "}}",
     "TYPE={0}", "Id={0}\nActiveState={0}", "{0} installed", "{0}"]
)  # fmt: skip
PIECES = st.builds(str.format, STRUCTURED, ODD) | st.text(max_size=30)
GARBAGE = st.lists(PIECES, max_size=6).map("\n".join)


def parse(layer: StackLayer, host: str, outputs: dict[str, Output]) -> tuple[StatusLine, ...]:
    """Parse, and use the facts: they must be of use to status and plan too."""
    facts = Facts().with_(host, layer.parse(GOAL, host, outputs))
    return layer.status(GOAL, facts)


@pytest.mark.parametrize(("host", "layer"), ASKED)
def test_empty_answers_are_parsed(host: str, layer: StackLayer) -> None:
    parse(layer, host, {p.name: Output(status=0, text="") for p in layer.probes(GOAL, host)})


@pytest.mark.parametrize(("host", "layer"), ASKED)
def test_answers_of_missing_tools_are_parsed(host: str, layer: StackLayer) -> None:
    parse(layer, host, dict.fromkeys((p.name for p in layer.probes(GOAL, host)), TOOL_MISSING))


@pytest.mark.parametrize(("host", "layer"), ONE_PER_LAYER)
@settings(max_examples=40, suppress_health_check=SLOW_IS_FINE)
@given(data=st.data())
def test_garbage_is_parsed(host: str, layer: StackLayer, data: st.DataObject) -> None:
    texts = {probe.name: data.draw(GARBAGE) for probe in layer.probes(GOAL, host)}
    parse(layer, host, {name: Output(status=1, text=text) for name, text in texts.items()})


@pytest.mark.parametrize(("host", "layer"), ONE_PER_LAYER)
@settings(max_examples=40, suppress_health_check=SLOW_IS_FINE)
@given(case=st.sampled_from(NAMES), data=st.data())
def test_real_answers_cut_and_mixed_with_garbage_are_parsed(
    host: str, layer: StackLayer, case: str, data: st.DataObject
) -> None:
    outputs = outputs_of(case, host, layer.name)
    name = data.draw(st.sampled_from(sorted(outputs)))
    text = outputs[name].text
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    mixed = text[:start] + data.draw(PIECES) + text[end:]
    parse(layer, host, {**outputs, name: Output(status=0, text=mixed)})


def test_deeply_nested_json_is_parsed() -> None:
    layer = next(layer for layer in LAYERS if layer.name == "multipath")
    outputs = outputs_of("converged", "srv-a", "multipath")
    deep = Output(status=0, text='{"maps": ' + "[" * 100_000)
    assert parse(layer, "srv-a", {**outputs, "maps": deep})


@pytest.mark.parametrize("case", NAMES)
def test_every_case_has_a_status(case: str) -> None:
    facts = facts_of(case)
    for layer in LAYERS:
        assert layer.status(GOAL, facts)
