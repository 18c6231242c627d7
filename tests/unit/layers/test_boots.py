"""Who was silent for too long has no LUN: the target's monitor, and sessions that end and return.

What LIO shows of a session is spelt as lio_target_nacl_info_show() of Linux 6.1 prints it, and what
attrd_updater(8) answers as Pacemaker 2.1.5 does; both are still to be recorded in the lab.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sanglier.layers.target.desired import BOOT_ALIAS, boots_path, tpg, tree_file
from sanglier.spec.budget import declared_dead_s, silence_s

from .goal import GOAL, TIMINGS, VOLUME
from .test_agents import AGENTS, OPEN, A, Place, attributes, fixture_place, mirror
from .test_agents_shut import fixture_built

__all__ = ["fixture_built", "fixture_place"]
LIMIT = int(silence_s(TIMINGS))
LOOK = 10
"""Seconds between two looks of the target's monitor."""
P, Q = (GOAL.cluster.initiator_iqn(app) for app in GOAL.cluster.applications)
"""P is the one that is paused, Q the one that goes on."""
FIRST, SECOND = "c0c3f0ad-4f8c-4d5a-9a3c-000000000001", "c0c3f0ad-4f8c-4d5a-9a3c-000000000002"
NO_SESSION = "No active iSCSI Session for Initiator Endpoint: {name}\n"
SESSION = """InitiatorName: {name}
InitiatorAlias: {alias}
LIO Session ID: 7   ISID: 0x00023d000001  TSIH: 3  SessionType: Normal
Session State: TARG_SESS_STATE_LOGGED_IN
---------------------[iSCSI Session Values]-----------------------
"""


