"""Steps run as planned, stop at failures, drain, and converge when run again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from sanglier.core.action import Carried, Run, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.events import Event, Outcome, RunEnded, RunStarted, StepEnded, StepStarted
from sanglier.core.plan import Plan
from sanglier.core.problem import Severity
from sanglier.layers.base import Goal, StackLayer
from sanglier.run.apply import Direction, apply
from sanglier.run.batch import OUTPUT_KEPT, clip
from sanglier.run.codes import Code
from sanglier.run.gather import gather
from sanglier.run.local import LocalTransport
from sanglier.run.lock import held
from sanglier.run.planning import plan_for
from sanglier.run.report import Report
from sanglier.run.stop import StopFlag
from sanglier.run.transport import Transport

from .toy_stack import SECRET, Events, Thing, high, low, make_goal, names, problem


async def consent(
    goal: Goal, layers: Sequence[StackLayer], transport: Transport, *, destroy: bool = False
) -> tuple[Plan, object]:
    facts = await gather(goal, layers, transport, sink=lambda event: None)
    return plan_for(layers, goal, facts, destroy=destroy), facts


async def go(
    layers: Sequence[StackLayer],
    transport: Transport,
    sink: Callable[[Event], None],
    *,
    stop: StopFlag | None = None,
    destroy: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> Report:
    goal = make_goal()
    facts = await gather(goal, layers, transport, sink=lambda event: None)
    plan = plan_for(layers, goal, facts, destroy=destroy)
    meanwhile()
    direction = Direction.DESTROY if destroy else Direction.APPLY
    stop = stop or StopFlag()
    return await apply(goal, layers, transport, plan, direction, facts=facts, sink=sink, stop=stop)


def failing(host: str, name: str, text: str, phase: int = 0) -> Thing:
    return Thing(host=host, name=name, phase=phase, actions=(Script(text=text),))


async def test_second_apply_has_nothing_to_do(transport: LocalTransport, events: Events) -> None:
    layers = (low(*names(["disk-a", "disk-b"], "x", "y")), high(*names(["srv-a"], "z")))
    report = await go(layers, transport, events)
    assert (report.ok, report.done, report.failed, report.skipped) == (True, 5, 0, 0)
    assert isinstance(events.all[0], RunStarted)
    assert isinstance(events.all[-1], RunEnded)
    plan, _ = await consent(make_goal(), layers, transport)
    assert plan.empty


async def test_destroy_removes_all_and_can_be_repeated(
    transport: LocalTransport, events: Events
) -> None:
    layers = (low(*names(["disk-a"], "x")), high(*names(["disk-a"], "z")))
    await go(layers, transport, events)
    report = await go(layers, transport, events, destroy=True)
    assert (report.ok, report.done) == (True, 2)
    plan, _ = await consent(make_goal(), layers, transport, destroy=True)
    assert plan.empty


async def test_phases_are_barriers_across_hosts(transport: LocalTransport, events: Events) -> None:
    things = (
        Thing(host="disk-a", name="slow", actions=(Script(text="sleep 0.5"),)),
        Thing(host="disk-b", name="after", phase=1),
    )
    assert (await go((low(*things),), transport, events)).ok
    order = [
        (type(e).__name__, e.address.split("/")[-1])
        for e in events.all
        if isinstance(e, StepStarted | StepEnded)
    ]
    assert order.index(("StepEnded", "slow")) < order.index(("StepStarted", "after"))


async def test_failure_skips_the_rest_and_lets_others_end(
    transport: LocalTransport, events: Events
) -> None:
    layers = (
        low(
            failing("disk-a", "bad", "echo broken; false"),
            Thing(host="disk-a", name="next"),
            Thing(host="disk-b", name="slow", actions=(Script(text="sleep 0.5"),)),
            Thing(host="disk-b", name="later", phase=1),
        ),
        high(*names(["srv-a"], "z")),
    )
    report = await go(layers, transport, events)
    assert report.code == Code.STEP_FAILED
    assert events.ended(Outcome.DONE) == ["disk-b/low/slow"]
    assert events.ended(Outcome.FAILED) == ["disk-a/low/bad"]
    assert set(events.ended(Outcome.SKIPPED)) == {
        "disk-a/low/next",
        "disk-b/low/later",
        "srv-a/high/z",
    }
    because = [e.because for e in events.all if isinstance(e, StepEnded) and e.because]
    assert all("disk-a/low/bad" in words for words in because)
    assert "broken" in report.errors[0].why


@pytest.mark.parametrize(
    "text",
    [
        "false\ntouch things/never",
        "true && false && true\nreturn 1",
        "exit 3",
        "no-such-command-at-all\ntouch things/never",
        "(exit 4)\ntouch things/never",
        'set -u; echo "$nothing"\ntouch things/never',
    ],
)
async def test_step_ends_at_its_first_failing_command(
    transport: LocalTransport, events: Events, text: str
) -> None:
    report = await go((low(failing("disk-a", "bad", text)),), transport, events)
    assert report.failed == 1
    things = transport.base / "disk-a" / "things"
    assert not things.exists() or not list(things.iterdir())


async def test_failed_and_or_list_of_a_written_file_ends_the_step(
    transport: LocalTransport, events: Events
) -> None:
    """``set -e`` ignores `a && b`; a file that could not be written must not be followed up."""
    blocked = WriteFile(path="/proc/no/such/file", content="x")
    thing = Thing(host="disk-a", name="bad", actions=(blocked,))
    report = await go((low(thing),), transport, events)
    assert report.failed == 1
    assert not (transport.base / "disk-a" / "things" / "bad").exists()


async def test_step_cannot_eat_the_script_or_see_the_lock(
    transport: LocalTransport, events: Events
) -> None:
    eats = Script(text="cat; ls -l /proc/self/fd | grep -c step.lock || :")
    things = (Thing(host="disk-a", name="eats", actions=(eats,)), Thing(host="disk-a", name="b"))
    report = await go((low(*things),), transport, events)
    assert report.done == 2
    assert "0\n" in events.outputs()


async def test_steps_nobody_consented_to_are_not_run(
    transport: LocalTransport, events: Events
) -> None:
    things = names(["disk-a"], "x", "y")

    def make_x() -> None:
        (transport.base / "disk-a" / "things").mkdir(parents=True)
        (transport.base / "disk-a" / "things" / "x").touch()

    make_x()
    layers = (low(*things),)

    def drift() -> None:
        (transport.base / "disk-a" / "things" / "x").unlink()

    report = await go(layers, transport, events, meanwhile=drift)
    assert report.code == Code.DRIFT
    assert "disk-a/low/x" in str(report.errors[0])
    assert events.ended(Outcome.SKIPPED) == ["disk-a/low/y"]


async def test_fewer_steps_than_consented_to_are_fine(
    transport: LocalTransport, events: Events
) -> None:
    def someone_else_made_x() -> None:
        (transport.base / "disk-a" / "things").mkdir(parents=True)
        (transport.base / "disk-a" / "things" / "x").touch()

    layers = (low(*names(["disk-a"], "x", "y")),)
    report = await go(layers, transport, events, meanwhile=someone_else_made_x)
    assert (report.ok, report.done) == (True, 1)


async def test_step_that_says_done_and_is_not_does_not_converge(
    transport: LocalTransport, events: Events
) -> None:
    undone = Thing(host="disk-a", name="x", actions=())
    liar = low(undone, failing("disk-a", "y", "(sleep 0.2; rm -f things/x) >/dev/null 2>&1 &"))
    slow = high(failing("srv-a", "z", "sleep 0.6"))
    report = await go((liar, slow), transport, events)
    assert report.code == Code.NOT_CONVERGED
    assert "disk-a/low/x" in str(report.errors[0])


async def test_waiting_is_reported_and_no_failure(
    transport: LocalTransport, events: Events
) -> None:
    layer = low(*names(["disk-a"], "x"), problems=(problem(Severity.WAITING),))
    report = await go((layer,), transport, events)
    assert report.ok
    assert [p.code for p in report.waiting] == ["SG-TOY-001"]


async def test_first_stop_waits_for_what_is_under_way_and_skips_the_rest(
    transport: LocalTransport, events: Events
) -> None:
    stop = StopFlag()
    layers = (
        low(
            Thing(host="disk-a", name="slow", actions=(Script(text="sleep 0.5"),)),
            Thing(host="disk-b", name="later", phase=1),
        ),
    )

    def sink(event: Event) -> None:
        events(event)
        if isinstance(event, StepStarted):
            stop.request("SIGINT")

    report = await go(layers, transport, sink, stop=stop)
    assert report.code == Code.INTERRUPTED
    assert events.ended(Outcome.DONE) == ["disk-a/low/slow"]
    assert events.ended(Outcome.SKIPPED) == ["disk-b/low/later"]
    assert (await go(layers, transport, events)).ok


async def test_secrets_are_masked_in_events(transport: LocalTransport, events: Events) -> None:
    leak = Script(text='echo "the secret is $1"; false', args=(SECRET,))
    thing = Thing(host="disk-a", name="leak", actions=(leak,))
    report = await go((low(thing),), transport, events)
    told = repr(events.all) + str(report.errors)
    assert SECRET.reveal() not in told
    assert "the secret is ***" in told


def command_lines() -> bytes:
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += path.read_bytes()
    return found


async def test_secrets_are_in_no_process_list(transport: LocalTransport, events: Events) -> None:
    seen: list[bytes] = []

    def look(event: Event) -> None:
        events(event)
        if isinstance(event, StepStarted):
            seen.append(command_lines())

    uses = Script(text='printf "%s" "$1" | { sleep 1; cat; }', args=(SECRET,))
    thing = Thing(host="disk-a", name="uses", actions=(uses,))
    assert (await go((low(thing),), transport, look)).ok
    assert b"sh\0-s" in seen[0]
    assert SECRET.reveal().encode() not in seen[0]


async def test_lost_connection_fails_its_step_and_drains_the_others(
    tmp_path: Path, events: Events
) -> None:
    transport = LocalTransport(base=tmp_path)
    layers = (
        low(
            failing("disk-a", "dies", "kill -9 0"),
            Thing(host="disk-a", name="next"),
            Thing(host="disk-b", name="slow", actions=(Script(text="sleep 0.4"),)),
        ),
    )
    report = await go(layers, transport, events)
    assert not report.ok
    assert events.ended(Outcome.FAILED) == ["disk-a/low/dies"]
    assert events.ended(Outcome.SKIPPED) == ["disk-a/low/next"]
    assert events.ended(Outcome.DONE) == ["disk-b/low/slow"]


async def test_check_can_forbid_to_go_on(transport: LocalTransport, events: Events) -> None:
    goal, layers = make_goal(), (low(*names(["disk-a"], "x")),)
    facts = await gather(goal, layers, transport, sink=events)
    lost = held(goal.cluster, goal.cluster.storage[0], None)
    report = await apply(
        goal,
        layers,
        transport,
        plan_for(layers, goal, facts),
        Direction.APPLY,
        facts=facts,
        sink=events,
        stop=StopFlag(),
        check=lambda: lost,
    )
    assert report.errors == (lost,)
    assert events.ended(Outcome.SKIPPED) == ["disk-a/low/x"]


async def test_batch_waits_for_the_steps_of_a_killed_run(
    transport: LocalTransport, events: Events
) -> None:
    place = transport.base / "disk-a"
    (place / "run-sanglier").mkdir(parents=True)
    orphan = await asyncio.create_subprocess_exec(
        "flock", "run-sanglier/step.lock", "sh", "-c", "sleep 1; mkdir -p things; touch things/old",
        cwd=place,
    )  # fmt: skip
    await asyncio.sleep(0.2)
    look = Script(text="ls things")
    thing = Thing(host="disk-a", name="x", actions=(look,))
    assert (await go((low(thing),), transport, events)).ok
    assert "old" in events.outputs()
    await orphan.wait()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("echo 'tee: x: No space left on device'; exit 1", Code.DISK_FULL),
        (
            "echo 'modprobe: FATAL: Module drbd not found in directory /lib/modules/6'; exit 1",
            Code.MODULE_MISSING,
        ),
        ("no-such-command-at-all", Code.COMMAND_MISSING),
        ("echo \"touch: 'x': Read-only file system\"; exit 1", Code.READ_ONLY),
        ("exit 9", Code.STEP_FAILED),
    ],
)
async def test_causes_that_have_a_name(
    transport: LocalTransport, events: Events, text: str, code: Code
) -> None:
    report = await go((low(failing("disk-a", "bad", text)),), transport, events)
    assert report.code == code
    assert str(report.errors[0]).startswith("disk-a/low/bad: ")
    assert report.errors[0].fix


def test_long_outputs_keep_their_beginning_and_end() -> None:
    text = "a" * OUTPUT_KEPT + "b" * OUTPUT_KEPT
    kept = clip(text)
    assert kept.startswith("aaa")
    assert kept.endswith("bbb")
    assert len(kept) < OUTPUT_KEPT + 100
    assert clip("short") == "short"


async def test_run_action_and_script_share_one_subshell(
    transport: LocalTransport, events: Events
) -> None:
    actions = (Run(argv=("mkdir", "-p", "here")), Script(text="cd here; touch me"))
    thing = Thing(host="disk-a", name="x", actions=(*actions, Script(text="cd ..")))
    assert (await go((low(thing),), transport, events)).ok
    assert (transport.base / "disk-a" / "here" / "me").exists()


TOLD = Carried(source=Address(host="disk-a", layer="low", subject="told"))


def taking(name: str) -> Thing:
    """Write the word that another host's step told."""
    text = 'printf "%s" "$1" > taken'
    return Thing(host="disk-b", name=name, phase=1, actions=(Script(text=text, args=(TOLD,)),))


async def test_what_a_step_tells_is_carried_to_a_later_one_on_another_host(
    transport: LocalTransport, events: Events
) -> None:
    word = 'it\'s $HOME `id` "x"'
    telling = Thing(host="disk-a", name="told", actions=(Script(text='echo " $1 "', args=(word,)),))
    report = await go((low(telling, taking("taker")),), transport, events)
    assert report.ok
    assert (transport.base / "disk-b" / "taken").read_text() == f"{word} \nmade told"
    shown = [e.script for e in events.all if isinstance(e, StepStarted) and "disk-b" in e.address]
    assert "'<disk-a/low/told>'" in shown[0]


async def test_what_nobody_told_stays_its_name(transport: LocalTransport, events: Events) -> None:
    assert (await go((low(taking("taker")),), transport, events)).ok
    assert (transport.base / "disk-b" / "taken").read_text() == "<disk-a/low/told>"
