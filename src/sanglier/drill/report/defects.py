"""The defects that are planted in drills to prove the prover, and what must notice each.

The one source of the table in docs/explanation/evidence.md and of the tests that play it: a row is
a case of ``tests/unit/drill/test_planted.py`` unless it names another test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sanglier.drill.result import Verdict

PLAYED = "tests/unit/drill/test_planted.py::test_a_planted_defect_is_found_by_its_check"
LAB = "tests/lab/test_stack_6_planted.py::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One defect, planted in a whole drill."""

    name: str
    what: str
    check: str
    """Name of the check that must find it."""
    subject: str
    """Of what: a workload, a volume, a host."""
    verdict: Verdict = Verdict.INVALID
    also: tuple[str, ...] = ()
    """Checks that cannot tell any more then: UNKNOWN.  All others are VALID."""
    test: str = ""
    """Where it is played, if not as a case of the table's own test."""
    lab: str = ""
    """The test that plants it on real kernels."""

    @property
    def unit(self) -> str:
        """Where it is played on a pretended cluster."""
        return self.test or f"{PLAYED}[{self.name}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiled:
    """A defect of the prover itself, and the planted ones that then come out otherwise."""

    what: str
    """As ``scripts/mutate`` calls it."""
    by: tuple[str, ...]


def _kept(
    check: str, subject: str, name: str, what: str, *, lab: str = "", also: tuple[str, ...] = ()
) -> Defect:
    return Defect(
        name=name, what=what, check=check, subject=subject, lab=lab and LAB + lab, also=also
    )


def _doubt(check: str, subject: str, name: str, what: str, *, also: tuple[str, ...] = ()) -> Defect:
    return Defect(
        name=name, what=what, check=check, subject=subject, verdict=Verdict.UNKNOWN, also=also
    )


def _elsewhere(check: str, subject: str, name: str, what: str, test: str) -> Defect:
    """Make the row of what another test plays; it comes out UNKNOWN."""
    return Defect(
        name=name, what=what, check=check, subject=subject, verdict=Verdict.UNKNOWN,
        test=f"tests/unit/drill/{test}",
    )  # fmt: skip


