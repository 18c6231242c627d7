"""What runs before a shared filesystem is mounted, in a real shell on files in a folder.

The looks at the heartbeat region are what ``debugfs.ocfs2 -R hb`` printed in the lab, with other
sequences and generations.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanglier.layers.ocfs2.desired import HEARD_MORE_S, heard_file, heard_service, mount_file

from .goal import GOAL, VOLUME

DEVICE, POINT = VOLUME.map_device, VOLUME.mount
UUID = "4903EEDE921441EB9618D0656A047BA9"
PATIENCE = 4
"""o2cb's dead threshold in these tests, beats."""
HEAD = "\tnode: node              seq       generation checksum deadms"
LIFE, NEXT_LIFE, LEFT = "b1daa6df9d8b1592", "7adb3378c6db15c4", "0" * 16
Look = Mapping[int, tuple[int, str]]
"""Node -> its sequence and generation."""
OWN = (0x6B082A5C, "39b7c985d2c94687")


def written(look: Look) -> str:
    rows = (
        f"\t{node:4}: {node:4} {seq:016x} {generation} 47ab6589 {2000 * PATIENCE}"
        for node, (seq, generation) in sorted(look.items())
    )
    return "\n".join((HEAD, *rows)) + "\n"


def beats(count: int, generation: str = LIFE, first: int = 100) -> list[Look]:
    """So many looks at a server that beats between each of them."""
    return [{0: OWN, 1: (first + n, generation)} for n in range(count)]


def silence(count: int, generation: str = LIFE) -> list[Look]:
    return [{0: OWN, 1: (100, generation)}] * count