@dataclass
class Target:
    """A target on disk-a, with time that passes only when told."""

    place: Place
    now: int = 1000
    counts: dict[str, int] = field(default_factory=lambda: {P: 0, Q: 0})

    def acl(self, name: str) -> Path:
        return self.place.target / tpg(GOAL, VOLUME, A) / "acls" / name

    def mapped(self, name: str) -> bool:
        return (self.acl(name) / "lun_0").is_dir()

    def session(self, name: str, alias: str | None) -> None:
        text = NO_SESSION if alias is None else SESSION
        self.place.put(self.acl(name) / "info", text.format(name=name, alias=alias))

    def look(self, *alive: str, after: int = LOOK) -> None:
        """Pass the time, in which ``alive`` send commands, and run the monitor."""
        self.now += after
        self.place.put(self.place.root / "uptime", f"{self.now}.37 {self.now}.00\n")
        for name in alive:
            self.counts[name] += 5
        for name, count in self.counts.items():
            if self.mapped(name):
                path = self.acl(name) / "lun_0/statistics/scsi_auth_intr/num_cmds"
                self.place.put(path, f"{count}\n")
        status, told = self.place.run(
            AGENTS["target"], "monitor", OCF_RESKEY_CRM_meta_on_node="disk-a"
        )
        assert (status, told) == (OPEN, "")

    def silent_for(self, seconds: int, *alive: str) -> None:
        for _ in range(seconds // LOOK):
            self.look(*alive)

    def kept(self, name: str) -> Path:
        return self.place.root / "boots" / VOLUME.name / name

    def others(self, *said: str) -> None:
        """Let the other storage server say something of initiators."""
        self.place.put(self.place.root / "others", " ".join(said))

    def said(self) -> str:
        return (self.place.root / "said").read_text().strip()


@pytest.fixture(name="target")
def fixture_target(built: Place) -> Target:
    root = built.root
    tree = tree_file(GOAL, VOLUME, A).text
    built.put(root / "etc/targets" / VOLUME.name, tree)
    built.tool("rmdir", 'rm -r "$@"')  # configfs removes what it made itself with it
    built.tool("sync", ":")
    built.tool(
        "attrd_updater",
        f"""
name=sanglier-initiators-{VOLUME.name}
case $* in
    "-Q -A -n $name")
        [ -e {root}/said ] || exit 105
        say() {{ echo "name=\\"$name\\" host=\\"$1\\" value=\\"$(cat "$2")\\""; }}
        say disk-a {root}/said
        [ -z "$OCF_RESKEY_CRM_meta_on_node" ] || exit 0
        [ ! -s {root}/others ] || say disk-b {root}/others ;;
    "--private -n $name -U "*) echo "$5" > {root}/said ; echo x >> {root}/writes ;;
    "-n $name -D") rm -f {root}/said ;;
    *) exit 64 ;;
esac""",
    )
    target = Target(built)
    for name in (P, Q):
        (target.acl(name) / "lun_0").mkdir(parents=True)
        (target.acl(name) / "lun_0" / VOLUME.name).symlink_to(tpg(GOAL, VOLUME, A))
        target.session(name, f"{BOOT_ALIAS}{FIRST}")
    target.look(P, Q)
    target.look(P, Q)
    return target


def shut_out(target: Target) -> Target:
    """P is paused until it has lost its LUN."""
    target.session(P, None)
    target.silent_for(LIMIT + LOOK, Q)
    assert not target.mapped(P)
    return target


def test_who_is_silent_loses_the_lun_before_the_others_give_it_up(target: Target) -> None:
    target.session(P, None)
    paused = target.now - LOOK  # it may have stood still right after the look before the last
    while target.mapped(P):
        target.look(Q)
    assert LIMIT <= target.now - paused <= declared_dead_s(TIMINGS)
    assert target.mapped(Q)
    assert "it was silent for" in (target.place.root / "log").read_text()
    assert target.kept(P).read_text().startswith(f"known {FIRST}\nout {FIRST} ")


def test_the_same_boot_gets_nothing_and_another_one_does(target: Target) -> None:
    shut_out(target)
    target.session(P, f"{BOOT_ALIAS}{FIRST}")
    target.look(Q)
    assert not target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(Q)
    assert target.mapped(P)
    assert (target.acl(P) / "lun_0" / VOLUME.name).is_symlink()
    target.look(P, Q)
    assert target.said() == f"{P}=yes {Q}=yes"


def test_a_boot_that_was_followed_by_another_never_returns(target: Target) -> None:
    """A virtual machine that is put back to a snapshot of it, with its memory."""
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(P, Q)
    assert target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{FIRST}")
    target.look(P, Q)
    assert not target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(P, Q)
    assert target.mapped(P)


@pytest.mark.parametrize("alias", [None, "srv-a", BOOT_ALIAS])
def test_who_is_out_and_does_not_name_its_boot_stays_out(target: Target, alias: str | None) -> None:
    shut_out(target)
    target.session(P, alias)
    target.silent_for(3 * LOOK, Q)
    assert not target.mapped(P)


def test_a_session_that_has_failed_proves_no_boot(target: Target) -> None:
    shut_out(target)
    failed = SESSION.replace("LOGGED_IN", "FAILED").format(name=P, alias=f"{BOOT_ALIAS}{SECOND}")
    target.place.put(target.acl(P) / "info", failed)
    target.look(Q)
    assert not target.mapped(P)


def test_the_clock_of_a_new_boot_begins_anew(target: Target) -> None:
    target.session(P, None)
    target.silent_for(LIMIT - LOOK, Q)
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(Q)
    target.session(P, None)
    target.silent_for(LIMIT - LOOK, Q)
    assert target.mapped(P)


def test_a_short_silence_costs_nothing(target: Target) -> None:
    target.session(P, None)
    target.silent_for(LIMIT - LOOK, Q)
    target.session(P, f"{BOOT_ALIAS}{FIRST}")
    target.look(P, Q)
    target.silent_for(LIMIT - LOOK, Q)
    assert target.mapped(P)


def test_where_nobody_beats_nobody_is_given_up(target: Target) -> None:
    """A SAN that is away, both storage servers frozen: all hang alike, and o2cb waits."""
    for name in (P, Q):
        target.session(name, None)
    target.silent_for(4 * LIMIT)
    target.session(Q, f"{BOOT_ALIAS}{FIRST}")
    target.look(Q)
    assert target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{FIRST}")
    target.look(P, Q)
    assert target.mapped(P)


def test_while_the_mirror_is_frozen_no_clock_runs(target: Target) -> None:
    target.session(P, None)
    target.place.put(target.place.proc, mirror("converged").replace("C r-----", "C s-----"))
    target.silent_for(3 * LIMIT, Q)
    target.place.put(target.place.proc, mirror("converged"))
    target.silent_for(LIMIT - LOOK, Q)
    assert target.mapped(P)
    target.silent_for(3 * LOOK, Q)
    assert not target.mapped(P)


def test_whom_the_other_storage_server_hears_is_not_shut_out(target: Target) -> None:
    """Its way to this one is cut, and it works over the other."""
    target.others(f"{P}=yes", f"{Q}=yes")
    target.session(P, None)
    target.silent_for(3 * LIMIT, Q)
    assert target.mapped(P)
    assert target.said() == f"{P}=no {Q}=yes"
    target.others(f"{P}=no", f"{Q}=yes")
    target.look(Q)
    assert not target.mapped(P)
    assert target.said() == f"{P}=out:{FIRST} {Q}=yes"


def test_whom_the_other_one_has_shut_out_is_out_at_once(target: Target) -> None:
    target.others(f"{P}=out:{FIRST}")
    target.look(P, Q)
    assert not target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(Q)
    assert target.mapped(P)


def test_a_boot_that_only_the_other_one_has_known_is_out_before_it_logs_in_here(
    target: Target,
) -> None:
    target.session(P, None)
    target.others(f"{P}=out:{SECOND}")
    target.look(Q)
    assert not target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(Q)
    assert not target.mapped(P)


def test_without_an_answer_nobody_is_shut_out(target: Target) -> None:
    target.place.tool("attrd_updater", "exit 1")
    target.session(P, None)
    target.silent_for(2 * LIMIT, Q)
    assert target.mapped(P)


def test_who_is_logged_in_after_that_time_is_alive(target: Target) -> None:
    """LIO asks after 15 s and ends the session 30 s later; only multipathd is stopped there."""
    target.silent_for(2 * LIMIT, Q)
    assert target.mapped(P)


def test_with_fast_timings_a_session_proves_nothing(target: Target) -> None:
    """A dead one lasts as long as that, 45 s."""
    tree = target.place.root / "etc/targets" / VOLUME.name
    target.place.put(tree, tree.read_text().replace(f"silence {LIMIT}\n", "silence 40\n"))
    target.silent_for(40, Q)
    target.silent_for(2 * LOOK, Q)
    assert not target.mapped(P)


def test_who_names_no_boot_is_never_shut_out(target: Target) -> None:
    """It could not be given the LUN back: open-iscsi's own alias is the host's name."""
    target.kept(P).unlink()
    target.session(P, "srv-a")
    target.look(P, Q)
    target.session(P, None)
    target.silent_for(2 * LIMIT, Q)
    assert target.mapped(P)
    assert not target.kept(P).exists()


def test_a_lun_that_somebody_gives_back_by_hand_is_taken_again(target: Target) -> None:
    shut_out(target)
    (target.acl(P) / "lun_0").mkdir()
    target.look(Q)
    assert not target.mapped(P)


def test_what_is_told_is_told_once(target: Target) -> None:
    target.silent_for(5 * LOOK, P, Q)
    assert (target.place.root / "writes").read_text() == "x\n"


def test_a_file_of_boots_does_not_grow(target: Target) -> None:
    for number in range(20):
        target.session(P, f"{BOOT_ALIAS}{number}")
        target.look(P, Q)
    lines = target.kept(P).read_text().splitlines()
    assert lines[0] == "known 19"
    assert [line.split()[1] for line in lines[1:]] == [str(n) for n in range(18, 10, -1)]


def test_a_tree_of_before_is_watched_by_nobody(target: Target) -> None:
    tree = target.place.root / "etc/targets" / VOLUME.name
    target.place.put(tree, tree.read_text().replace(f"silence {LIMIT}\n", ""))
    target.session(P, None)
    target.silent_for(2 * LIMIT, Q)
    assert target.mapped(P)


def started(target: Target) -> Target:
    """A storage server that has booted: what was in /run is gone, LIO counts from 0."""
    root = target.place.root
    for path in (root / "run").glob("looks-*/*"):
        path.unlink()
    shutil.rmtree(target.place.target / tpg(GOAL, VOLUME, A) / "acls")
    for attribute in attributes():
        (target.place.target / attribute).parent.mkdir(parents=True, exist_ok=True)
    for path in target.place.target.rglob("enable"):
        path.write_text("0\n")
    status, told = target.place.run(AGENTS["target"], "start", OCF_RESKEY_CRM_meta_on_node="disk-a")
    assert (status, told) == (OPEN, "")
    target.counts = {P: 0, Q: 0}
    return target


def test_a_target_that_starts_does_not_give_the_lun_to_who_is_out(target: Target) -> None:
    shut_out(target)
    for name in ("said", "log"):
        (target.place.root / name).unlink()
    started(target)
    assert not target.mapped(P)
    assert not (target.place.root / "log").exists(), "it had it for a moment"
    assert target.mapped(Q)
    target.session(P, f"{BOOT_ALIAS}{FIRST}")
    target.silent_for(3 * LOOK, Q)
    assert not target.mapped(P)
    target.session(P, f"{BOOT_ALIAS}{SECOND}")
    target.look(Q)
    assert target.mapped(P)


def test_after_a_start_there_is_less_time_to_come_back(target: Target) -> None:
    """Whether it was silent before is not known here any more."""
    for name in (P, Q):
        target.session(name, None)
    started(target)
    target.silent_for(10 * LIMIT)
    assert target.mapped(P)
    target.session(Q, f"{BOOT_ALIAS}{FIRST}")
    target.silent_for(LIMIT * 3 // 5 - LOOK, Q)
    assert target.mapped(P)
    target.silent_for(2 * LOOK, Q)
    assert not target.mapped(P)
    assert target.mapped(Q)


def test_a_target_that_is_stopped_says_nothing_any_more(target: Target) -> None:
    assert target.place.run(AGENTS["target"], "stop")[0] == OPEN
    assert not (target.place.root / "said").exists()


@pytest.mark.parametrize("path", [boots_path(VOLUME, P)])
def test_the_agent_and_the_layer_mean_the_same_file(path: str) -> None:
    folder = path.removesuffix(f"/{VOLUME.name}/{P}")
    assert f"BOOTS={folder}/$OCF_RESKEY_volume\n" in AGENTS["target"]