_DATA = (
    _kept("late", "retired", "late-write",
        "An old block is put back over a newer, acknowledged one, with `dd` on the replicated "
        "device", lab="test_a_late_write_is_found"),
    _kept("late", "retired", "late-write-of-a-sleeper",
        "The open server freezes for 60 s; a write that was sent again by the other path and "
        "acknowledged there is executed once more when it wakes up"),
    _kept("late", "retired", "late-write-mended",
        "Late writes over every block, overwritten again 3 s later, long before the end"),
    _kept("lost", "appends", "acknowledged-lost",
        "The newest acknowledged record is gone after a takeover",
        lab="test_an_acknowledged_record_that_is_gone_is_found"),
    _kept("lost", "appends", "only-in-caches",
        "An acknowledged record is in the caches of both servers and on no disk"),
    _kept("lost", "appends", "own-cache-survives",
        "An acknowledged record is on no disk, and the server that wrote it reads it all the same, "
        "however often its caches are dropped"),
    _kept("torn", "appends", "record-torn", "Half a record lies between two whole ones"),
    _kept("duplicated", "appends", "record-twice", "A record that was sent again is there twice"),
    _kept("disordered", "appends", "records-swapped", "Two records of a file change places"),
    _kept("stale", "registers", "stale-read",
        "A server reads another one's block from its own cache after a newer version was "
        "acknowledged, and finds the newer one 2 s later"),
    _kept("stale", "registers", "register-older",
        "A block is older at the end than acknowledged"),
    _kept("torn", "registers", "register-torn", "A block holds a record that nobody wrote there"),
    _kept("stale", "retired", "never-there",
        "The second version of a block is acknowledged and never written"),
    _kept("torn", "retired", "retired-torn", "A block that was left alone is in pieces"),
    _kept("races", "races", "two-winners", "Two servers create the same name, and both succeed"),
    _kept("races", "races", "name-undone", "A name that was won is gone at the end"),
    _kept("counter", "counters", "addition-lost", "Two servers add to a counter at once"),
    _kept("tree", "trees", "change-undone", "An acknowledged creation is undone"),
)  # fmt: skip
_SIDES = (
    _kept("both-open", "data", "switch-lies",
        "The open server freezes, and its fence agent lies: the other side opens, and the frozen "
        "one wakes up open"),
    _kept("both-open", "data", "opened-by-hand",
        "The side in standby is opened by hand and shut again 3 s later"),
    _kept("both-open", "data", "opened-too-long",
        "It is opened by a fault of the drill, and the guard does not shut it within its 10 s",
        lab="test_a_side_that_nobody_shuts_is_found"),
    _kept("both-open", "data", "clocks-apart",
        "Both sides are open, with an hour between the hosts' clocks"),
    _kept("both-open", "data", "opens-unseen",
        "A side opens while the other is frozen, which is fenced only 18 s later"),
    _kept("both-open", "data", "open-again",
        "A side opens and is shut while the other is not seen, which is open before and after in "
        "the same boot"),
    _doubt("both-open", "data", "shut-unseen",
        "A side opens while the other is not seen, and nobody knows whether that was shut"),
    _doubt("both-open", "data", "never-watched",
        "No sample of any side reaches us"),
    _doubt("both-open", "data", "watched-no-more",
        "A server lives, and its samples do not reach us any more"),
    _doubt("faults", "drill", "watch-breaks", "What watches the sides breaks in the middle",
        also=("both-open",)),
    _kept("fences", "cluster", "wrong-fence",
        "The standby server is fenced when the witness dies"),
    _kept("fences", "cluster", "fenced-for-an-earlier-fault",
        "A server is fenced that an earlier fault of the drill allowed, and this one does not"),
    _kept("fences", "cluster", "fenced-before-its-fault",
        "A server is fenced before the fault that would allow it"),
    _kept("fences", "cluster", "fenced-at-the-end",
        "A server is fenced while all is read back", also=("divergent", "legs")),
    _kept("fences", "cluster", "one-too-many",
        "The mirror is cut, either server may be fenced, and both are, one after the other"),
    _kept("fences", "cluster", "one-too-many-of-several",
        "A blackout, and an application server cut off at the same moment: four are fenced, and "
        "together they allow three"),
    _kept("fences", "cluster", "reset-itself",
        "An application server resets itself when the witness dies"),
)  # fmt: skip
_REST = (
    _kept("stall", "application servers", "stall-beyond",
        "The other side opens 2 s later than predicted and allowed"),
    _kept("went-on", "application servers", "does-not-go-on",
        "A workload of one server hangs for ever, after a fault of which no stall is predicted"),
    _kept("divergent", "data", "out-of-sync",
        "4 KiB differ between sides that say that they are up to date"),
    _doubt("divergent", "data", "not-verified", "The online verify is not seen to end"),
    _kept("fsck", "data", "fsck-damage",
        "fsck finds damage, says that all passes succeeded, and ends with 0"),
    _doubt("fsck", "data", "fsck-missing", "There is no fsck"),
    _doubt("fsck", "data", "still-mounted", "The volume cannot be unmounted", also=("legs",)),
    _kept("legs", "data", "legs-differ", "The two legs of the mirror differ"),
    _doubt("legs", "data", "leg-unread", "A leg cannot be read"),
    _kept("healed", "cluster", "not-whole",
        "The cluster does not become whole", also=("faults", "went-on")),
    _doubt("healed", "cluster", "whole-unheard",
        "It cannot be asked whether the cluster is whole again", also=("faults", "went-on")),
    _kept("healed", "cluster", "not-as-declared",
        "It passes for whole, and the cluster engine of a server is stopped"),
    _doubt("faults", "drill", "kill-without-effect", "A server is killed, and lives"),
    _doubt("faults", "drill", "freeze-without-effect", "A server is frozen, and answers"),
    _doubt("faults", "drill", "cut-without-effect", "A network is cut, and carries packets"),
    _doubt("faults", "drill", "fault-refused", "A fault cannot be made"),
)  # fmt: skip
_OURS = (
    _elsewhere("all", "workloads", "cache-not-dropped",
        "The caches of a server cannot be dropped before it reads back",
        "test_results.py::test_a_read_back_from_a_cache_that_could_not_be_dropped_proves_nothing"),
    _elsewhere("all", "workloads", "read-back-hangs", "The read-back hangs on one server",
        "test_results.py::test_a_read_back_that_hangs_is_unknown_and_told"),
    _elsewhere("fsck", "data", "look-hangs",
        "fsck, the digests, the verify or the unmounting hang or break",
        "test_results.py::test_a_look_at_the_end_that_hangs_or_breaks_is_unknown"),
    _elsewhere("fences", "cluster", "log-unread", "The log of the power switches cannot be read",
        "test_results.py::test_a_log_of_power_switches_that_cannot_be_read_is_unknown"),
    _elsewhere("fences", "cluster", "clock-stepped",
        "Our own clock is stepped, so that the log of the power switches cannot be placed",
        "test_permissions.py::test_a_clock_of_ours_that_is_stepped_makes_it_unknown"),
    _elsewhere("both-open", "data", "sleeper-resets-itself",
        "A fence agent lies, and its victim resets itself before anybody sees it open",
        "test_switches.py::test_a_lie_about_a_server_that_resets_itself_at_once_does_not_pass_either"),
    _elsewhere("faults", "drill", "asking-ends", "The asking of the workloads ends by itself",
        "test_conductor.py::test_an_asking_that_ends_by_itself_makes_the_drill_unknown"),
    _elsewhere("faults", "drill", "recording-breaks", "The recording of a workload breaks",
        "test_conductor.py::test_a_recorder_that_breaks_makes_the_drill_unknown"),
    _elsewhere("faults", "drill", "session-dies",
        "The session of a workload ends, and its server does not",
        "test_conductor.py::test_a_session_of_ours_that_dies_while_its_server_lives_is_told"),
    _elsewhere("faults", "drill", "evidence-breaks",
        "ssh fails while it is looked whether a fault took",
        "test_took.py::test_an_error_of_ours_is_no_silence_of_a_host"),
    _elsewhere("faults", "drill", "fault-spares-one", "A fault of several hosts spares one",
        "test_took.py::test_a_fault_of_several_hosts_took_when_all_of_them_died"),
    _elsewhere("result", "drill", "process-killed", "The process that drills is killed",
        "test_campaign.py::test_a_conductor_that_is_killed_leaves_a_campaign_that_is_not_valid"),
    _elsewhere("campaign", "drills", "not-played", "A drill of a campaign cannot begin",
        "test_campaign.py::test_after_one_that_could_not_begin_the_rest_is_named_as_not_played"),
)  # fmt: skip
DEFECTS: Sequence[Defect] = (*_DATA, *_SIDES, *_REST, *_OURS)
"""Every one; each check of a drill has at least one that makes it fail."""


