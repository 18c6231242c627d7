"""Pacemaker's agents and DRBD's handler: the shell itself, in a folder instead of a kernel.

What they read is what the kernel and Corosync said in the recordings; where a state
was not recorded, a word of a recorded answer is replaced.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import pytest

from sanglier.core.secret import Secret
from sanglier.layers.cluster.desired import files_of
from sanglier.layers.drbd.desired import handler_file
from sanglier.layers.target.desired import (
    OPTIMIZED,
    STANDBY,
    core,
    groups,
    state_path,
    tpg,
    tree_file,
)
from sanglier.spec.budget import GRACE_S, fencing_s, longer_hold_s, totem_s

from .goal import GOAL, TIMINGS, VOLUME
from .recordings import outputs_of

A = GOAL.cluster.storage[0]
AGENTS = {f.path.rsplit("/", 1)[-1]: f.text for f in files_of(GOAL, A) if "/ocf/" in f.path}
NODE_ALERT = next(f.text for f in files_of(GOAL, A) if f.path.endswith("/node-alert"))
LUN = "iSCSI/iqn.2009-02.fr.guiguiabloc:guiguiabloc.data.disk-a/tpgt_1/lun_0"
HANDLER = handler_file(GOAL).text
OPEN, NOT_RUNNING, FAILED = 0, 7, 1
"""Exit codes of OCF: success, not running, generic error."""
DEAD, NO_DEATH = 7, 1
"""Exit codes of a fence-peer handler, drbd.conf(5)."""


def mirror(case: str, host: str = "disk-a") -> str:
    """Give /proc/drbd of a recorded host."""
    return outputs_of(case, host, "drbd")["state"].text + "\n"


def votes(case: str, host: str = "disk-a") -> str:
    """Give what corosync-quorumtool said on a recorded host."""
    return outputs_of(case, host, "cluster")["values"].text + "\n"


@dataclass(frozen=True)
class Place:
    """A host's files, in a folder."""

    root: Path

    @property
    def proc(self) -> Path:
        return self.root / "proc-drbd"

    @property
    def target(self) -> Path:
        return self.root / "target"

    @property
    def state(self) -> Path:
        return self.target / state_path(VOLUME)

    @property
    def members(self) -> Path:
        """The LUNs of our port group, as configfs lists them."""
        return self.state.with_name("members")

    @property
    def mark(self) -> Path:
        """What `side start` leaves while the side is open."""
        return self.root / f"run/open-{VOLUME.name}"

    def put(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        new.write_text(text)
        new.replace(path)

    def tool(self, name: str, text: str) -> None:
        self.put(self.root / "bin" / name, f"#!/bin/sh\n{text}\n")
        (self.root / "bin" / name).chmod(0o755)

    def start(self, text: str, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a script; an attribute of configfs is read with a newline at its end."""
        for real, false in (
            ("/sys/kernel/config/target", self.target),
            ("/proc/drbd", self.proc),
            ("/proc/uptime", self.root / "uptime"),
            ("/proc/$pid", self.root / "proc/$pid"),
            ("/run/crm", self.root / "crm"),
            ("/sys/block/drbd", self.root / "sys-block/drbd"),
            ("/usr/lib/sanglier", self.root / "bin"),
            ("/dev/drbd", self.root / "drbd"),
            ("/etc/sanglier", self.root / "etc"),
            ("/run/sanglier", self.root / "run"),
            ("/var/lib/sanglier/initiators", self.root / "boots"),
            ("/var/lib/sanglier/open", self.root / "records"),
        ):
            text = text.replace(real, str(false))
        text = text.replace("printf '%s' ", "printf '%s\\n' ")
        self.put(self.root / "script", text)
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        parameters = {"OCF_RESKEY_volume": VOLUME.name, "OCF_RESKEY_minor": str(VOLUME.minor)}
        return subprocess.Popen(
            ["sh", str(self.root / "script"), *words],
            env={"PATH": path, **parameters, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def run(self, text: str, *words: str, **environment: str) -> tuple[int, str]:
        process = self.start(text, *words, **environment)
        told, _ = process.communicate(timeout=60)
        return process.returncode, told

    def counted(self) -> int:
        """How often the tool ``sleep`` was called."""
        file = self.root / "slept"
        return len(file.read_text()) if file.exists() else 0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


@pytest.fixture(name="place")
def fixture_place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.put(place.proc, mirror("converged"))
    place.put(place.state, f"{STANDBY}\n")
    place.put(place.members, f"{LUN}\n")
    place.put(place.root / "drbd0", "")
    place.tool("modprobe", ":")
    place.tool("attrd_updater", ":")
    place.tool("sleep", f"printf x >> {tmp_path}/slept; exec /bin/sleep 0.01")
    return place


@pytest.fixture(name="running")
def fixture_running() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "text", [*AGENTS.values(), HANDLER, NODE_ALERT], ids=[*AGENTS, "fence-peer", "alert"]
)
def test_the_shell_is_well_formed(text: str) -> None:
    done = subprocess.run(["sh", "-n"], input=text, text=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_describes_itself_and_refuses_what_it_has_not(place: Place, name: str) -> None:
    status, told = place.run(AGENTS[name], "meta-data")
    assert status == OPEN
    assert f'<resource-agent name="{name}"' in told
    place.put(place.root / "etc/targets" / VOLUME.name, tree_file(GOAL, VOLUME, A).text)
    assert place.run(AGENTS[name], "promote")[0] == 3


# The side.


def test_start_opens_and_stop_shuts(place: Place) -> None:
    assert place.run(AGENTS["side"], "monitor")[0] == NOT_RUNNING
    assert place.run(AGENTS["side"], "start")[0] == OPEN
    assert place.state.read_text().strip() == OPTIMIZED
    assert place.run(AGENTS["side"], "stop")[0] == OPEN
    assert place.state.read_text().strip() == STANDBY


@pytest.mark.parametrize(
    "text",
    [
        mirror("converged").replace("ro:Primary", "ro:Secondary"),
        mirror("converged").replace("ds:UpToDate", "ds:Inconsistent"),
        mirror("converged").replace("C r-----", "C s-----"),
        "",
    ],
    ids=["secondary", "behind", "frozen", "no mirror"],
)
def test_start_waits_for_data_that_is_up_to_date_and_writable(
    place: Place, running: list[subprocess.Popen[str]], text: str
) -> None:
    place.put(place.proc, text)
    process = place.start(AGENTS["side"], "start")
    running.append(process)
    until(lambda: place.counted() > 2)
    assert place.state.read_text().strip() == STANDBY
    assert process.poll() is None
    place.put(place.proc, mirror("converged"))
    assert process.wait(timeout=30) == OPEN
    assert place.state.read_text().strip() == OPTIMIZED


def test_stop_returns_when_nothing_is_in_flight_any_more(
    place: Place, running: list[subprocess.Popen[str]]
) -> None:
    place.put(place.state, f"{OPTIMIZED}\n")
    place.put(place.proc, mirror("converged").replace(" ap:0 ", " ap:3 "))
    process = place.start(AGENTS["side"], "stop")
    running.append(process)
    until(lambda: place.counted() > 5)
    assert place.state.read_text().strip() == STANDBY
    assert process.poll() is None
    place.put(place.proc, mirror("converged"))
    assert process.wait(timeout=30) == OPEN


@pytest.mark.parametrize(
    "text",
    [
        mirror("disk-b-dead").replace(" ap:2 ", " ap:0 "),
        mirror("converged").replace("C r-----", "C s-----"),
        *(
            mirror("converged").replace("cs:Connected", f"cs:{state}")
            for state in ("WFBitMapT", "WFSyncUUID", "NetworkFailure", "TearDown", "WFReportParams")
        ),
    ],
    ids=["frozen", "frozen, connected", "bitmap", "uuid", "failing", "torn down", "handshake"],
)
def test_what_waits_before_drbds_door_is_not_drained(
    place: Place, running: list[subprocess.Popen[str]], text: str
) -> None:
    """ "ap:" counts what DRBD has let in; while it is frozen it lets in nothing."""
    place.put(place.state, f"{OPTIMIZED}\n")
    place.put(place.proc, text)
    process = place.start(AGENTS["side"], "stop")
    running.append(process)
    until(lambda: place.counted() > 5)
    assert place.state.read_text().strip() == STANDBY
    assert process.poll() is None
    place.put(place.proc, mirror("converged"))
    assert process.wait(timeout=30) == OPEN


@pytest.mark.parametrize("text", [
    mirror("disk-b-dead").replace(" ap:2 ", " ap:0 ").replace("DUnknown C s", "Outdated C r"),
    mirror("converged").replace("cs:Connected", "cs:SyncSource"),
    mirror("converged").replace("cs:Connected", "cs:StandAlone"),
], ids=["alone", "resyncing", "stands alone"])  # fmt: skip
def test_a_side_is_drained_also_without_its_peer(place: Place, text: str) -> None:
    place.put(place.state, f"{OPTIMIZED}\n")
    place.put(place.proc, text)
    assert place.run(AGENTS["side"], "stop")[0] == OPEN


def test_stop_of_a_side_without_target_is_done(place: Place) -> None:
    place.state.unlink()
    assert place.run(AGENTS["side"], "stop")[0] == OPEN


def opened(place: Place) -> None:
    """As `side start` leaves it."""
    place.put(place.state, f"{OPTIMIZED}\n")
    place.put(place.mark, "open\n")


def test_an_open_side_that_is_frozen_is_not_judged(place: Place) -> None:
    opened(place)
    place.put(place.proc, mirror("converged").replace("C r-----", "C s-----"))
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN


def test_an_open_side_that_is_behind_or_unreadable_has_failed(place: Place) -> None:
    opened(place)
    (place.root / "drbd0").unlink()
    status, told = place.run(AGENTS["side"], "monitor")
    assert (status, "cannot be read" in told) == (FAILED, True)
    place.put(place.proc, mirror("converged").replace("ds:UpToDate", "ds:Inconsistent"))
    status, told = place.run(AGENTS["side"], "monitor")
    assert (status, "not up to date" in told) == (FAILED, True)


def test_an_open_side_has_the_score_of_a_peer_that_is_not_promoted_written_again(
    place: Place,
) -> None:
    opened(place)
    place.tool("dd", "exit 0")
    place.tool("attrd_updater", f"case $* in *refresh*) echo $* >> {place.root}/asked ;; esac")
    asked = place.root / "asked"
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    place.put(place.proc, mirror("drbd-sync-target", "disk-a"))
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    assert not asked.exists()
    place.put(place.proc, mirror("converged").replace("ro:Primary/Primary", "ro:Primary/Secondary"))
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    assert asked.read_text() == "--refresh\n"


def in_flight(text: str, **counters: int) -> str:
    """Give /proc/drbd with other counters."""
    for name, value in counters.items():
        text = re.sub(rf"\b{name}:\d+", f"{name}:{value}", text)
    return text


HUNG = in_flight(mirror("converged"), ap=4, lo=4)
"""Four writers stand still; the monitor's own reads come back."""


def looks(place: Place, *texts: str) -> list[int]:
    found = []
    for number, text in enumerate(texts):
        place.put(place.proc, in_flight(text, dr=1000 + number))
        found.append(place.run(AGENTS["side"], "monitor")[0])
    return found


def test_writes_that_hang_while_reads_work_are_noticed(place: Place) -> None:
    """Seen for six minutes: all writers stood still, the side's monitor read on (A7)."""
    opened(place)
    place.tool("dd", "exit 0")
    assert looks(place, HUNG, HUNG, HUNG, HUNG) == [OPEN, OPEN, OPEN, FAILED]
    assert looks(place, in_flight(HUNG, dw=7), HUNG, HUNG, HUNG, HUNG)[-2:] == [OPEN, FAILED]


@pytest.mark.parametrize("text", [
    mirror("converged"),
    in_flight(mirror("converged"), ap=4, lo=0, pe=4),
    HUNG.replace("C r", "C s"),
    HUNG.replace("cs:Connected", "cs:SyncSource"),
    HUNG.replace("UpToDate/UpToDate", "UpToDate/Outdated"),
], ids=["idle", "the peer hangs", "frozen", "resyncing", "nobody else could open"])  # fmt: skip
def test_a_standstill_that_is_not_this_disks_is_not_judged(place: Place, text: str) -> None:
    opened(place)
    place.tool("dd", "exit 0")
    assert looks(place, *[text] * 6) == [OPEN] * 6


def test_writes_that_go_on_are_slow_at_most(place: Place) -> None:
    opened(place)
    place.tool("dd", "exit 0")
    slow = [in_flight(HUNG, dw=100 + number // 3) for number in range(12)]
    assert looks(place, *slow) == [OPEN] * 12


def test_each_look_reads_another_block(place: Place) -> None:
    opened(place)
    place.tool("dd", f'echo "$*" >> {place.root}/read')
    for up in ("900.00 0.0", "905.10 0.0"):
        place.put(place.root / "uptime", f"{up}\n")
        assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    assert len({*(place.root / "read").read_text().splitlines()}) == 2


# The target.


def attributes() -> dict[str, str]:
    """Everything that the agent must have written, by its path."""
    return {
        path: value.reveal() if isinstance(value, Secret) else value
        for group in groups(GOAL, VOLUME, A)
        for path, value in group.values.items()
    }


@pytest.fixture(name="configfs")
def fixture_configfs(place: Place) -> Place:
    """A folder with the directories and switches that configfs makes by itself."""
    place.state.unlink()
    tree = tree_file(GOAL, VOLUME, A).text.replace("/dev/drbd", f"{place.root}/drbd")
    place.put(place.root / "etc/targets" / VOLUME.name, tree)
    for path in attributes():
        (place.target / path).parent.mkdir(parents=True, exist_ok=True)
    for group in (core(VOLUME), tpg(GOAL, VOLUME, A)):
        (place.target / group / "enable").write_text("0\n")
    return place


def test_the_tree_file_builds_exactly_what_the_layer_wants(configfs: Place) -> None:
    assert configfs.run(AGENTS["target"], "start") == (OPEN, "")
    written = {
        str(path.relative_to(configfs.target)): path.read_text().strip()
        for path in configfs.target.rglob("*")
        if path.is_file() and not path.parent.is_symlink()
    }
    place_of_members = configfs.members.relative_to(configfs.target)
    own = {
        f"{core(VOLUME)}/control": f"udev_path={configfs.root}/drbd{VOLUME.minor}",
        f"{core(VOLUME)}/enable": "1",
        f"{tpg(GOAL, VOLUME, A)}/enable": "1",
        state_path(VOLUME): STANDBY,
        str(place_of_members): LUN,
    }
    assert written == attributes() | own


def test_a_target_that_starts_has_its_servers_notes_taken(configfs: Place) -> None:
    """Behind its back: Pacemaker waits for whoever holds the agent's pipes."""
    done = configfs.root / "settled"
    configfs.tool("node-alert", f'/bin/sleep 1; echo "$*" > {done}')
    assert configfs.run(AGENTS["target"], "start") == (OPEN, "")
    assert not done.exists()
    until(done.exists)
    until(lambda: done.read_text() == "settled\n")


def test_every_node_and_link_is_made(configfs: Place) -> None:
    configfs.run(AGENTS["target"], "start")
    for group in groups(GOAL, VOLUME, A):
        assert all((configfs.target / node).is_dir() for node in group.nodes)
        for link, to in group.links.items():
            assert (configfs.target / link).readlink() == configfs.target / to


def frozen_without_handler(place: Place, text: str) -> list[str]:
    place.tool("fence-peer", f'echo "$*" >> {place.root}/again')
    place.put(place.proc, text)
    assert place.run(AGENTS["target"], "monitor")[0] == OPEN
    time.sleep(0.2)
    file = place.root / "again"
    return file.read_text().splitlines() if file.exists() else []


def test_the_targets_monitor_looks_after_the_handler_of_a_frozen_mirror(configfs: Place) -> None:
    configfs.run(AGENTS["target"], "start")
    assert frozen_without_handler(configfs, mirror("converged")) == []
    found = frozen_without_handler(configfs, mirror("disk-b-dead"))
    assert found == [f"again {VOLUME.name} {VOLUME.minor}"]


def test_a_target_is_there_once_its_group_and_backstore_are_enabled(configfs: Place) -> None:
    assert configfs.run(AGENTS["target"], "monitor")[0] == NOT_RUNNING
    configfs.run(AGENTS["target"], "start")
    assert configfs.run(AGENTS["target"], "monitor")[0] == OPEN
    assert configfs.run(AGENTS["target"], "start") == (OPEN, "")
    (configfs.target / tpg(GOAL, VOLUME, A) / "enable").write_text("0\n")
    assert configfs.run(AGENTS["target"], "monitor")[0] == NOT_RUNNING


def test_without_its_tree_file_a_target_is_stopped_and_cannot_start(place: Place) -> None:
    assert place.run(AGENTS["target"], "stop")[0] == OPEN
    assert place.run(AGENTS["target"], "monitor")[0] == NOT_RUNNING
    status, told = place.run(AGENTS["target"], "start")
    assert (status, "run sanglier apply" in told) == (5, True)


# DRBD's handler.


HISTORY = Path(__file__).parent / "fencing"
"""What stonith_admin --history --verbose of Pacemaker 2.1.5 said, one event in each."""


def told(name: str) -> str:
    """Give a recorded fencing history."""
    return (HISTORY / f"{name}.xml").read_text()


def event(name: str, **other: str) -> str:
    """Give the first event of a recorded history, with other values where they are given."""
    found = next(line for line in told(name).splitlines() if "<fence_event " in line)
    for key, value in other.items():
        found = re.sub(f' {key}="[^"]*"', f' {key}="{value}"', found)
    return found


FENCER = 4711
ASKED = """
case $1 in
    --history)
        echo "$*" >> ROOT/asked
        case $* in *--verbose*) ;; *) exit 1 ;; esac
        [ ! -e ROOT/mute ] || exit 1
        printf '<pacemaker-result>\\n'; cat ROOT/events
        echo '<status code="0" message="OK"/>'; echo '</pacemaker-result>' ;;
    --reboot)
        echo "$*" >> ROOT/shots
        [ ! -e ROOT/when-shot ] || . ROOT/when-shot
        [ -e ROOT/lies ] || cp ROOT/without ROOT/votes ;;
esac
"""
"""A kill that succeeds takes the peer out of Corosync's membership, unless the switch lies."""


@pytest.fixture(name="lost")
def fixture_lost(place: Place) -> Place:
    """The mirror is cut, the peer still a member, this side open; a second per sleep."""
    place.put(place.proc, mirror("disk-b-dead"))
    place.put(place.state, f"{OPTIMIZED}\n")
    place.put(place.mark, "open\n")
    place.put(place.root / "uptime", "900.00 0.00\n")
    place.put(place.root / "votes", votes("converged"))
    place.put(place.root / "without", votes("disk-b-dead"))
    place.put(place.root / "joins", joins(1))
    place.put(place.root / "events", "")
    (place.root / "crm").mkdir()
    fencer(place, FENCER)
    place.tool("corosync-quorumtool", f"cat {place.root}/votes")
    place.tool("corosync-cmapctl", f"cat {place.root}/joins")
    place.tool("stonith_admin", ASKED.replace("ROOT", str(place.root)))
    place.tool("logger", ":")
    place.tool(
        "sleep",
        f"""
printf x >> {place.root}/slept
read -r up _ < {place.root}/uptime; echo "$((${{up%.*}} + 1)).00 0" > {place.root}/uptime
[ ! -e {place.root}/then ] || . {place.root}/then""",
    )
    return place


def joins(count: int) -> str:
    """What corosync-cmapctl says of a peer that has joined so often."""
    return told_of_members().replace("2.join_count (u32) = 1", f"2.join_count (u32) = {count}")


def told_of_members() -> str:
    return (HISTORY / "members.txt").read_text()


def fencer(place: Place, pid: int, started: int = 100) -> None:
    """Let pacemaker-fenced be another process; it started at that second."""
    place.tool("pidof", f"echo {pid}")
    words = " ".join(str(number) for number in range(4, 53))
    stat = f"{pid} (pacemaker-fenced) S {words}".replace(" 22 ", f" {started * 100} ")
    place.put(place.root / "proc" / str(pid) / "stat", stat + "\n")


def happened(place: Place, *events: str) -> None:
    place.put(place.root / "events", "".join(f"{line}\n" for line in events))


def gone(place: Place) -> None:
    """Corosync has lost the peer."""
    place.put(place.root / "votes", votes("disk-b-dead"))


def shots(place: Place) -> list[str]:
    file = place.root / "shots"
    return file.read_text().splitlines() if file.exists() else []


def later(place: Place, sleeps: int, text: str) -> None:
    """After so many sleeps, do what ``text`` says."""
    place.put(place.root / "then", f'[ "$(wc -c < {place.root}/slept)" -lt {sleeps} ] || {text}\n')


def fence(place: Place, minor: int = 0) -> int:
    return place.run(HANDLER, DRBD_PEERS="disk-b", DRBD_RESOURCE="data", DRBD_MINOR=str(minor))[0]


def take_note(place: Place) -> None:
    """What node-alert does when the peer has joined."""
    assert place.run(HANDLER, "note", "disk-b")[0] == 0


def reconnect_after(place: Place, sleeps: int) -> None:
    """Let the mirror come back, which ends the handler without a death."""
    place.put(place.root / "good", mirror("converged"))
    later(place, sleeps, f"cp {place.root}/good {place.proc}")


SHOT = "--reboot disk-b --tag drbd"


def test_the_open_side_shoots_after_its_grace(lost: Place) -> None:
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (int(GRACE_S), [SHOT])


def test_what_a_shot_rests_on_is_asked_while_the_fire_is_held(lost: Place) -> None:
    """Each of these tools takes an eighth to a quarter of a second in the lab: writers wait."""
    order = lost.root / "order"
    for tool, letter in (("corosync-quorumtool", "q"), ("stonith_admin", "s"), ("sleep", "-")):
        text = (lost.root / "bin" / tool).read_text().removeprefix("#!/bin/sh\n")
        lost.tool(tool, f"printf {letter} >> {order}\n{text}")
    assert fence(lost) == DEAD
    before, _, after = order.read_text().rpartition("-")
    assert "s" in before.rpartition("-")[2]
    assert after.startswith("qs")
    assert len(shots(lost)) == 1


@pytest.mark.parametrize("state", [f"{STANDBY}\n", None], ids=["standby", "no target"])
def test_the_other_side_holds_its_fire(lost: Place, state: str | None) -> None:
    if state is None:
        lost.state.unlink()
    else:
        lost.put(lost.state, state)
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (TIMINGS.fence_hold_s, [SHOT])


@pytest.mark.parametrize(("mark", "first"), [("", False), ("open\n", True)])
def test_a_side_that_somebody_opened_by_hand_does_not_shoot_first(
    lost: Place, mark: str, first: bool
) -> None:
    lost.put(lost.mark, mark)
    assert fence(lost) == DEAD
    assert lost.counted() == (int(GRACE_S) if first else TIMINGS.fence_hold_s)


def test_nobody_waits_for_a_peer_that_corosync_has_lost(lost: Place) -> None:
    gone(lost)
    lost.put(lost.state, f"{STANDBY}\n")
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (0, [SHOT])


def _answers(place: Place, *bad: int, saying: str) -> None:
    """Let corosync-quorumtool say something else, the so-manieth times that it is asked."""
    place.put(place.root / "bad", saying)
    numbers = "|".join(str(number) for number in bad)
    place.tool(
        "corosync-quorumtool",
        f"""
printf x >> {place.root}/told; n=$(wc -c < {place.root}/told)
case $n in {numbers}) cat {place.root}/bad; exit 1 ;; *) cat {place.root}/votes ;; esac""",
    )


NO_ANSWER = "Cannot initialize QUORUM service\n"


@pytest.mark.parametrize("bad", [(1, 2), (4,), (4, 5), (7, 8, 9, 10)])
@pytest.mark.parametrize("saying", ["", NO_ANSWER, "half"])
def test_no_whole_answer_is_not_a_lost_peer(lost: Place, bad: tuple[int, ...], saying: str) -> None:
    lost.put(lost.state, f"{STANDBY}\n")
    half = votes("disk-b-dead").split("    Nodeid")[0]
    _answers(lost, *bad, saying=half if saying == "half" else saying)
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (TIMINGS.fence_hold_s, [SHOT])


def test_a_corosync_that_does_not_answer_is_called_so(lost: Place) -> None:
    lost.tool("corosync-quorumtool", "exit 1")
    lost.tool("logger", f'echo "$*" >> {lost.root}/logged')
    reconnect_after(lost, 40)
    assert (fence(lost), shots(lost)) == (NO_DEATH, [])
    assert "Corosync does not answer" in (lost.root / "logged").read_text()


def test_a_peer_is_lost_that_two_answers_in_succession_lack(lost: Place) -> None:
    lost.put(lost.state, f"{STANDBY}\n")
    _answers(lost, 4, 6, saying=votes("disk-b-dead"))
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (TIMINGS.fence_hold_s, [SHOT])


def test_another_server_whose_name_begins_alike_is_not_the_peer(lost: Place) -> None:
    lost.put(lost.state, f"{STANDBY}\n")
    status, _ = lost.run(HANDLER, DRBD_PEERS="disk", DRBD_RESOURCE="data", DRBD_MINOR="0")
    assert (status, lost.counted(), len(shots(lost))) == (DEAD, 0, 1)


@pytest.mark.parametrize("side", [OPTIMIZED, STANDBY])
def test_a_server_that_stood_still_waits_until_corosync_has_looked_anew(
    lost: Place, side: str
) -> None:
    """It woke up after an hour; what it holds for the membership is of before."""
    lost.put(lost.state, f"{side}\n")
    later(lost, 1, f"[ -e {lost.root}/woken ] || {{ echo 4600.00 0 > {lost.root}/uptime; "
          f": > {lost.root}/woken; }}")  # fmt: skip
    lost.put(lost.root / "when-shot", f"cp {lost.root}/uptime {lost.root}/shot-at\n")
    assert fence(lost) == DEAD
    waited = int((lost.root / "shot-at").read_text().split(".")[0]) - 4600
    totem = ceil(totem_s(TIMINGS))
    assert waited == (totem + 1 if side == OPTIMIZED else TIMINGS.fence_hold_s)


def test_a_disk_that_fails_while_there_is_no_quorum_is_not_shot_for(lost: Place) -> None:
    lost.put(lost.root / "votes", votes("disk-b-dead").replace("Yes", "No "))
    lost.put(lost.root / "quorum", votes("disk-b-dead"))
    lost.put(lost.root / "failed", mirror("disk-b-dead").replace("ds:UpToDate", "ds:Diskless"))
    lost.put(lost.root / "good", mirror("converged"))
    lost.put(lost.root / "ends", f"""
cp {lost.root}/failed {lost.proc}; cp {lost.root}/quorum {lost.root}/votes
[ "$(wc -c < {lost.root}/slept)" -lt 9 ] || cp {lost.root}/good {lost.proc}
""")  # fmt: skip
    later(lost, 3, f". {lost.root}/ends")
    assert (fence(lost), shots(lost)) == (NO_DEATH, [])


def test_a_mirror_that_comes_back_is_no_death(lost: Place) -> None:
    lost.put(lost.root / "good", mirror("converged"))
    later(lost, 2, f"cp {lost.root}/good {lost.proc}")
    assert fence(lost) == NO_DEATH
    assert shots(lost) == []


@pytest.mark.parametrize("disk", ["Outdated", "Inconsistent", "Consistent"])
def test_a_side_that_is_behind_never_shoots(lost: Place, disk: str) -> None:
    lost.put(lost.proc, mirror("disk-b-dead").replace("ds:UpToDate", f"ds:{disk}"))
    lost.put(lost.root / "good", mirror("converged"))
    later(lost, 30, f"cp {lost.root}/good {lost.proc}")
    assert fence(lost) == NO_DEATH
    assert shots(lost) == []


def test_without_quorum_nobody_shoots(lost: Place) -> None:
    lost.put(lost.root / "votes", votes("disk-b-dead").replace("Yes", "No "))
    lost.put(lost.root / "quorum", votes("disk-b-dead"))
    later(lost, 20, f"cp {lost.root}/quorum {lost.root}/votes")
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (20, [SHOT])


@pytest.mark.parametrize("side", [OPTIMIZED, STANDBY])
def test_who_brings_the_quorum_back_is_given_time_to_bring_the_mirror(
    lost: Place, side: str
) -> None:
    """Seen with `open-isolated` and `witness-killed` at once: killed 2 s after it had joined."""
    lost.put(lost.state, f"{side}\n")
    lost.put(lost.root / "votes", votes("disk-b-dead").replace("Yes", "No "))
    lost.put(lost.root / "quorum", votes("converged"))
    later(lost, 40, f"cp {lost.root}/quorum {lost.root}/votes")
    patience = TIMINGS.fence_hold_s // (2 if side == OPTIMIZED else 1)
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (40 + patience, [SHOT])


def test_a_peer_that_is_back_before_the_shot_is_given_time_to_bring_the_mirror(
    lost: Place,
) -> None:
    """Seen with the same two: the witness brought the quorum, the peer came 2 s later, was killed.

    Between the answer that lacks it and the shot lies Pacemaker's history, which takes seconds.
    """
    lost.put(lost.root / "minority", votes("disk-b-dead").replace("Yes", "No "))
    lost.put(lost.root / "alone", votes("disk-b-dead"))
    lost.tool(
        "corosync-quorumtool",
        f"""
printf x >> {lost.root}/told; n=$(wc -c < {lost.root}/told)
if [ "$n" -le 6 ]; then cat {lost.root}/minority
elif [ "$n" = 7 ]; then cat {lost.root}/alone
else cat {lost.root}/votes; fi""",
    )
    assert fence(lost) == DEAD
    assert shots(lost) == [SHOT]
    assert lost.counted() >= TIMINGS.fence_hold_s // 2


def test_only_a_confirmed_kill_is_a_death(lost: Place) -> None:
    lost.put(lost.root / "when-shot", f'[ "$(wc -l < {lost.root}/shots)" -ge 3 ] || exit 1\n')
    assert fence(lost) == DEAD
    assert shots(lost) == [SHOT] * 3


# Who shoots first, and who not at all.


@pytest.mark.parametrize("peer", ["disk-b", "disk-a"])
def test_where_no_side_is_open_the_higher_node_id_outlasts_the_others_shot(
    lost: Place, peer: str
) -> None:
    """Both hold their fire; in the middle of a move, or with both sides shut."""
    here = {"disk-b": "disk-a", "disk-a": "disk-b"}[peer]
    for name in ("votes", "without"):
        text = (lost.root / name).read_text()
        swapped = text.replace(" (local)", "").replace(here, f"{here} (local)")
        lost.put(lost.root / name, swapped if here == "disk-b" else text)
    if here == "disk-b":
        lost.put(lost.root / "without", votes("disk-b-dead").replace("disk-a", "disk-b"))
    lost.put(lost.state, f"{STANDBY}\n")
    status, _ = lost.run(HANDLER, DRBD_PEERS=peer, DRBD_RESOURCE="data", DRBD_MINOR="0")
    longer = longer_hold_s(TIMINGS)
    assert longer > TIMINGS.fence_hold_s + fencing_s(TIMINGS)
    assert (status, lost.counted()) == (DEAD, TIMINGS.fence_hold_s if here == "disk-a" else longer)


def test_an_open_side_without_a_mark_does_not_go_first(lost: Place) -> None:
    """Two sides that look open would both go first; by order only one has the mark."""
    lost.mark.unlink()
    assert fence(lost) == DEAD
    assert lost.counted() == TIMINGS.fence_hold_s


def backed(place: Place, answer: str) -> None:
    """A disk under the mirror, as the kernel links it."""
    place.put(place.root / f"sys-block/drbd{VOLUME.minor}/slaves/dm-0/dev", "254:0\n")
    place.tool("dd", f'echo "$*" >> {place.root}/read; {answer}')


OTHERS_ENDED = r"""
for pid in $(cat /proc/$PPID/task/$PPID/children); do
    until [ "$pid" = $$ ] || ! grep -q '^State:[[:space:]]*[^Z[:space:]]' /proc/$pid/status; do
        /bin/sleep 0.01
    done
done 2>/dev/null
"""
"""Shell, for a tool: wait until whatever else who called it has begun has ended."""


def outlive_the_reader(place: Place) -> None:
    """Let a sleep last until the disk's reader has ended, as it has where a second passes."""
    text = (place.root / "bin/sleep").read_text().removeprefix("#!/bin/sh\n")
    place.tool("sleep", f"{OTHERS_ENDED}{text}")


HANGS = 'trap "" TERM; exec /bin/sleep 12'


@pytest.mark.parametrize("answer", [HANGS, "exit 1"], ids=["hangs", "fails"])
def test_nobody_is_shot_for_a_disk_that_does_not_answer_here(lost: Place, answer: str) -> None:
    backed(lost, answer)
    reconnect_after(lost, 8)
    if answer != HANGS:
        outlive_the_reader(lost)
    assert (fence(lost), shots(lost)) == (NO_DEATH, [])
    assert "if=/dev/dm-0" in (lost.root / "read").read_text()
    assert len((lost.root / "read").read_text().splitlines()) == (1 if answer == HANGS else 7)


def test_a_disk_that_takes_a_moment_is_waited_for(lost: Place) -> None:
    backed(lost, "exec /bin/sleep 0.7")
    assert (fence(lost), shots(lost), lost.counted()) == (DEAD, [SHOT], int(GRACE_S))


def test_a_disk_that_answers_costs_the_shot_no_sleep(lost: Place) -> None:
    backed(lost, ":")
    gone(lost)
    assert (fence(lost), shots(lost), lost.counted()) == (DEAD, [SHOT], 0)


def test_a_peer_that_is_dead_already_needs_no_answer_of_the_disk(lost: Place) -> None:
    backed(lost, HANGS)
    take_note(lost)
    happened(lost, event("by-pacemaker"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])


# A switch that lies while the victim still talks.


def lies(place: Place) -> None:
    place.put(place.root / "lies", "")


def test_a_server_that_corosync_still_sees_was_not_killed(lost: Place) -> None:
    lies(lost)
    reconnect_after(lost, 60)
    assert fence(lost) == NO_DEATH
    assert len(shots(lost)) > 1


def test_a_kill_counts_once_the_victim_has_left_the_membership(lost: Place) -> None:
    lies(lost)
    later(lost, 8, f"cp {lost.root}/without {lost.root}/votes")
    assert (fence(lost), shots(lost), lost.counted()) == (DEAD, [SHOT], 8)


def test_a_victim_that_joined_anew_meanwhile_has_left(lost: Place) -> None:
    lies(lost)
    lost.put(lost.root / "joined", joins(2))
    lost.put(lost.root / "when-shot", f"cp {lost.root}/joined {lost.root}/joins\n")
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


def test_a_lie_does_not_count_when_the_victim_is_cut_off_later(lost: Place) -> None:
    """The kill that it outlived is in the history as done."""
    lies(lost)
    take_note(lost)
    lost.put(lost.root / "lied", event("by-hand") + "\n")
    lost.put(lost.root / "when-shot", f"""
cp {lost.root}/lied {lost.root}/events
[ "$(wc -l < {lost.root}/shots)" -lt 3 ] || exit 1
""")  # fmt: skip
    lost.put(lost.root / "good", mirror("converged"))
    ends = f"""
[ "$(wc -c < {lost.root}/slept)" -lt 40 ] || cp {lost.root}/without {lost.root}/votes
[ "$(wc -c < {lost.root}/slept)" -lt 80 ] || cp {lost.root}/good {lost.proc}
"""
    lost.put(lost.root / "then", ends)
    assert fence(lost) == NO_DEATH


# A handler that is gone is begun again, by the target's monitor on either server.


AGAIN = ("again", VOLUME.name, str(VOLUME.minor))


@pytest.fixture(name="alone")
def fixture_alone(lost: Place) -> Place:
    """Frozen without a handler: somebody killed it, or DRBD could not call it."""
    gone(lost)
    lost.tool("uname", "echo disk-a")
    thawed = mirror("disk-b-dead").replace(" C s", " C r")
    lost.put(lost.root / "thawed", thawed)
    lost.tool("drbdsetup", f'echo "$*" >> {lost.root}/resumed; cp {lost.root}/thawed {lost.proc}')
    return lost


def resumed(place: Place) -> str:
    file = place.root / "resumed"
    return file.read_text() if file.exists() else ""


@pytest.mark.parametrize("state", [OPTIMIZED, STANDBY])
def test_a_handler_that_is_gone_is_begun_again_and_thaws(alone: Place, state: str) -> None:
    alone.put(alone.state, f"{state}\n")
    assert alone.run(HANDLER, *AGAIN)[0] == 0
    assert (shots(alone), resumed(alone)) == ([SHOT], "resume-io 0\n")


@pytest.fixture(name="waiting")
def fixture_waiting(alone: Place, running: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """A handler that DRBD has called, at work without an end: there is no quorum."""
    alone.put(alone.root / "votes", votes("disk-b-dead").replace("Yes", "No "))
    one = call(alone, running)
    until(lambda: alone.counted() > 3)
    return one


def call(place: Place, running: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Do what DRBD does at a loss, and wait for nothing."""
    running.append(
        place.start(
            HANDLER, DRBD_PEERS="disk-b", DRBD_RESOURCE="data", DRBD_MINOR=str(VOLUME.minor)
        )
    )
    return running[-1]


def test_it_is_not_begun_beside_one_that_lives(
    alone: Place, waiting: subprocess.Popen[str]
) -> None:
    assert alone.run(HANDLER, *AGAIN)[0] == 0
    assert (shots(alone), resumed(alone), waiting.poll()) == ([], "", None)


def test_of_two_handlers_of_one_volume_the_earlier_one_gives_way(
    alone: Place, running: list[subprocess.Popen[str]], waiting: subprocess.Popen[str]
) -> None:
    """The mirror came back for less than a look, and DRBD called another one, which counts."""
    later_one = call(alone, running)
    until(lambda: waiting.poll() is not None)
    assert (waiting.returncode, later_one.poll()) == (NO_DEATH, None)
    later_one.kill()
    later_one.wait()
    gone(alone)
    assert alone.run(HANDLER, *AGAIN)[0] == 0
    assert (shots(alone), resumed(alone)) == ([SHOT], "resume-io 0\n")


@pytest.mark.parametrize("text", [
    mirror("converged"),
    mirror("disk-b-dead").replace(" C s", " C r"),
    mirror("disk-b-dead").replace("DUnknown", "Outdated"),
    mirror("disk-b-dead").replace("ds:UpToDate", "ds:Diskless"),
    mirror("converged").replace(" C r", " C s"),
    mirror("disk-b-dead").replace("ro:Primary", "ro:Secondary"),
], ids=["connected", "not frozen", "by hand", "diskless", "by hand, connected", "secondary"],
)  # fmt: skip
def test_it_is_begun_only_where_a_loss_has_frozen_it(alone: Place, text: str) -> None:
    alone.put(alone.proc, text)
    assert alone.run(HANDLER, *AGAIN)[0] == 0
    assert (shots(alone), resumed(alone)) == ([], "")


def test_drbds_own_call_of_a_handler_is_waited_for(alone: Place) -> None:
    later(alone, 1, f"cp {alone.root}/thawed {alone.proc}")
    assert alone.run(HANDLER, *AGAIN)[0] == 0
    assert (shots(alone), resumed(alone)) == ([], "")


def test_a_mirror_that_comes_back_is_not_resumed_by_hand(alone: Place) -> None:
    alone.put(alone.root / "good", mirror("converged"))
    alone.put(alone.root / "when-shot", f"cp {alone.root}/good {alone.proc}\n")
    assert alone.run(HANDLER, *AGAIN)[0] == NO_DEATH
    assert (shots(alone), resumed(alone)) == ([SHOT], "")


def test_a_kill_is_used_up_when_the_mirror_is_connected_again(lost: Place) -> None:
    """The peer lives again: what killed it before is no death of now, also without joining."""
    take_note(lost)
    happened(lost, event("by-hand"))
    lost.put(lost.root / "good", mirror("converged"))
    lost.put(lost.root / "cut", mirror("disk-b-dead"))
    reconnect_after(lost, 2)
    assert (fence(lost), shots(lost)) == (NO_DEATH, [])
    until((lost.root / "crm/sanglier-disk-b.0").exists)
    (lost.root / "then").unlink()
    lost.put(lost.proc, mirror("disk-b-dead"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


@pytest.mark.parametrize("name", ["corosync-quorumtool", "corosync-cmapctl", "stonith_admin"])
def test_a_tool_that_hangs_does_not_hang_the_handler(lost: Place, name: str) -> None:
    gone(lost)
    lost.tool(name, "exec /bin/sleep 40")
    lost.tool("timeout", f"""
shift
case $1 in sh) exit 1 ;; {name}) printf x >> {lost.root}/out; exit 124 ;; esac
exec "$@\"""")  # fmt: skip
    reconnect_after(lost, 3)
    assert fence(lost) in (NO_DEATH, DEAD)
    assert (lost.root / "out").exists()


# Which kills count.  No clock is asked: the events of these tests are of another year.

LONG_AGO, TO_COME = "2001-01-01 00:00:00Z", "2099-01-01 00:00:00Z"


@pytest.mark.parametrize("when", [LONG_AGO, TO_COME])
@pytest.mark.parametrize("name", ["by-pacemaker", "by-a-person", "by-hand"])
def test_a_kill_that_was_known_before_never_counts(lost: Place, when: str, name: str) -> None:
    happened(lost, event(name, completed=when))
    take_note(lost)
    gone(lost)
    assert fence(lost) == DEAD
    assert shots(lost) == [SHOT]


@pytest.mark.parametrize("when", [LONG_AGO, TO_COME])
@pytest.mark.parametrize("name", ["by-pacemaker", "by-hand"])
def test_a_kill_since_the_peer_has_joined_counts_and_it_is_not_shot(
    lost: Place, when: str, name: str
) -> None:
    happened(lost, event("by-hand", client="stonith_admin.1"))
    take_note(lost)
    happened(lost, event(name, completed=when), event("by-hand", client="stonith_admin.1"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])


def test_a_persons_word_counts_only_while_the_handler_waits(lost: Place) -> None:
    """It may have been a word too much, about a server that lived on."""
    take_note(lost)
    happened(lost, event("by-a-person"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


def test_a_server_that_is_there_has_outlived_what_was_done_to_it(lost: Place) -> None:
    take_note(lost)
    happened(lost, event("by-hand"))
    take_note(lost)
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


def test_what_is_under_way_since_it_joined_nobody_has_outlived(lost: Place) -> None:
    """A server that leaves Pacemaker and comes back, still a member, while it is being killed."""
    take_note(lost)
    happened(lost, event("under-way"), event("by-hand"))
    take_note(lost)
    happened(lost, event("by-pacemaker"), event("by-hand"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])


def test_what_was_under_way_when_it_joined_does_not_count_after_a_later_note(lost: Place) -> None:
    happened(lost, event("under-way"))
    take_note(lost)
    take_note(lost)
    happened(lost, event("by-hand"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


def test_the_note_of_a_server_that_is_lost_stays(lost: Place) -> None:
    take_note(lost)
    happened(lost, event("by-hand"))
    gone(lost)
    take_note(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])


def test_without_a_note_only_a_kill_since_the_handler_began_counts(lost: Place) -> None:
    happened(lost, event("by-hand"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


@pytest.mark.parametrize("name", ["by-pacemaker", "by-a-person"])
def test_a_kill_while_the_handler_waits_counts(lost: Place, name: str) -> None:
    gone(lost)
    lost.put(lost.root / "when-shot", "exit 1\n")
    lost.put(lost.root / "next", event(name) + "\n")
    later(lost, 3, f"cp {lost.root}/next {lost.root}/events")
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT] * 3)


def test_while_corosync_sees_the_peer_nobodys_word_counts(lost: Place) -> None:
    """Its own history may just have come: only a shot that was begun here does."""
    take_note(lost)
    happened(lost, event("by-a-person"))
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


@pytest.mark.parametrize("name", ["failed", "unfenced", "under-way"])
def test_what_is_no_kill_does_not_count(lost: Place, name: str) -> None:
    take_note(lost)
    known = {
        "failed": event("failed"),
        "unfenced": event("by-hand", action="on"),
        "under-way": event("under-way"),
    }
    happened(lost, known[name])
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


def _joined_again(place: Place) -> None:
    place.put(place.root / "joins", joins(2))


def _fencer_restarted(place: Place) -> None:
    fencer(place, FENCER + 1, 800)


def _fencer_is_young(place: Place) -> None:
    fencer(place, FENCER + 1, 899)
    take_note(place)


def _no_corosync(place: Place) -> None:
    place.tool("corosync-cmapctl", "exit 1")


def _note_is_broken(place: Place) -> None:
    place.put(place.root / "crm/sanglier-disk-b", "nonsense")


def _note_is_gone(place: Place) -> None:
    (place.root / "crm/sanglier-disk-b").unlink()


@pytest.mark.parametrize("change", [
    _joined_again, _fencer_restarted, _fencer_is_young, _no_corosync, _note_is_broken,
    _note_is_gone,
])  # fmt: skip
def test_a_note_that_does_not_serve_any_more_is_not_believed(
    lost: Place, change: Callable[[Place], None]
) -> None:
    take_note(lost)
    happened(lost, event("by-pacemaker"))
    gone(lost)
    change(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


def test_a_note_serves_also_while_the_fencer_forks(lost: Place) -> None:
    take_note(lost)
    fencer(lost, FENCER + 9, 950)
    lost.tool("pidof", f"echo {FENCER + 9} {FENCER}")
    happened(lost, event("by-pacemaker"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])


def test_one_kill_is_enough_for_all_volumes(lost: Place) -> None:
    take_note(lost)
    happened(lost, event("by-hand"))
    gone(lost)
    lost.put(lost.proc, mirror("disk-b-dead") + mirror("disk-b-dead").replace(" 0:", " 1:"))
    assert (fence(lost, 0), fence(lost, 1), shots(lost)) == (DEAD, DEAD, [])


def test_a_kill_that_has_counted_once_does_not_count_for_the_next_loss(lost: Place) -> None:
    """The peer was brought up by hand after it, without joining the cluster."""
    take_note(lost)
    happened(lost, event("by-hand"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])
    until((lost.root / "crm/sanglier-disk-b.0").exists)
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


@pytest.mark.parametrize("name", ["under-way", "several-off", "several-on"])
def test_a_shot_never_rides_on_a_kill_that_was_under_way_before(lost: Place, name: str) -> None:
    """The reboot by several devices of a level is "off", then "on", while it is under way."""
    happened(lost, event(name))
    gone(lost)
    ended = lost.root / "ended"
    lost.put(ended, event("several-done", client=_client(event(name))) + "\n")
    later(lost, 4, f"cp {ended} {lost.root}/events")
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (4, [SHOT])


def _client(line: str) -> str:
    found = re.search(' client="([^"]*)"', line)
    assert found
    return found[1]


def test_one_that_the_peer_asked_for_itself_is_not_waited_for(lost: Place) -> None:
    """Nobody will end it, and nothing is merged with it."""
    happened(lost, event("under-way", origin="disk-b"))
    gone(lost)
    assert (fence(lost), lost.counted(), shots(lost)) == (DEAD, 0, [SHOT])


def test_a_shot_may_ride_on_a_kill_that_was_begun_since(lost: Place) -> None:
    take_note(lost)
    happened(lost, event("under-way"))
    gone(lost)
    assert (fence(lost), lost.counted(), shots(lost)) == (DEAD, 0, [SHOT])


def test_nothing_is_believed_while_the_fencing_history_cannot_be_read(lost: Place) -> None:
    lost.put(lost.root / "mute", "")
    gone(lost)
    reconnect_after(lost, 8)
    assert (fence(lost), shots(lost)) == (NO_DEATH, [])


@pytest.mark.parametrize("step", [-3600, 3600, 86400])
def test_the_clock_is_not_asked(lost: Place, step: int) -> None:
    """Whatever date says, before and after, the same happens."""
    lost.tool("date", f"echo $(( $(/bin/date +%s) + {step} )); echo asked >> {lost.root}/dated")
    take_note(lost)
    happened(lost, event("by-hand"))
    gone(lost)
    assert (fence(lost), shots(lost)) == (DEAD, [])
    assert not (lost.root / "dated").exists()
    assert "date" not in HANDLER.replace("UpToDate", "").replace("up to date", "").split()


@pytest.mark.parametrize(
    ("event_of", "rc", "sleeps", "notes"),
    [("node-member", "", 3, 1), ("node-lost", "", 0, 1), ("fencing-", "0", 1, 1),
     ("fencing-", "1", 0, 0), ("resource-", "0", 0, 0)],
)  # fmt: skip
def test_the_alert_has_a_note_taken_where_that_is_right(
    place: Place, event_of: str, rc: str, sleeps: int, notes: int
) -> None:
    kind, desc = event_of.split("-")
    noted = place.root / "noted"
    place.tool("attrd_updater", ":")
    place.tool("fence-peer", f'echo "$*" >> {noted}')
    status, _ = place.run(
        NODE_ALERT, CRM_alert_kind=kind, CRM_alert_desc=desc, CRM_alert_rc=rc,
        CRM_alert_node="disk-b",
    )  # fmt: skip
    told_of = noted.read_text().splitlines() if noted.exists() else []
    assert (status, place.counted(), told_of) == (0, sleeps, ["note disk-b"] * notes)


def test_a_server_that_boots_has_notes_taken_of_those_who_were_there_before(place: Place) -> None:
    """Pacemaker's alerts tell it of nobody; without a note its next handler kills twice."""
    noted = place.root / "noted"
    place.tool("fence-peer", f'echo "$*" >> {noted}')
    place.tool("crm_node", "echo disk-b disk-a")
    place.tool("uname", "echo disk-a")
    assert place.run(NODE_ALERT, "settled") == (0, "")
    assert (place.counted(), noted.read_text()) == (1, "note disk-b\n")


def test_a_note_is_read_by_whoever_takes_the_next(lost: Place) -> None:
    """Agents run as root, alerts as hacluster, both under Pacemaker's umask."""
    assert lost.run(f"umask 077; set -- note disk-b\n{HANDLER}")[0] == 0
    assert (lost.root / "crm/sanglier-disk-b").stat().st_mode & 0o777 == 0o644


def test_the_first_shot_costs_one_question(lost: Place) -> None:
    """The kill of Pacemaker itself begins meanwhile: who is late kills a second time."""
    take_note(lost)
    gone(lost)
    lost.put(lost.root / "when-shot", f"cp {lost.root}/asked {lost.root}/asked-then\n")
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])
    with_the_note = (lost.root / "asked-then").read_text().splitlines()
    assert len(with_the_note) == 2


def test_a_freeze_that_somebody_ended_is_no_death(lost: Place) -> None:
    lost.put(lost.root / "good", mirror("disk-b-dead").replace(" C s", " C r"))
    later(lost, 2, f"cp {lost.root}/good {lost.proc}")
    assert fence(lost) == NO_DEATH
    assert shots(lost) == []


def test_a_primary_that_wrote_apart_and_has_its_fencing_again_kills_its_peer(lost: Place) -> None:
    """Seen in the lab after a split brain made by hand; the peer must not open what it wrote."""
    lost.put(lost.proc, mirror("disk-b-dead").replace("DUnknown C s", "DUnknown   r"))
    assert (fence(lost), shots(lost)) == (DEAD, [SHOT])


@pytest.mark.parametrize("disk", ["UpToDate", "Consistent"])
@pytest.mark.parametrize("peer", ["member", "gone"])
def test_nobody_is_shot_for_a_promotion_without_the_peer(lost: Place, disk: str, peer: str) -> None:
    """A Secondary that was resynced a moment ago may lack what its peer acknowledged since (M1)."""
    text = mirror("disk-b-dead").replace(" C s", " C r").replace("ds:UpToDate", f"ds:{disk}")
    lost.put(lost.proc, text.replace("ro:Primary", "ro:Secondary"))
    take_note(lost)
    if peer == "gone":
        happened(lost, event("by-pacemaker"))
        gone(lost)
    assert (fence(lost), lost.counted(), shots(lost)) == (NO_DEATH, 0, [])
