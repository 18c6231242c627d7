"""How labs come and go: apart from each other, mended by `up`, gone after `down`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import daemon, life, lock, process
from sanglier.lab.command import run
from sanglier.lab.control import Lab
from sanglier.lab.place import Place, place
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

pytestmark = pytest.mark.lab

MakeLab = Callable[..., Lab]


def traces(where: Place) -> list[str]:
    """List what is left of a lab on this machine."""
    files = (where.state, where.data, where.lock, where.namespace_file)
    left = [str(path) for path in files if path.exists()]
    left += [line for line in Path("/proc/mounts").read_text().splitlines() if where.name in line]
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes()
        except OSError:
            continue
        if str(where.state).encode() + b"/" in words:
            left.append(words.decode(errors="replace"))
    return left


def test_second_up_heals_a_dead_host_and_a_missing_tap(small_lab: MakeLab) -> None:
    first = small_lab()
    first.kill("witness")
    run(("ip", "-n", first.place.namespace, "link", "delete", "witness.0"))
    again = life.up(first.place.name, Wish())
    assert again.run("witness", "hostname").stdout == "witness\n"


def test_second_up_refuses_another_shape(small_lab: MakeLab) -> None:
    first = small_lab()
    with pytest.raises(SanglierError, match="SG-LAB-006"):
        life.up(first.place.name, Wish(disk_bytes=1 << 31))


def test_down_leaves_nothing_after_the_kernels_were_killed(small_lab: MakeLab) -> None:
    there = small_lab()
    leader = daemon.leader(there.place, "witness")
    assert leader is not None
    os.kill(leader.pid, signal.SIGKILL)
    assert life.down(there.place.name)
    assert traces(there.place) == []
    assert not life.down(there.place.name)
    assert traces(there.place) == []


@pytest.mark.parametrize("seconds", [0.4, 0.8, 2.0])
def test_down_leaves_nothing_after_up_was_killed(seconds: float) -> None:
    where = place(f"t-k{int(seconds * 10)}")
    argv = (sys.executable, "-m", "sanglier.cli.main", "lab", "up", "--name", where.name)
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as started:
        time.sleep(seconds)
        started.kill()
    life.down(where.name)
    assert traces(where) == []


def test_down_without_records_ends_what_lives_in_the_namespace(small_lab: MakeLab) -> None:
    there = small_lab()
    there.place.process("witness").unlink()
    there.place.record.unlink()
    life.down(there.place.name)
    assert traces(there.place) == []


def test_second_up_at_once_says_who_is_at_it() -> None:
    where = place("t-busy")
    with lock.whole(where.lock, "lab up"), pytest.raises(SanglierError) as refused:
        life.up("t-busy", Wish())
    assert refused.value.code == "SG-LAB-005"
    assert f"process {os.getpid()}" in str(refused.value)
    life.down("t-busy")


def test_a_bare_host_installs_from_the_lab_s_own_mirror(small_lab: MakeLab) -> None:
    bare = small_lab(wish=Wish(kind=Kind.BARE, only=("witness",)))
    assert bare.run("witness", "sh", "-c", "command -v ethtool").returncode != 0
    install = "apt-get update && apt-get install -y ethtool && ethtool --version"
    done = bare.run("witness", "sh", "-c", install, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "ethtool version" in done.stdout


def test_the_console_works_without_a_network(small_lab: MakeLab) -> None:
    there = small_lab()
    there.cut("witness", "management")
    there.place.keyboard("witness").write_text("echo $((6*7)) and $HOSTNAME\n")
    log = there.place.console("witness")
    assert _eventually(lambda: "42 and witness" in log.read_text(errors="replace"))


def test_killing_one_host_ends_only_its_own_processes(small_lab: MakeLab) -> None:
    there = small_lab("witness", "srv-a")
    kept = daemon.session(there.place, "srv-a")
    there.kill("witness")
    assert process.same(kept[0])
    assert there.run("srv-a", "true").returncode == 0


def _eventually(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.2)
    return False