def _by(what: str, *names: str) -> Spoiled:
    return Spoiled(what=what, by=names)


SPOILED: Sequence[Spoiled] = (
    _by("everybody may be fenced", "wrong-fence"),
    _by("the check `faults` is always VALID", "freeze-without-effect"),
    _by("no stall is predicted", "stall-beyond"),
    _by("silent() is always true", "freeze-without-effect"),
    _by("every cluster is whole at once", "not-whole"),
    _by("the watch never sees an open side", "opened-by-hand", "fenced-for-an-earlier-fault"),
    _by("fsck always passes", "fsck-damage"),
    _by("the check `healed` is always VALID", "not-whole", "not-as-declared"),
    _by("a blackout may fence 99", "one-too-many-of-several"),
    _by("caches are not dropped before it is read back", "only-in-caches"),
    _by("it is read back on one server only", "own-cache-survives"),
    _by(
        "records at the end are not judged",
        "acknowledged-lost",
        "record-torn",
        "record-twice",
        "records-swapped",
    ),
    _by("cross reads are not judged", "stale-read", "late-write-mended"),
    _by("overwritten blocks are not compared at the end", "register-older"),
    _by("blocks in pieces are not told", "register-torn", "retired-torn"),
    _by("what went back is not told apart from what was never there", "never-there"),
    _by("races are judged by halves", "two-winners", "name-undone"),
    _by("the counter and the trees are not judged", "addition-lost", "change-undone"),
    _by("both open at one moment is not looked for", "opened-too-long"),
    _by("who opens before the other is shut is not looked for", "opens-unseen"),
    _by("what a fault opens is excused for ever", "opened-too-long"),
    _by("a side need not be seen to the end", "watched-no-more"),
    _by("a watch that ended is not told", "watch-breaks"),
    _by("a permission to fence never ends", "fenced-for-an-earlier-fault", "fenced-at-the-end"),
    _by("a permission to fence holds before its fault", "fenced-before-its-fault"),
    _by("how many are fenced is not counted", "one-too-many"),
    _by("who resets itself is not told", "reset-itself"),
    _by("who goes on is not asked", "does-not-go-on"),
    _by("a cluster that never was healed did not go on", "whole-unheard"),
    _by("sides that differ pass", "out-of-sync"),
    _by("a verify that was not seen passes", "not-verified"),
    _by("fsck is believed", "fsck-damage"),
    _by("a fsck that did not run passes", "fsck-missing"),
    _by("the legs are always the same", "legs-differ"),
    _by("a fault that was not made is no doubt", "fault-refused"),
    _by("a fault that did not take is no doubt", "cut-without-effect"),
    _by("UNKNOWN counts as passed", "shut-unseen"),
)
"""Defects of the prover, planted in its source by ``scripts/mutate``; the first nine are those that
the unit tests of 2026-11-26 did not notice."""

