"""The prover is proved: each defect, planted in a whole drill, is found by its check and no other.

All workloads run on a pretended volume, under the engine that `sanglier drill run` plays with; the
rows are those of :mod:`sanglier.drill.report.defects`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from layers.goal import GOAL
from layers.recordings import facts_of

from sanglier.drill import inspect, settle
from sanglier.drill.judge import ALLOWANCE_S
from sanglier.drill.report.defects import DEFECTS, Defect
from sanglier.drill.result import DrillRun, Verdict
from sanglier.drill.schedule import parse
from sanglier.drill.watch import Watch
from sanglier.drill.workloads import all_workloads
from sanglier.layers.stack import LAYERS
from sanglier.spec.predict import predict_one

from . import platter
from .checkers.recorded import FIXTURES
from .platter import Key, Platter, record
from .simulated import jumping
from .voices import key
from .world import PROC, World, play

VALID, INVALID, UNKNOWN = Verdict.VALID, Verdict.INVALID, Verdict.UNKNOWN
TAKEOVER, QUIET = ("open-killed+30",), ("witness-killed+60",)
"""Schedules: the other side opens; nothing happens by itself."""


@dataclass
class Stage:
    """Where a defect is planted; times are seconds from the beginning."""

    world: World
    disk: Platter
    patch: pytest.MonkeyPatch
    facts: str = "converged"
    """What the hosts tell in the end, as they were recorded."""
    patience_s: float = 300

    def at(self, second: float, deed: Callable[..., object], *words: object) -> None:
        self.world.loop.call_later(second, deed, *words)

    def in_the_end(self, deed: Callable[[], object]) -> None:
        self.disk.at_the_end.append(deed)

    def after(self, second: float) -> bool:
        return self.world.loop.now > 1000 + second

    def says(self, script: str, status: int, text: str) -> None:
        self.world.answers[key(script)] = lambda *_: (status, text)

    def play(self, *words: str) -> DrillRun:
        async def gathered(*_: object, **__: object) -> object:
            return facts_of(self.facts)

        self.patch.setattr(settle, "gather", gathered)
        return play(
            self.world, *map(parse, words), workloads=all_workloads(), layers=LAYERS,
            patience_s=self.patience_s,
        )  # fmt: skip


@pytest.fixture(name="stage")
def fixture_stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    world = World(jumping(monkeypatch))
    return Stage(world=world, disk=Platter(world), patch=monkeypatch)


Plant = Callable[[Stage], None]
PLANTS: dict[str, tuple[tuple[str, ...], Plant]] = {}
"""Name of a defect -> the schedule in which it is planted, and how."""


def plant(name: str, *words: str) -> Callable[[Plant], Plant]:
    def into(deed: Plant) -> Plant:
        PLANTS[name] = (words or TAKEOVER, deed)
        return deed

    return into


# What is kept.


@plant("late-write", "late-write")
def late_write(_: Stage) -> None:
    """The drill's own fault does it."""


@plant("late-write-of-a-sleeper", "open-frozen-60+60")
def late_write_of_a_sleeper(stage: Stage) -> None:
    stage.at(67, stage.disk.put, ("retired", "srv-b", 7, 0), "1")


@plant("late-write-mended", "witness-killed+20")
def late_write_mended(stage: Stage) -> None:
    def all_of(version: str) -> None:
        for where in [one for one in stage.disk.things if one[0] == "retired"]:
            stage.disk.put(where, version)

    stage.at(10, all_of, "1")
    stage.at(13, all_of, "2")


@plant("acknowledged-lost")
def acknowledged_lost(stage: Stage) -> None:
    stage.at(13, lambda: stage.disk.lose(stage.disk.newest("appends", "srv-a")))


RECORD: Key = ("appends", "srv-a", 50)


@plant("only-in-caches")
def only_in_caches(stage: Stage) -> None:
    stage.disk.kept_back = lambda where: where == RECORD
    stage.at(30, stage.disk.caches["srv-b"].update, {RECORD: record("srv-a", 50)})


@plant("own-cache-survives")
def own_cache_survives(stage: Stage) -> None:
    stage.disk.kept_back = lambda where: where == RECORD
    stage.disk.stuck = {"srv-a"}


