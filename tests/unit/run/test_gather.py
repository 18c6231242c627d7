"""One script per host; unreachable hosts are problems, not exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sanglier.core.action import Script
from sanglier.core.events import Gathered
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.core.problem import Severity
from sanglier.layers.base import Goal, StackLayer
from sanglier.run.codes import Code
from sanglier.run.gather import CLOCK, gather
from sanglier.run.local import LocalTransport
from sanglier.run.planning import REACH, plan_for
from sanglier.run.recorded import load_recording, recorded_facts
from sanglier.spec.cluster import Host

from .toy_stack import Events, LowFacts, high, low, make_goal, names


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    outputs: Outputs


PROBES = (
    Probe(name="plain", script=Script(text="echo $1; printf x", args=("it's",))),
    Probe(name="fails", script=Script(text="echo bad >&2; exit 4; echo never")),
    Probe(name="eats", script=Script(text="cat; echo done")),
    Probe(name="clock", script=Script(text="sleep 0.2; date +%s.%N")),
    Probe(name="last", script=Script(text="sleep 0.5; unset IFS; set -f; cd /; exec true")),
)


MEET = """
there=$(mktemp "$1/meet-XXXXXX")
tries=300
while [ "$tries" -gt 0 ]; do
    set -- "${there%/*}"/meet-*
    [ $# -ge 3 ] && return 0
    sleep 0.1; tries=$((tries - 1))
done
return 1
"""


def asking(*probes: Probe, name: str = "asks") -> StackLayer:
    return StackLayer(
        name=name,
        probes=lambda goal, host: probes if host != "witness" else (),
        parse=lambda goal, host, outputs: Seen(outputs=outputs),
        propose=lambda goal, facts: Proposal(),
        teardown=lambda goal, facts: Proposal(),
        status=lambda goal, facts: (),
    )


class Half(LocalTransport):
    """disk-b does not answer."""

    def command(self, host: Host, limit: int) -> Sequence[str]:
        if host.name == "disk-b":
            return ("sh", "-c", "exit 255")
        return LocalTransport.command(self, host, limit)


async def test_probes_do_not_disturb_each_other(transport: LocalTransport, events: Events) -> None:
    facts = await gather(make_goal(), (asking(*PROBES),), transport, sink=events)
    outputs = facts.of("disk-a", Seen).outputs
    assert outputs["plain"] == Output(status=0, text="it's\nx")
    assert outputs["fails"] == Output(status=4, text="bad\n")
    assert outputs["eats"] == Output(status=0, text="done\n")
    assert outputs["last"].status == 0
    assert {e.host for e in events.all if isinstance(e, Gathered)} == {"disk-a", "disk-b", "srv-a"}


async def test_our_clock_is_that_of_the_moment_of_the_clock_probe(
    transport: LocalTransport, events: Events
) -> None:
    now = Script(text="date +%s.%N")
    later = Probe(name="later", script=Script(text="sleep 3; date +%s.%N"))
    probes = (Probe(name="clock", script=now), later)
    facts = await gather(make_goal(), (asking(*probes),), transport, sink=events)
    outputs = facts.of("srv-a", Seen).outputs
    ours = float(outputs[CLOCK].text)
    assert float(outputs["clock"].text) <= ours < float(outputs["later"].text)


async def test_hosts_are_read_at_the_same_time(
    transport: LocalTransport, events: Events, tmp_path: Path
) -> None:
    """Each waits until all three are there; one after the other, none would ever be done."""
    meet = Probe(name="meet", script=Script(text=MEET, args=(str(tmp_path),)))
    facts = await gather(make_goal(), (asking(meet),), transport, sink=events)
    outputs = [facts.of(host, Seen).outputs["meet"] for host in ("disk-a", "disk-b", "srv-a")]
    assert [output.status for output in outputs] == [0, 0, 0]


async def test_unreachable_host_blocks_the_plan_and_the_others_are_read(
    tmp_path: Path, events: Events
) -> None:
    goal, layers = make_goal(), (low(*names(["disk-a", "disk-b"], "x")),)
    facts = await gather(goal, layers, Half(base=tmp_path), sink=events)
    assert set(facts.unreachable) == {"disk-b"}
    assert facts.has("disk-a", LowFacts)
    plan = plan_for(layers, goal, facts)
    assert plan.stages[0].layer == REACH
    assert [(p.address.host, p.severity) for p in plan.blockers] == [("disk-b", Severity.BLOCKER)]
    assert [s.address.host for s in plan.steps] == ["disk-a"]


async def test_probe_that_cuts_the_script_short_is_garbled(
    transport: LocalTransport, events: Events
) -> None:
    kills = Probe(name="kills", script=Script(text="kill -9 $$"))
    facts = await gather(make_goal(), (asking(kills),), transport, sink=events)
    assert {p.code for p in facts.unreachable.values()} <= {Code.GARBLED, Code.TIME_LIMIT}
    assert len(facts.unreachable) == 3


async def test_recording_gives_the_same_facts_again(
    transport: LocalTransport, events: Events, tmp_path: Path
) -> None:
    goal, layers = make_goal(), (low(*names(["disk-a"], "x")), high())
    (tmp_path / "hosts" / "disk-a" / "things").mkdir(parents=True)
    (tmp_path / "hosts" / "disk-a" / "things" / "x").touch()
    record = tmp_path / "record"
    facts = await gather(goal, layers, transport, sink=events, record=record)
    outputs = load_recording(record, "disk-a", "low")
    assert outputs["list"] == Output(status=0, text="x\n")
    assert CLOCK in outputs
    assert recorded_facts(goal, layers, record) == facts


async def test_layers_without_a_part_on_a_host_have_no_facts_there(
    transport: LocalTransport, events: Events
) -> None:
    def parse(goal: Goal, host: str, outputs: Outputs) -> object:
        raise AssertionError("nothing was asked")

    layer = StackLayer(
        name="none",
        probes=lambda goal, host: (),
        parse=parse,
        propose=lambda goal, facts: Proposal(),
        teardown=lambda goal, facts: Proposal(),
        status=lambda goal, facts: (),
    )
    assert await gather(make_goal(), (layer,), transport, sink=events) == Facts()