@dataclass(frozen=True)
class Host:
    """A host's files and tools, in a folder."""

    root: Path

    def put(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def tool(self, name: str, text: str) -> None:
        self.put(f"bin/{name}", f"#!/bin/sh\necho {name} $* >> {self.root}/calls\n{text}\n")
        (self.root / "bin" / name).chmod(0o755)

    def sees(self, looks: Sequence[Look]) -> None:
        """What each look at the region shows; the last one for ever."""
        for number, look in enumerate(looks):
            self.put(f"look-{number}", written(look))

    def node(self, name: str, number: int, port: int, local: int) -> None:
        for key, value in (("num", number), ("ipv4_port", port), ("local", local)):
            self.put(f"cluster/guiguiabloc/node/{name}/{key}", f"{value}\n")
        self.put(f"cluster/guiguiabloc/node/{name}/ipv4_address", "127.0.0.1\n")

    def run(self, verb: str) -> tuple[int, str]:
        text = heard_file().text
        for real, false in (
            ("/sys/kernel/config/cluster", "cluster"),
            ("/run/sanglier", "run"),
            ("/proc/mounts", "mounts"),
        ):
            assert real in text
            text = text.replace(real, str(self.root / false))
        done = subprocess.run(
            ["sh", "-c", text, "sh", verb, DEVICE, POINT], capture_output=True, text=True,
            timeout=60, check=False,
            env={"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"},
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def calls(self, name: str) -> list[str]:
        """Arguments of every call of a tool."""
        lines = (self.root / "calls").read_text().splitlines() if self.is_used else []
        return [line.partition(" ")[2] for line in lines if line.split()[0] == name]

    @property
    def is_used(self) -> bool:
        return (self.root / "calls").exists()

    @property
    def is_let(self) -> bool:
        """Whether the mount was let begin."""
        return any("--ready" in call for call in self.calls("systemd-notify"))


@pytest.fixture(name="closed_port")
def fixture_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path, closed_port: int) -> Host:
    host = Host(tmp_path)
    host.put("mounts", "proc /proc proc rw 0 0\n")
    host.put("cluster/guiguiabloc/heartbeat/dead_threshold", f"{PATIENCE}\n")
    host.node("srv-a", 0, closed_port, 1)
    host.node("srv-b", 1, closed_port, 0)
    host.tool("sleep", ":")
    line = f"{DEVICE} {POINT} ocfs2 rw 0 0"
    host.tool("systemd-notify", f'[ "$1" != --ready ] || echo "{line}" >> {tmp_path}/mounts')
    host.tool("ocfs2_hb_ctl", f'[ "$1" != -I ] || echo "{UUID}: 1 refs"')
    host.tool(
        "debugfs.ocfs2",
        f"cd {tmp_path}; n=0; [ ! -e looked ] || read -r n < looked; echo $((n + 1)) > looked\n"
        'while [ ! -e "look-$n" ]; do n=$((n - 1)); done; cat "look-$n"',
    )
    return host


@pytest.mark.parametrize(
    "look",
    [{0: OWN}, {0: OWN, 1: (7, LEFT)}, {0: OWN, 9: (7, LIFE)}],
    ids=["alone", "the other has left", "a number of nobody"],
)
def test_where_nobody_else_is_it_is_mounted_at_once(host: Host, look: Look) -> None:
    host.sees([look])
    assert host.run("wait") == (0, "")
    assert (host.is_let, len(host.calls("debugfs.ocfs2"))) == (True, 2)


def test_its_own_heartbeat_begins_first_and_ends_when_the_mount_has_taken_it(host: Host) -> None:
    host.sees([{0: OWN}])
    host.run("wait")
    order = [line.split()[0] for line in (host.root / "calls").read_text().splitlines()]
    assert order.index("ocfs2_hb_ctl") < order.index("systemd-notify")
    assert host.run("release") == (0, "")
    assert host.calls("ocfs2_hb_ctl") == [
        f"-S -d {DEVICE} sanglier", f"-I -d {DEVICE}", f"-K -u {UUID} sanglier",
    ]  # fmt: skip
    host.run("release")
    assert len(host.calls("ocfs2_hb_ctl")) == 3


def test_a_server_that_beats_is_heard(host: Host) -> None:
    """Once between the first two looks, while the kernel watches, and twice after."""
    host.sees(beats(4))
    status, said = host.run("wait")
    assert (status, host.is_let, len(host.calls("debugfs.ocfs2"))) == (0, True, 4)
    assert "srv-b" in said


def test_a_server_whose_storage_stalls_is_waited_for(host: Host) -> None:
    """A mount by itself would be through, and its journal replayed."""
    host.sees([*silence(PATIENCE), *beats(4, first=101)])
    status, said = host.run("wait")
    assert (status, host.is_let) == (0, True)
    assert len(host.calls("debugfs.ocfs2")) == PATIENCE + 3
    assert said.count("waits until it is known whether these have") == 1
    assert f"silent for {2 * PATIENCE} s" in said


def test_one_that_stood_still_for_longer_than_o2cbs_patience_and_answers_nowhere_is_dead(
    host: Host,
) -> None:
    host.sees(silence(1))
    assert host.run("wait")[0] == 0
    looks = len(host.calls("debugfs.ocfs2"))
    assert (host.is_let, looks) == (True, PATIENCE + 3)


def test_one_that_has_more_patience_with_itself_is_given_it(host: Host) -> None:
    """It resets itself after its own threshold, which its block tells in milliseconds."""
    host.sees(silence(1))
    more = written(silence(1)[0]).replace(f" {2000 * PATIENCE}\n", f" {2000 * (PATIENCE + 3)}\n")
    host.put("look-0", more)
    assert host.run("wait")[0] == 0
    assert len(host.calls("debugfs.ocfs2")) == PATIENCE + 3 + 3


def test_one_that_stands_still_and_answers_is_not_dead(host: Host) -> None:
    """Alone with a storage that hangs, a kernel does not reset itself: its port stays open."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        host.node("srv-b", 1, int(listening.getsockname()[1]), 0)
        host.sees(silence(1))
        status, said = host.run("wait")
    assert (status, host.is_let) == (1, False)
    assert "srv-b (silent, but it answers at 127.0.0.1)" in said
    assert "stop o2cb there" in said


def test_another_life_is_listened_to_from_its_beginning(host: Host) -> None:
    looks = [*beats(2), *beats(2, NEXT_LIFE, 500), *silence(1, NEXT_LIFE)]
    host.sees(looks)
    assert host.run("wait")[0] == 0
    assert len(host.calls("debugfs.ocfs2")) == len(looks) + PATIENCE + 2


def test_silence_counts_anew_after_every_beat(host: Host) -> None:
    host.sees([*silence(PATIENCE), *beats(2, first=101)])
    host.run("wait")
    assert len(host.calls("debugfs.ocfs2")) == PATIENCE + 2 + PATIENCE + 2


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda host: host.tool("debugfs.ocfs2", "echo no such device >&2; exit 1"), "no such"),
        (lambda host: host.tool("debugfs.ocfs2", f"echo '{HEAD}'"), "own heartbeat is not"),
        (lambda host: host.tool("ocfs2_hb_ctl", "exit 1"), "heartbeat does not start"),
        (lambda host: host.put("cluster/guiguiabloc/heartbeat/dead_threshold", ""), "not online"),
        (lambda host: host.put("cluster/guiguiabloc/node/srv-a/local", "0\n"), "which node"),
        (lambda host: host.put("cluster/guiguiabloc/node/srv-b/num", "x\n"), "has no number"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_mounted(host: Host, break_it: object, words: str) -> None:
    assert callable(break_it)
    host.sees([{0: OWN}])
    break_it(host)
    status, said = host.run("wait")
    assert (status, host.is_let) == (1, False)
    assert f"{DEVICE} is not mounted: " in said
    assert words in said


def test_a_heartbeat_that_did_not_begin_is_not_ended(host: Host) -> None:
    """It would be the one of a mount that somebody made by hand."""
    host.sees([{0: OWN}])
    host.tool("ocfs2_hb_ctl", "exit 1")
    host.run("wait")
    host.run("release")
    assert not any("-K" in call for call in host.calls("ocfs2_hb_ctl"))


def test_what_is_mounted_is_left_alone(host: Host) -> None:
    host.put("mounts", f"{DEVICE} {POINT} ocfs2 rw 0 0\n")
    assert host.run("wait") == (0, "")
    assert (host.is_let, host.calls("ocfs2_hb_ctl")) == (True, [])


def test_the_mount_waits_for_it_and_it_waits_for_the_map() -> None:
    service, mount = heard_service(VOLUME), mount_file(VOLUME)
    name = service.path.rsplit("/", 1)[-1]
    assert name == "sanglier-heard-data.service"
    for line in ("Requires=", "After="):
        assert any(name in li for li in mount.text.splitlines() if li.startswith(line))
        of_service = [li for li in service.text.splitlines() if li.startswith(line)]
        assert "dev-mapper-sanglier\\x2ddata.device" in of_service[0]
    assert service in (heard_service(v) for v in GOAL.cluster.volumes)


def extensions(host: Host) -> list[int]:
    """Seconds by which the program had the unit's limit extended, each time."""
    words = [word for call in host.calls("systemd-notify") for word in call.split()]
    name = "EXTEND_TIMEOUT_USEC="
    return [int(w.removeprefix(name)) // 1_000_000 for w in words if w.startswith(name)]


def test_the_units_limit_is_extended_by_the_patience_in_force(host: Host) -> None:
    host.sees([*silence(PATIENCE + 4)])
    host.run("wait")
    assert extensions(host) == [2 * PATIENCE + HEARD_MORE_S]


def test_the_units_limit_is_extended_by_the_longer_patience_of_another(host: Host) -> None:
    looks = [*silence(3 * PATIENCE + 4)]
    host.sees(looks)
    for number in range(len(looks)):
        text = written(looks[number]).replace(f" {2000 * PATIENCE}", f" {6000 * PATIENCE}")
        host.put(f"look-{number}", text)
    host.run("wait")
    assert extensions(host) == [6 * PATIENCE + HEARD_MORE_S]


def test_the_units_own_limit_is_what_the_program_adds() -> None:
    assert f"TimeoutStartSec={HEARD_MORE_S}\n" in heard_service(VOLUME).text
    assert f"MORE_S={HEARD_MORE_S} " in heard_file().text