_HEADS = (
    "| Planted | Check | Comes out | Played as | On real kernels |\n| --- | --- | --- | --- | --- |"
)
_HEADS_OF_SPOILED = "| Spoiled in the prover | Noticed by |\n| --- | --- |"


def section() -> Iterator[str]:
    """Write the section of the page of evidence, in Markdown."""
    yield "## The prover is proved"
    yield (
        "Each of these is planted in a drill, through the whole engine, with all workloads under "
        "way on a pretended cluster. Without it every check is VALID; with it the drill comes out "
        "as told, by that check and no other. `./test` plays them: a name is a case of "
        f"`{PLAYED}`; what goes wrong on our own side is in other tests of `tests/unit/drill`, "
        "some with one workload only. Every check of a drill is among them."
    )
    yield "\n".join((_HEADS, *map(_row, DEFECTS)))
    yield (
        "And the prover itself is spoiled, in its source, by `scripts/mutate`: then a planted "
        "defect comes out otherwise, and its test fails."
    )
    yield "\n".join((_HEADS_OF_SPOILED, *map(_row_of_spoiled, SPOILED)))


def _row(defect: Defect) -> str:
    played = defect.test.rpartition("/")[2] or defect.name
    lab = f"`{defect.lab.rpartition('/')[2]}`" if defect.lab else ""
    about = f"`{defect.check}` of {defect.subject}"
    also = "".join(f", `{name}` UNKNOWN" for name in defect.also)
    return f"| {defect.what} | {about} | {defect.verdict}{also} | `{played}` | {lab} |"


def _row_of_spoiled(spoiled: Spoiled) -> str:
    return f"| {spoiled.what} | {', '.join(f'`{name}`' for name in spoiled.by)} |"
