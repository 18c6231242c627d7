"""Pacemaker's agents and DRBD's handler: the shell itself, in a folder instead of a kernel.

What they read is what the kernel and Corosync said in the recordings; where a state
was not recorded, a word of a recorded answer is replaced.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
from sanglier.spec.budget import GRACE_S

from .goal import GOAL, TIMINGS, VOLUME
from .recordings import outputs_of

A = GOAL.cluster.storage[0]
AGENTS = {f.path.rsplit("/", 1)[-1]: f.text for f in files_of(GOAL, A) if "/ocf/" in f.path}
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
            ("/dev/drbd", self.root / "drbd"),
            ("/etc/sanglier", self.root / "etc"),
            ("/run/sanglier", self.root / "run"),
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
    place.tool("modprobe", ":")
    place.tool("sleep", f"printf x >> {tmp_path}/slept; exec /bin/sleep 0.01")
    return place


@pytest.fixture(name="running")
def fixture_running() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("text", [*AGENTS.values(), HANDLER], ids=[*AGENTS, "fence-peer"])
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
    place.tool("attrd_updater", f"echo $* >> {place.root}/asked")
    asked = place.root / "asked"
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    place.put(place.proc, mirror("drbd-sync-target", "disk-a"))
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    assert not asked.exists()
    place.put(place.proc, mirror("converged").replace("ro:Primary/Primary", "ro:Primary/Secondary"))
    assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    assert asked.read_text() == "--refresh\n"


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


def test_every_node_and_link_is_made(configfs: Place) -> None:
    configfs.run(AGENTS["target"], "start")
    for group in groups(GOAL, VOLUME, A):
        assert all((configfs.target / node).is_dir() for node in group.nodes)
        for link, to in group.links.items():
            assert (configfs.target / link).readlink() == configfs.target / to


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


@pytest.fixture(name="lost")
def fixture_lost(place: Place) -> Place:
    """The mirror is cut, the peer still a member, this side open; a second per sleep."""
    place.put(place.proc, mirror("disk-b-dead"))
    place.put(place.state, f"{OPTIMIZED}\n")
    place.put(place.root / "uptime", "0.00 0.00\n")
    place.put(place.root / "votes", votes("converged"))
    place.tool("corosync-quorumtool", f"cat {place.root}/votes")
    place.tool("stonith_admin", f'echo "$*" >> {place.root}/shots')
    place.tool("logger", ":")
    place.tool(
        "sleep",
        f"""
printf x >> {place.root}/slept
read -r up _ < {place.root}/uptime; echo "$((${{up%.*}} + 1)).00 0" > {place.root}/uptime
[ ! -e {place.root}/then ] || . {place.root}/then""",
    )
    return place


def shots(place: Place) -> list[str]:
    file = place.root / "shots"
    return file.read_text().splitlines() if file.exists() else []


def later(place: Place, sleeps: int, text: str) -> None:
    """After so many sleeps, do what ``text`` says."""
    place.put(place.root / "then", f'[ "$(wc -c < {place.root}/slept)" -lt {sleeps} ] || {text}\n')


def fence(place: Place) -> int:
    return place.run(HANDLER, DRBD_PEERS="disk-b", DRBD_RESOURCE="data", DRBD_MINOR="0")[0]


SHOT = "--reboot disk-b --tolerance 15s --tag drbd"


def test_the_open_side_shoots_after_its_grace(lost: Place) -> None:
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (int(GRACE_S), [SHOT])


@pytest.mark.parametrize("state", [f"{STANDBY}\n", None], ids=["standby", "no target"])
def test_the_other_side_holds_its_fire(lost: Place, state: str | None) -> None:
    if state is None:
        lost.state.unlink()
    else:
        lost.put(lost.state, state)
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (TIMINGS.fence_hold_s, [SHOT])


def test_nobody_waits_for_a_peer_that_corosync_has_lost(lost: Place) -> None:
    lost.put(lost.root / "votes", votes("disk-b-dead"))
    lost.put(lost.state, f"{STANDBY}\n")
    assert fence(lost) == DEAD
    assert (lost.counted(), shots(lost)) == (0, [SHOT])


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


def test_only_a_confirmed_kill_is_a_death(lost: Place) -> None:
    lost.tool("stonith_admin", f'echo "$*" >> {lost.root}/shots; '
              f'[ "$(wc -l < {lost.root}/shots)" -ge 5 ]')  # fmt: skip
    assert fence(lost) == DEAD
    assert [shot.split()[0] for shot in shots(lost)] == [
        *("--reboot", "--history") * 2, "--reboot",
    ]  # fmt: skip


def human_word(lost: Place, when: str) -> None:
    """What stonith_admin --confirm leaves in the history, fenced_remote.c; reboots fail."""
    event = (
        '<fence_event action=\\"off\\" target=\\"disk-b\\" client=\\"stonith_admin.9\\" '
        'origin=\\"disk-a\\" status=\\"success\\" delegate=\\"a human\\" '
        'completed=\\"$said\\"/>'
    )
    said = f"said=$(date -u -d '{when}' '+%Y-%m-%d %H:%M:%SZ')"
    lost.tool("stonith_admin", f'{said}; echo "$*" >> {lost.root}/shots\n'
              f'[ "$1" = --history ] && echo "{event}"')  # fmt: skip


def test_a_persons_word_since_the_loss_is_a_confirmed_kill(lost: Place) -> None:
    human_word(lost, "now")
    assert fence(lost) == DEAD
    assert [shot.split()[0] for shot in shots(lost)] == ["--reboot", "--history"]


def test_a_persons_word_of_an_earlier_loss_is_none(lost: Place) -> None:
    human_word(lost, "1 hour ago")
    lost.put(lost.root / "good", mirror("converged"))
    later(lost, 20, f"cp {lost.root}/good {lost.proc}")
    assert fence(lost) == NO_DEATH


def test_a_freeze_that_somebody_ended_is_no_death(lost: Place) -> None:
    lost.put(lost.root / "good", mirror("disk-b-dead").replace(" C s", " C r"))
    later(lost, 2, f"cp {lost.root}/good {lost.proc}")
    assert fence(lost) == NO_DEATH
    assert shots(lost) == []


def test_a_side_that_is_to_be_promoted_and_may_be_behind_is_not(lost: Place) -> None:
    text = mirror("disk-b-dead").replace(" C s", " C r").replace("ds:UpToDate", "ds:Consistent")
    lost.put(lost.proc, text)
    assert (fence(lost), lost.counted(), shots(lost)) == (NO_DEATH, 0, [])
