"""What drills run on hosts: evidence that is there, and evidence that is not."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from drill.load import takes_o_direct

from sanglier.drill import article, inspect, recorder, settle
from sanglier.drill.faults import (
    changes,
    clocks,
    daemons,
    insides,
    networks,
    planted,
    restarts,
    sides,
)

from .host import Host

GOOD = " 0: cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate C r-----\n"
TABLE = "0 204800 linear 8:16 0"


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path) -> Host:
    host = Host(tmp_path, places="etc|sys|proc|var|run")
    host.noting("dmsetup", "drbdadm", "systemctl", "sleep", "tc", "modprobe", "multipathd", "date")
    host.tool("timeout", 'shift; exec "$@"')
    host.tool("dmesg", f"cat {tmp_path}/kernel 2>/dev/null || :")
    host.put("/proc/drbd", GOOD)
    host.put("/proc/mounts", "/dev/mapper/sanglier-data /data ocfs2 rw,noatime 0 0\n")
    host.put("/run/other")
    return host


def status(host: Host, text: str, *words: str) -> int:
    return host.plain(text, *words)[0]


def test_what_was_large_in_earlier_drills_is_removed_and_nothing_else(host: Host) -> None:
    base = host.place / "data/.sanglier-drill"
    for path in ("old/1/retired/srv-a/0", "old/1/appends/srv-a", "old/2/retired/srv-a/0"):
        (base / path).parent.mkdir(parents=True, exist_ok=True)
        (base / path).touch()
    (host.place / "data/other/1/retired").mkdir(parents=True)
    assert status(host, recorder.PREPARE, f"{base}/new/1", "retired") == 0
    left = {str(path.relative_to(base)) for path in base.glob("*/*/*")}
    assert left == {"old/1/appends"}
    assert (base / "new/1").is_dir()
    assert status(host, recorder.PREPARE, f"{host.place}/data/other/2", "retired") == 0
    assert (host.place / "data/other/1/retired").is_dir()


# Whole again.


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (GOOD, 0),
        (GOOD.replace("C r-----", "C s---d-"), 1),
        (GOOD.replace("Primary/Primary", "Primary/Secondary"), 1),
        (GOOD.replace("UpToDate/UpToDate", "UpToDate/Inconsistent"), 1),
        (GOOD.replace(" 0:", " 1:"), 1),
    ],
)
def test_a_mirror_is_whole_when_both_sides_are_and_not_frozen(
    host: Host, state: str, wanted: int
) -> None:
    host.put("/proc/drbd", state)
    assert status(host, settle.MIRROR, "0") == wanted


def running(*resources: str) -> str:
    """A crm_resource that locates these; the first word twice is twice there."""
    cases = "".join(
        f'    *" {r} "*) echo "{r} is running on: x" ;;\n' for r in dict.fromkeys(resources)
    )
    return f'case " $* " in\n{cases}    *wait*) ;;\n    *) echo none ;;\nesac'


@pytest.mark.parametrize(
    ("tool", "wanted"),
    [
        (running("data-open", "fence-a", "fence-b"), 0),
        (running("data-open", "fence-a"), 1),
        (running("fence-a", "fence-b"), 1),
        ('echo "x is running on: a"; echo "x is running on: b"', 1),
        ('case "$*" in *--wait*) exit 124 ;; esac; echo "x is running on: a"', 1),
    ],
    ids=["all run", "a device does not", "no side is open", "two are", "something is left to do"],
)
def test_the_cluster_has_decided_when_each_runs_once(host: Host, tool: str, wanted: int) -> None:
    host.tool("crm_resource", tool)
    assert status(host, settle.DECIDED, "data-open", "fence-a fence-b") == wanted


@pytest.mark.parametrize(
    ("mounts", "paths", "wanted"),
    [
        ("x /data ocfs2 rw,noatime 0 0\n", "w ready\nw ghost", 0),
        ("x /data ocfs2 ro,noatime 0 0\n", "w ready\nw ghost", 1),
        ("x /data ext4 rw 0 0\n", "w ready\nw ghost", 1),
        ("x /data ocfs2 rw,noatime 0 0\n", "w ready\nw faulty", 1),
        ("x /data ocfs2 rw,noatime 0 0\n", "w ready\nv ready", 1),
    ],
)
def test_a_mount_is_whole_with_all_its_paths(
    host: Host, mounts: str, paths: str, wanted: int
) -> None:
    host.put("/proc/mounts", mounts)
    host.tool("multipathd", f"echo '{paths}'")
    assert status(host, settle.MOUNTED, "/data", "w", "2") == wanted


# The look at the end.


@pytest.mark.parametrize("done", [True, False])
def test_a_verify_counts_when_it_was_seen_to_end(host: Host, *, done: bool) -> None:
    host.put("/kernel", "[   61.22] block drbd0: Online verify done\n")
    later = "[  361.22] block drbd0: Online verify done"
    host.noting("drbdadm", then=f"echo '{later}' >> {host.place}/kernel" if done else ":")
    assert host.plain(inspect.VERIFY, "data", "0", "3") == (0, "verified\n" if done else "")


def test_a_verify_counts_also_where_the_kernel_has_forgotten_the_one_before(host: Host) -> None:
    host.put("/kernel", "[   61.22] block drbd0: Online verify done\n")
    later = "[  361.22] block drbd0: Online verify done"
    host.noting("drbdadm", then=f"echo '{later}' > {host.place}/kernel")
    assert host.plain(inspect.VERIFY, "data", "0", "3") == (0, "verified\n")


def test_a_verify_that_goes_on_and_on_does_not(host: Host) -> None:
    host.put("/proc/drbd", GOOD.replace("cs:Connected", "cs:VerifyS"))
    assert status(host, inspect.VERIFY, "data", "0", "3") == 1
    host.noting("drbdadm", then="exit 11")
    assert status(host, inspect.VERIFY, "data", "0", "3") == 1


def test_what_is_still_mounted_is_not_unmounted(host: Host) -> None:
    host.tool("systemd-escape", "echo data.mount")
    assert status(host, inspect.UNMOUNT, "/data") == 1
    host.put("/proc/mounts", "")
    assert status(host, inspect.UNMOUNT, "/data") == 0


def test_fsck_s_own_status_is_told(host: Host) -> None:
    host.tool("fsck.ocfs2", "echo bad; exit 8")
    assert host.plain(inspect.FSCK, "/dev/x") == (0, "bad\nstatus 8\n")


# Faults inside a host.


def dm(host: Host, table: str = TABLE, state: str = "ACTIVE") -> None:
    host.noting(
        "dmsetup",
        then=f'case "$1 $2" in "info -c") echo disk ;; info*) echo "State: {state}" ;;\n'
        f'    table*) echo "{table}" ;; "load disk") cat > {host.place}/loaded ;; esac',
    )


def test_a_disk_is_broken_only_where_that_can_be_mended(host: Host) -> None:
    host.noting("dmsetup", then="exit 1")
    assert status(host, insides.BREAK, "/dev/x") == 1
    dm(host)
    assert status(host, insides.BREAK, "/dev/x") == 0
    assert (host.place / "run/sanglier/drill-disk").read_text() == f"{TABLE}\n"
    assert (host.place / "loaded").read_text() == "0 204800 error\n"
    assert status(host, insides.MEND, "/dev/x") == 0
    assert (host.place / "loaded").read_text() == f"{TABLE}\n"
    count = len(host.calls("dmsetup"))
    assert status(host, insides.MEND, "/dev/x") == 0
    assert host.calls("dmsetup")[count:] == ["dmsetup info -c --noheadings -o name /dev/x"]


TWO = "0 1000 linear 8:16 0\n1000 200 linear 8:32 4096"


def test_writes_hang_on_every_segment_and_reads_work(host: Host) -> None:
    dm(host, TWO)
    assert status(host, insides.DELAY, "/dev/x") == 0
    assert (host.place / "loaded").read_text() == (
        "0 1000 delay 8:16 0 0 8:16 0 3600000\n1000 200 delay 8:32 4096 0 8:32 4096 3600000\n"
    )
    dm(host, "0 1000 delay 8:16 0 0 8:16 0 3600000")
    assert status(host, insides.DELAYED, "/dev/x") == 0
    assert status(host, insides.MEND, "/dev/x") == 0
    assert (host.place / "loaded").read_text() == f"{TWO}\n"
    dm(host, TWO)
    assert status(host, insides.DELAYED, "/dev/x") == 1


def test_every_segment_of_a_disk_is_broken(host: Host) -> None:
    dm(host, TWO)
    assert status(host, insides.BREAK, "/dev/x") == 0
    assert (host.place / "loaded").read_text() == "0 1000 error\n1000 200 error\n"


def test_a_disk_that_is_not_made_of_linear_segments_is_left_alone(host: Host) -> None:
    dm(host, "0 1000 crypt aes 0 8:16 0")
    assert status(host, insides.DELAY, "/dev/x") == 1
    assert not (host.place / "run/sanglier/drill-disk").exists()
    assert not (host.place / "loaded").exists()


def test_a_broken_and_a_hanging_disk_are_seen(host: Host) -> None:
    for table, state, broken, hangs in (
        ("0 204800 error", "ACTIVE", 0, 1), (TABLE, "SUSPENDED", 1, 0), (TABLE, "ACTIVE", 1, 1),
    ):  # fmt: skip
        dm(host, table, state)
        assert status(host, insides.BROKEN, "/dev/x") == broken
        assert status(host, insides.HANGS, "/dev/x") == hangs


def test_a_disk_is_made_to_hang_and_to_go_on_by_its_mapper_s_name(host: Host) -> None:
    host.noting("dmsetup", then="exit 1")
    for text in (insides.HANG, insides.GO_ON):
        assert host.plain(text, "/dev/x") == (1, "/dev/x is no device-mapper device\n")
    dm(host)
    assert status(host, insides.HANG, "/dev/x") == status(host, insides.GO_ON, "/dev/x") == 0
    assert host.calls("dmsetup")[-3::2] == [
        "dmsetup suspend --noflush --nolockfs disk", "dmsetup resume disk",
    ]  # fmt: skip


def test_a_lock_that_is_held_is_refused(host: Host) -> None:
    lock = f"{host.place}/lock"
    assert host.plain(article.TRY, lock) == (0, "taken\n")
    with (host.place / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert host.plain(article.TRY, lock) == (0, "refused\n")


@pytest.mark.parametrize(("disk", "attached"), [("Diskless", True), ("UpToDate", False)])
def test_only_what_is_detached_is_attached(host: Host, disk: str, *, attached: bool) -> None:
    host.put("/proc/drbd", GOOD.replace("ds:UpToDate/", f"ds:{disk}/"))
    assert status(host, insides.ATTACH, "data") == 0
    assert bool(host.calls("drbdadm")) is attached


def test_a_daemon_that_does_not_run_is_not_killed_and_one_that_lives_is_seen(host: Host) -> None:
    host.tool("pidof", "exit 1")
    assert status(host, daemons.TAKE, "iscsid", "KILL") == 1
    host.put("/run/sanglier-drill-iscsid", "17 18\n")
    host.put("/proc/18/exe")
    assert host.plain(daemons.OTHER, "iscsid") == (1, "18 lives\n")
    host.put("/run/sanglier-drill-iscsid", "17\n")
    assert status(host, daemons.OTHER, "iscsid") == 0


def sleeper(host: Host, name: str) -> subprocess.Popen[bytes]:
    """A process of a script of that name, which waits in a process of its own."""
    host.tool(name, "echo begun; sleep 60 & wait")
    process = subprocess.Popen([str(host.place / "bin" / name), "monitor"], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    return process


def test_a_daemon_is_stopped_seen_to_be_and_goes_on(host: Host) -> None:
    host = replace(host, places="run")
    host.tool("pidof", "exit 1")
    assert status(host, daemons.TAKE, "x", "STOP") == 1
    assert status(host, daemons.STOPPED, "x") == 2
    assert status(host, daemons.GO_ON, "x") == 0
    with sleeper(host, "x") as process:
        host.tool("pidof", f"echo {process.pid}")
        assert status(host, daemons.TAKE, "x", "STOP") == 0
        assert status(host, daemons.STOPPED, "x") == 0
        os.kill(process.pid, signal.SIGCONT)
        assert host.plain(daemons.STOPPED, "x") == (1, f"{process.pid} goes on\n")
        assert status(host, daemons.TAKE, "x", "STOP") == status(host, daemons.GO_ON, "x") == 0
        host.put("/run/sanglier-drill-x", f"{process.pid}\n")
        assert status(host, daemons.STOPPED, "x") == 1
        process.kill()
    assert host.plain(daemons.STOPPED, "x") == (1, f"{process.pid} is gone\n")


def test_an_agent_is_caught_by_the_end_of_its_command_line_and_no_other(host: Host) -> None:
    host = replace(host, places="run")
    host.put("/run/other")
    assert status(host, daemons.CATCH, "/bin/x monitor", "STOP", "0", "agent") == 1
    with sleeper(host, "x") as process:
        assert status(host, daemons.CATCH, "/bin/x monit", "STOP", "1", "agent") == 1
        assert status(host, daemons.CATCH, "/bin/x monitor", "STOP", "5", "agent") == 0
        assert (host.place / "run/sanglier-drill-agent").read_text() == f"{process.pid}\n"
        assert status(host, daemons.STOPPED, "agent") == 0
        assert status(host, daemons.CATCH, "/bin/x monitor", "KILL", "5", "agent") == 0
    assert status(host, daemons.OTHER, "agent") == 0


def test_a_unit_was_restarted_when_its_invocation_is_another(host: Host) -> None:
    assert status(host, restarts.ANEW) == 2
    host.tool("systemctl", 'case $1 in show) echo "first" ;; restart) exit 1 ;; esac')
    words = host.plain(restarts.RESTART, "a.service", "b.service")
    assert words == (0, "not all of them came up\n")
    assert host.plain(restarts.ANEW) == (1, "a.service was not restarted\n")
    host.tool("systemctl", "echo second")
    assert status(host, restarts.ANEW) == 0


@pytest.mark.parametrize(("free", "wanted"), [(2047, 0), (4096, 1)])
def test_a_full_filesystem_is_seen(host: Host, free: int, wanted: int) -> None:
    host.tool("df", f"printf 'Avail\\n{free}\\n'")
    assert status(host, insides.FULL, "/data") == wanted


# Sides, networks, clocks.


@pytest.mark.parametrize(("state", "opened"), [("0\n", 0), ("2\n", 1), (None, 1)])
def test_an_open_side_is_open_and_no_other(host: Host, state: str | None, opened: int) -> None:
    path = f"{host.place}/alua"
    if state is not None:
        host.put("/alua", state)
    assert status(host, changes.OPEN, path) == (opened if state else 2)
    assert status(host, changes.SHUT, path) == 1 - opened


def test_a_side_that_cannot_be_opened_by_hand_is_told(host: Host) -> None:
    assert status(host, sides.OPEN, f"{host.place}/none/alua") != 0


def test_an_interface_is_shaped_only_where_its_address_is(host: Host) -> None:
    host.tool("ip", "echo '2: vec1    inet 10.0.0.1/24 scope global vec1'")
    assert status(host, networks.SHAPE, "10.0.0.1", "0", "loss", "100%") == 0
    assert "tc qdisc replace dev vec1 root netem loss 100%" in host.calls("tc")
    host.tool("tc", "echo qdisc netem 8001: root")
    assert status(host, networks.SHAPED, "10.0.0.1") == 0
    host.tool("tc", "echo qdisc pfifo_fast 0: root")
    assert status(host, networks.SHAPED, "10.0.0.1") == 1
    host.tool("ip", ":")
    assert host.plain(networks.SHAPE, "10.0.0.9", "0", "loss", "100%") == (
        1, "no interface has 10.0.0.9\n",
    )  # fmt: skip


def test_a_clock_is_set_right_by_the_time_that_has_passed_and_once(host: Host) -> None:
    host.put("/proc/uptime", "100.00 0.00\n")
    host.tool("date", 'case "$1" in -s) ;; *) echo 1700000000000000000 ;; esac')
    assert status(host, clocks.STEP, "+1 hour") == 0
    host.put("/proc/uptime", "130.50 0.00\n")
    host.noting("date")
    assert status(host, clocks.BACK) == 0
    assert host.calls("date") == ["date -s @1700000030.500000"]
    assert status(host, clocks.BACK) == 0
    assert len(host.calls("date")) == 1


@pytest.mark.parametrize(("moves", "wanted"), [(True, 0), (False, 1)])
def test_a_clock_is_seen_to_be_stepped(host: Host, *, moves: bool, wanted: int) -> None:
    host.put("/proc/uptime", "100.00 0.00\n")
    host.put("/clock", "1700000000\n")
    step = f'echo "${{2#@}}" > {host.place}/clock' if moves else ":"
    host.tool("date", f"case $1 in -s) {step} ;; *N) echo 1 ;; *) cat {host.place}/clock ;; esac")
    assert status(host, clocks.JUMPS, "5", "-3600") == wanted
    assert (host.place / "run/sanglier-drill-clock").read_text() == "1 10000\n"
    assert int((host.place / "clock").read_text()) == 1700000000 + (5 - 3600) * moves


def test_a_target_that_is_still_there_was_not_cleared(host: Host) -> None:
    host.put("/data/alua/sanglier/alua_access_state", "0\n")
    path = f"{host.place}/data/alua/sanglier/alua_access_state"
    host.tool("targetctl", ":")
    assert status(host, sides.CLEAR, path) == 1
    host.tool("targetctl", f"rm -r {host.place}/data")
    assert status(host, sides.CLEAR, path) == 0


# What is planted.


def test_an_old_block_is_put_back_only_over_the_very_one_that_was_looked_for(host: Host) -> None:
    host.blank_device()
    if not takes_o_direct(host.place):
        pytest.skip("the filesystem of the temporary directory has no O_DIRECT")
    record, device = "srv-a 3 0", str(host.device)
    kept = f"{record} 2 ".ljust(127, ".").encode() + b"\n"
    host.write(7 * 4096, kept * 32)
    assert status(host, planted.LIES, device, "7", record, "1") == 1
    assert status(host, planted.PUT, device, "6", record, "2", "1") == 1
    assert status(host, planted.PUT, device, "7", "srv-b 3 0", "2", "1") == 1
    assert host.device.read_bytes()[7 * 4096 : 8 * 4096] == kept * 32
    assert status(host, planted.PUT, device, "7", record, "2", "1") == 0
    assert status(host, planted.LIES, device, "7", record, "1") == 0
    found = host.device.read_bytes()
    assert found[7 * 4096 : 8 * 4096] == kept.replace(b"0 2 .", b"0 1 .") * 32
    assert not any(found[: 7 * 4096] + found[8 * 4096 :])