@plant("record-torn")
def record_torn(stage: Stage) -> None:
    stage.in_the_end(lambda: stage.disk.put((*RECORD, "half"), record("srv-a", 50)[:60]))


@plant("record-twice")
def record_twice(stage: Stage) -> None:
    stage.at(30, stage.disk.put, (*RECORD, "again"), record("srv-a", 50))


@plant("records-swapped")
def records_swapped(stage: Stage) -> None:
    def swap() -> None:
        stage.disk.put(RECORD, record("srv-a", 51))
        stage.disk.put(("appends", "srv-a", 51), record("srv-a", 50))

    stage.in_the_end(swap)


@plant("stale-read")
def stale_read(stage: Stage) -> None:
    def remember() -> None:
        old = {where: what for where, what in stage.disk.things.items() if where[0] == "registers"}
        stage.disk.caches["srv-b"] |= {one: old[one] for one in old if one[1] == "srv-a"}

    stage.at(20, remember)
    stage.at(22, stage.disk.caches["srv-b"].clear)


@plant("register-older")
def register_older(stage: Stage) -> None:
    stage.in_the_end(lambda: stage.disk.put(("registers", "srv-a", 3), "19"))


@plant("register-torn")
def register_torn(stage: Stage) -> None:
    stage.in_the_end(lambda: stage.disk.put(("registers", "srv-a", 3), "?"))


@plant("never-there")
def never_there(stage: Stage) -> None:
    write = Platter.write

    def lazily(self: Platter, host: str, where: Key, what: str) -> None:
        write(self, host, where, "1" if where == ("retired", "srv-a", 5, 0) else what)

    stage.patch.setattr(Platter, "write", lazily)


@plant("retired-torn")
def retired_torn(stage: Stage) -> None:
    stage.in_the_end(lambda: stage.disk.put(("retired", "srv-a", 5, 0), "2,?"))


@plant("two-winners")
def two_winners(stage: Stage) -> None:
    """Each sees a name that is free; the later one overwrites the other's."""
    obey = platter.Racing.obey

    def alone(self: platter.Racing, order: str, words: list[str]) -> None:
        if words[0] == "create-20":
            self.write(("races", "ball-20"), self.name)
            self.said.append("a create-20 won")
        else:
            obey(self, order, words)

    stage.patch.setattr(platter.Racing, "obey", alone)


@plant("name-undone")
def name_undone(stage: Stage) -> None:
    stage.at(13, lambda: stage.disk.lose(stage.disk.newest("races")))


@plant("addition-lost")
def addition_lost(stage: Stage) -> None:
    """For two seconds the lock is nobody's: srv-b reads what it knew before."""

    def remember() -> None:
        stage.disk.caches["srv-b"]["counters",] = stage.disk.things["counters",]

    stage.at(20, remember)
    stage.at(22, stage.disk.caches["srv-b"].clear)


@plant("change-undone")
def change_undone(stage: Stage) -> None:
    stage.in_the_end(lambda: stage.disk.lose(stage.disk.newest("trees", "srv-a")))


# Who is open.


@plant("switch-lies", "switch-lies")
def switch_lies(stage: Stage) -> None:
    """The drill's own fault does it; the sleeper is shut when somebody looks."""
    stage.at(72, stage.world.open_too.clear)


@plant("opened-by-hand", *QUIET)
def opened_by_hand(stage: Stage) -> None:
    stage.at(20, stage.world.open_too.add, "disk-b")
    stage.at(23, stage.world.open_too.clear)


@plant("opened-too-long", "side-opened-by-hand+40")
def opened_too_long(stage: Stage) -> None:
    stage.at(8, stage.world.open_too.add, "disk-b")
    stage.at(24, stage.world.open_too.clear)


@plant("clocks-apart", *QUIET)
def clocks_apart(stage: Stage) -> None:
    stage.world.skew_s["disk-b"] = 3600.0
    opened_by_hand(stage)


def opens_while_the_other_is_not_seen(stage: Stage) -> None:
    stage.at(10, stage.world.unseen.add, "disk-a")
    stage.at(12, stage.world.open_too.add, "disk-b")


@plant("opens-unseen", "open-frozen-60+60")
def opens_unseen(stage: Stage) -> None:
    """The fault allows the fencing; it comes too late."""
    stage.world.takeover_s = 10_000
    stage.at(12, setattr, stage.world, "opened", "disk-b")
    stage.at(30, stage.world._fence, "disk-a")


