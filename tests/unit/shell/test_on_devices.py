"""What writes to devices: each guard with a case that refuses, in which nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from layers.goal import GOAL, VOLUME

from sanglier.layers.backing.steps import REUSE, WIPE
from sanglier.layers.drbd.begin import CREATE, SKIP
from sanglier.layers.drbd.moves import PROMOTE, WAIT
from sanglier.layers.ocfs2.desired import mkfs_arguments
from sanglier.layers.ocfs2.moves import MAKE

from .host import MIB, SIZE, Host

NOT_BLANK = [0, 5 * MIB, 16 * MIB - 8, -MIB, -8]
"""Places at which eight bytes make a device not blank."""
EMPTY = (
    "\t5               16   1    2  .\n"
    "\t5               16   2    2  ..\n"
    "\t10771           3864 10   2  lost+found\n"
)
"""What debugfs.ocfs2 1.8.7 lists of what mkfs.ocfs2 has just made."""


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    host.takes_devices()
    host.noting("mkfs.ocfs2", "drbdadm")
    lists(host, EMPTY)
    host.tool("sync", ":")
    host.put("/proc/drbd", "")
    return host


def lists(host: Host, listing: str) -> None:
    host.put("/listing", listing)
    host.tool("debugfs.ocfs2", f"cat {host.place}/listing")


def make(host: Host, how: str) -> tuple[int, str]:
    words = [w.replace(VOLUME.map_device, str(host.device))
             for w in mkfs_arguments(GOAL.cluster, VOLUME)]  # fmt: skip
    return host.run(MAKE, str(host.device), f"{host.place}/var/mkfs", how, *words)


def test_a_filesystem_is_made_on_a_blank_volume_and_its_marker_goes(host: Host) -> None:
    status, told = make(host, "blank")
    assert status == 0, told
    (made,) = host.calls("mkfs.ocfs2")
    assert made.startswith("mkfs.ocfs2 --force -L")
    assert made.endswith(str(host.device))
    assert not (host.place / "var/mkfs").exists()


@pytest.mark.parametrize("at", NOT_BLANK)
def test_no_filesystem_is_made_where_anything_is(host: Host, at: int) -> None:
    host.write(at)
    status, told = make(host, "blank")
    assert (status, host.calls("mkfs.ocfs2")) == (1, [])
    assert "is not blank any more; nothing was written" in told


def test_with_its_consent_it_is_made_over_what_is_there(host: Host) -> None:
    host.write(0)
    assert make(host, "over")[0] == 0
    assert host.calls("mkfs.ocfs2")


@pytest.mark.parametrize("how", ["blank", "cut", "over"])
def test_no_filesystem_is_made_on_what_is_in_use(host: Host, how: str) -> None:
    host.tool("perl", "echo it is in use; exit 1")
    assert make(host, how) == (1, "it is in use\n")
    assert host.calls("mkfs.ocfs2") == []


def test_one_that_was_cut_is_made_again_where_it_holds_nothing(host: Host) -> None:
    host.write(0)
    assert make(host, "cut")[0] == 0
    host.tool("debugfs.ocfs2", "echo Bad magic number in superblock >&2")
    assert make(host, "cut")[0] == 0
    assert len(host.calls("mkfs.ocfs2")) == 2


@pytest.mark.parametrize("name", ["invoices", "a file", ".hidden", "lost+found of old", ""])
def test_one_that_was_cut_is_not_made_again_over_files(host: Host, name: str) -> None:
    lists(host, f"{EMPTY}\t10772           20   {len(name):<4} 1  {name}\n")
    status, told = make(host, "cut")
    assert (status, host.calls("mkfs.ocfs2")) == (1, [])
    assert "holds files; it is not made again" in told


def test_a_making_that_fails_leaves_its_marker(host: Host) -> None:
    host.noting("mkfs.ocfs2", then="exit 1")
    assert make(host, "blank")[0] == 1
    assert (host.place / "var/mkfs").exists()


def create(host: Host, how: str) -> tuple[int, str]:
    marks = (f"{host.place}/var/begun", how, f"{host.place}/var/blank")
    return host.run(CREATE, "data", str(host.device), *marks)


@pytest.mark.parametrize("at", NOT_BLANK)
def test_no_metadata_is_made_where_anything_is(host: Host, at: int) -> None:
    host.write(at)
    status, told = create(host, "new")
    assert (status, host.calls("drbdadm")) == (1, [])
    assert "is not blank any more; nothing was written" in told
    assert not (host.place / "var/begun").exists()


def test_metadata_is_made_on_a_blank_device_or_where_it_was_begun(host: Host) -> None:
    assert create(host, "new")[0] == 0
    host.write(-8)
    assert create(host, "resume")[0] == 0
    assert host.calls("drbdadm") == ["drbdadm create-md data", "drbdadm create-md --force data"]


NEW = " 0: cs:Connected ro:Secondary/Secondary ds:Inconsistent/Inconsistent C r-----\n"


@pytest.mark.parametrize(
    "state",
    [
        NEW.replace("Inconsistent/Inconsistent", "UpToDate/Inconsistent"),
        NEW.replace("Inconsistent/Inconsistent", "Inconsistent/UpToDate"),
        NEW.replace("Secondary/Secondary", "Secondary/Primary"),
        NEW.replace("cs:Connected", "cs:StandAlone"),
        NEW.replace(" 0:", " 1:"),
        "",
    ],
)
def test_the_first_sync_is_skipped_on_two_empty_sides_only(host: Host, state: str) -> None:
    host.noting("drbdsetup", then="echo 0000000000000004:0:0:0:0:0:0:0:0:0:0")
    arguments = ("data", "0", f"{host.place}/tree", "new")
    host.put("/proc/drbd", state)
    assert host.run(SKIP, *arguments)[0] == 1
    assert host.calls("drbdadm") == []
    host.put("/proc/drbd", NEW)
    assert host.run(SKIP, *arguments) == (0, "")
    assert host.calls("drbdadm") == ["drbdadm -- --clear-bitmap new-current-uuid data/0"]


GOOD = " 0: cs:Connected ro:Secondary/Primary ds:UpToDate/UpToDate C r-----\n"


def test_a_side_that_is_behind_is_not_promoted(host: Host) -> None:
    host.put("/proc/drbd", GOOD.replace("UpToDate/", "Inconsistent/"))
    status, told = host.run(PROMOTE, "data", "0")
    assert (status, host.calls("drbdadm")) == (1, [])
    assert "is still being brought up to date here" in told


def test_a_side_is_promoted_once_it_is_up_to_date(host: Host) -> None:
    host.put("/proc/drbd", GOOD.replace("UpToDate/", "Outdated/"))
    host.put("/good", GOOD)
    host.step("sleep", ":", 3, f"cat {host.place}/good > {host.place}/proc/drbd")
    assert host.run(PROMOTE, "data", "0") == (0, "")
    assert host.calls() == ["sleep 0.3"] * 4 + ["drbdadm primary data"]


def test_another_volume_s_side_does_not_count(host: Host) -> None:
    host.put("/proc/drbd", GOOD.replace(" 0:", " 10:"))
    assert host.run(PROMOTE, "data", "0")[0] == 1
    assert host.calls("drbdadm") == []


def test_a_promotion_that_is_refused_again_and_again_is_a_failure(host: Host) -> None:
    host.put("/proc/drbd", GOOD)
    host.noting("drbdadm", then="exit 17")
    assert host.run(PROMOTE, "data", "0")[0] == 1
    assert len(host.calls("drbdadm")) == 20


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (GOOD, 0),
        (GOOD.replace("cs:Connected", "cs:SyncTarget"), 0),
        (GOOD.replace("cs:Connected", "cs:StandAlone"), 1),
        (GOOD.replace("cs:Connected", "cs:WFConnection"), 1),
        (GOOD.replace("cs:Connected", "cs:NetworkFailure"), 1),
        ("", 1),
    ],
)
def test_two_sides_are_waited_for_until_they_talk(host: Host, state: str, status: int) -> None:
    host.put("/proc/drbd", state)
    host.tool("dmesg", ":")
    assert host.run(WAIT, "data", "0", "3")[0] == status


def wipe(host: Host) -> tuple[int, str]:
    """Wipe; a file would grow for ever where a device ends, ulimit(1) -f in 512 bytes."""
    return host.run(f"ulimit -f {SIZE // 512}\n{WIPE}", str(host.device), f"{host.place}/var/blank")


def test_a_wipe_takes_both_ends_and_leaves_its_marker(host: Host) -> None:
    for at in NOT_BLANK:
        host.write(at)
    status, told = wipe(host)
    assert status == 0, told
    assert host.is_blank
    assert (host.place / "var/blank").exists()


def test_a_wipe_of_a_device_that_is_in_use_writes_nothing(host: Host) -> None:
    host.write(0)
    host.tool("perl", "echo it is in use; exit 1")
    assert wipe(host) == (1, "it is in use\n")
    assert not host.is_blank
    assert not (host.place / "var/blank").exists()


def test_a_device_that_is_not_blank_after_its_wipe_is_a_failure(host: Host) -> None:
    host.write(-8)
    host.tool("dd", ":")
    status, told = wipe(host)
    assert status == 1
    assert "is still not blank" in told
    assert not (host.place / "var/blank").exists()


@pytest.mark.parametrize(("kind", "status"), [("drbd", 0), ("ext4", 1), ("", 1)])
def test_only_what_drbd_has_written_is_taken_over(host: Host, kind: str, status: int) -> None:
    host.put("/var/blank")
    host.tool("wipefs", f"echo {kind}")
    assert host.run(REUSE, str(host.device), f"{host.place}/var/blank")[0] == status
    assert (host.place / "var/blank").exists() is bool(status)