@plant("open-again", *QUIET)
def open_again(stage: Stage) -> None:
    opens_while_the_other_is_not_seen(stage)
    stage.at(12.6, stage.world.unseen.add, "disk-b")
    stage.at(14, stage.world.open_too.clear)
    stage.at(14.3, stage.world.unseen.clear)


@plant("shut-unseen", *QUIET)
def shut_unseen(stage: Stage) -> None:
    opens_while_the_other_is_not_seen(stage)
    stage.at(14, setattr, stage.world, "opened", "disk-b")
    stage.at(20, stage.world.unseen.clear)


@plant("never-watched", *QUIET)
def never_watched(stage: Stage) -> None:
    stage.world.unseen = {"disk-a", "disk-b"}


@plant("watched-no-more", *QUIET)
def watched_no_more(stage: Stage) -> None:
    stage.at(30, stage.world.unseen.add, "disk-b")


@plant("watch-breaks", *QUIET)
def watch_breaks(stage: Stage) -> None:
    took = Watch._take

    def take(self: Watch, sample: object) -> None:
        if stage.after(22):
            raise KeyError("sample")
        took(self, sample)  # type: ignore[arg-type]

    stage.patch.setattr(Watch, "_take", take)


# Who is fenced.


@plant("wrong-fence", *QUIET)
def wrong_fence(stage: Stage) -> None:
    stage.at(20, stage.world.fence, "disk-b")


@plant("fenced-for-an-earlier-fault", *TAKEOVER, *TAKEOVER)
def fenced_for_an_earlier_fault(stage: Stage) -> None:
    """disk-a is killed, and then disk-b; when that is back, disk-a is fenced."""
    stage.at(60, stage.world.fence, "disk-a")


@plant("fenced-before-its-fault", "witness-killed+60", "standby-killed+30")
def fenced_before_its_fault(stage: Stage) -> None:
    stage.at(30, stage.world.fence, "disk-b")


@plant("fenced-at-the-end", "standby-killed+30")
def fenced_at_the_end(stage: Stage) -> None:
    stage.in_the_end(lambda: stage.world.fence("disk-b"))


@plant("one-too-many", "link-cut-switch-lies+60")
def one_too_many(stage: Stage) -> None:
    stage.at(12, stage.world._fence, "disk-b")
    stage.at(40, stage.world._fence, "disk-a")


@plant("one-too-many-of-several", "blackout+5&application-cut+30")
def one_too_many_of_several(stage: Stage) -> None:
    for second, host in ((14, "disk-a"), (17, "disk-b"), (20, "srv-a"), (23, "srv-b")):
        stage.at(second, stage.world._fence, host)


@plant("reset-itself", *QUIET)
def reset_itself(stage: Stage) -> None:
    def reset() -> None:
        stage.world.servers["srv-b"].boot += 1

    stage.at(20, reset)


# How long it takes.


@plant("stall-beyond", "open-killed+60")
def stall_beyond(stage: Stage) -> None:
    bound_s = predict_one(GOAL.cluster.timings, "open-server-dead").stall_s
    assert bound_s is not None
    stage.world.takeover_s = bound_s + ALLOWANCE_S + 2


@plant("does-not-go-on", "open-killed+30&witness-killed+20")
def does_not_go_on(stage: Stage) -> None:
    obey = platter.Racing.obey

    def hang(self: platter.Racing, order: str, words: list[str]) -> None:
        if self.name != "srv-b" or not stage.after(20):
            obey(self, order, words)

    stage.patch.setattr(platter.Racing, "obey", hang)


# What is looked at in the end.


def recorded_fsck(case: str) -> str:
    status, _, text = (FIXTURES / "drill" / "fsck" / f"{case}.txt").read_text().partition("\n")
    return f"{text}status {status}"


@plant("out-of-sync")
def out_of_sync(stage: Stage) -> None:
    stage.says(inspect.PROC, 0, PROC.replace("oos:0", "oos:4"))


@plant("not-verified")
def not_verified(stage: Stage) -> None:
    stage.says(inspect.VERIFY, 0, "")


@plant("fsck-damage")
def fsck_damage(stage: Stage) -> None:
    stage.says(inspect.FSCK, 0, recorded_fsck("links"))


@plant("fsck-missing")
def fsck_missing(stage: Stage) -> None:
    """As dash says it."""
    stage.says(inspect.FSCK, 0, "dash: 1: fsck.ocfs2: not found\nstatus 127")


@plant("still-mounted")
def still_mounted(stage: Stage) -> None:
    stage.says(inspect.UNMOUNT, 1, "")


@plant("legs-differ")
def legs_differ(stage: Stage) -> None:
    stage.world.answers[key(inspect.DIGEST)] = lambda host, *_: (0, host[-1] * 64)


@plant("leg-unread")
def leg_unread(stage: Stage) -> None:
    stage.world.answers[key(inspect.DIGEST)] = lambda host, *_: (int(host == "disk-b"), "a" * 64)


@plant("not-whole")
def not_whole(stage: Stage) -> None:
    stage.patience_s = 60
    stage.at(8, setattr, stage.world, "sick", True)


@plant("whole-unheard")
def whole_unheard(stage: Stage) -> None:
    def breaks(_: str, script: str) -> Exception | None:
        ours = script == key(settle.MOUNTED) and stage.after(20)
        return OSError(24, "Too many open files") if ours else None

    stage.patience_s = 60
    stage.world.breaks = breaks


@plant("not-as-declared")
def not_as_declared(stage: Stage) -> None:
    stage.facts = "engine-stopped"


@plant("kill-without-effect")
def kill_without_effect(stage: Stage) -> None:
    stage.world.immortal = {"disk-a"}


@plant("freeze-without-effect", "open-frozen-5+5")
def freeze_without_effect(stage: Stage) -> None:
    stage.world.dead_power = True


@plant("cut-without-effect", "replication-cut+15")
def cut_without_effect(stage: Stage) -> None:
    stage.world.dead_power = True


@plant("fault-refused")
def fault_refused(stage: Stage) -> None:
    async def refuse(_: str) -> None:
        raise OSError(6, "No such device or address")

    stage.patch.setattr(stage.world, "kill", refuse)


def found(run: DrillRun) -> set[tuple[str, str, Verdict]]:
    """What is not VALID."""
    return {(c.name, c.subject, c.verdict) for c in run.checks if c.verdict is not VALID}


HERE = [defect for defect in DEFECTS if not defect.test]


QUIETLY = sorted({words for words, _ in PLANTS.values()} - {("late-write",), ("switch-lies",)})


@pytest.mark.parametrize("words", QUIETLY)
def test_without_a_defect_every_check_is_valid(stage: Stage, words: tuple[str, ...]) -> None:
    """Of each schedule in which one is planted, but for those that plant one themselves."""
    run = stage.play(*words)
    assert not found(run), run.checks
    assert run.verdict is VALID
    assert run.injections == sum(word.count("&") + 1 for word in words)


@pytest.mark.parametrize("defect", HERE, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found_by_its_check(stage: Stage, defect: Defect) -> None:
    words, deed = PLANTS[defect.name]
    deed(stage)
    run = stage.play(*words)
    assert run.verdict is defect.verdict, run.checks
    by = (defect.check, defect.subject, defect.verdict)
    assert by in found(run)
    assert {(name, verdict) for name, _, verdict in found(run)} == {
        (defect.check, defect.verdict), *((name, UNKNOWN) for name in defect.also)
    }, [check for check in run.checks if check.verdict is not VALID]  # fmt: skip


def test_every_check_of_a_drill_has_a_defect_that_makes_it_fail(stage: Stage) -> None:
    """Of each subject, and INVALID wherever it can be; one that nothing ever failed is a defect."""
    checks = {(check.name, check.subject) for check in stage.play(*TAKEOVER).checks}
    failed = {(d.check, d.subject) for d in HERE if d.verdict is INVALID}
    assert checks == failed | {("faults", "drill")}
    assert ("faults", "drill") in {(defect.check, defect.subject) for defect in HERE}


TREE = Path(__file__).parents[3]


def test_every_row_has_a_name_of_its_own_and_names_a_test_that_is_there() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
    assert {defect.name for defect in HERE} == set(PLANTS)
    for named in [word for defect in DEFECTS for word in (defect.unit, defect.lab) if word]:
        file, _, test = named.partition("[")[0].partition("::")
        text = (TREE / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), named
