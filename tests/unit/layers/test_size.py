"""Sizes of devices: what drbdmeta noted, where metadata lies, what is never offered for wiping."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.probe import Output
from sanglier.layers.backing.facts import BackingFacts, Device, DeviceKind
from sanglier.layers.backing.size import FORGET, usable, with_sizes

from .alter import with_device, with_side
from .firing import OCFS2
from .goal import GOAL, VOLUME
from .recordings import facts_of
from .simulate import applying

MIB = 1 << 20
PATH = "/dev/mapper/disk"
MIRROR = 1048472 * 512
"""What /sys/block/drbd0/size said above a device of 512 MiB."""
# As the lab said it, a device of 512 MiB that had grown by 64 MiB while its side was detached.
GROWN = """last 536870912 9736C3045E9E058F /dev/mapper/disk
super 00 00 00 00 00 0f ff 98 fa 9e 38 fc c2 29 97 c6 \
00 00 00 00 00 00 00 00 83 bd 23 b9 07 30 e2 b7 \
83 bc 23 b9 07 30 e2 b7 97 36 c3 04 5e 9e 05 8f \
00 00 00 00 00 00 00 00 00 00 00 11 83 74 02 6c
"""


def sized(text: str, size: int = 576 * MIB, path: str = PATH) -> Device:
    device = Device(kind=DeviceKind.BLOCK, size=size, signatures=(OCFS2,), users=("x",))
    return with_sizes(device, path, Output(status=0, text=text))


def summaries(facts: object, goal: object = GOAL) -> list[str]:
    return [step.summary for step in applying(goal, facts).steps]  # type: ignore[arg-type]


def test_internal_metadata_takes_what_the_kernel_leaves() -> None:
    assert usable(512 * MIB) == MIRROR
    assert usable(0) == 0


def test_metadata_where_a_device_ended_is_found() -> None:
    found = sized(f"filed\n{GROWN}")
    assert (found.was, found.displaced, found.ours) == (512 * MIB, True, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("74 02 6c", "74 02 6a"),
        ("9736C3", "9736C4"),
        ("super", "supper"),
        ("536870912", "603979776"),
    ],
)
def test_what_is_not_the_noted_metadata_is_not_taken_for_it(old: str, new: str) -> None:
    assert not sized(GROWN.replace(old, new)).displaced


def test_the_note_of_another_device_says_nothing_of_the_size_of_this_one() -> None:
    assert sized(GROWN, path="/dev/ubdc").was == 0
    assert sized(f"filed\n{GROWN}", path="/dev/disk/by-id/x").was == 512 * MIB


def test_a_device_that_the_mirror_has_open_is_ours_by_any_name() -> None:
    found = sized("mirror 536817664\nheld\n", path="/dev/disk/by-id/x")
    assert (found.ours, found.users, found.signatures, found.mirror) == (True, (), (), MIRROR)


def test_a_probe_that_said_nothing_of_sizes_changes_nothing() -> None:
    device = facts_of("converged").of("disk-a", BackingFacts).devices["data"]
    assert with_sizes(device, PATH, None) == device


def test_a_device_that_grew_is_neither_wiped_nor_given_metadata() -> None:
    facts = with_device(
        facts_of("node-in-standby"), "disk-b", was=512 * MIB, displaced=True, signatures=(OCFS2,)
    )
    facts = with_side(facts, "disk-b", metadata=False)
    assert summaries(facts) == []
    (told,) = [p for p in applying(GOAL, facts).problems if p.code == "SG-DISK-011"]
    assert str(512 * MIB) in told.what


def test_two_devices_that_grew_are_not_two_new_ones() -> None:
    """Nothing runs anywhere and neither seems to have metadata: no first sync is skipped."""
    facts = facts_of("converged")
    for host in VOLUME.devices:
        facts = with_device(facts, host, was=512 * MIB, displaced=True, ours=True)
        facts = with_side(facts, host, up=False, metadata=False, connection="", disk="")
    assert not any("skip" in text or "metadata" in text or "bring up" in text
                   for text in summaries(facts))  # fmt: skip


@pytest.mark.parametrize("code", ["SG-DISK-012", "SG-DISK-013"])
def test_what_is_ours_is_not_offered_for_wiping_and_goes_with_a_consent_only(code: str) -> None:
    was = 2048 * MIB if code == "SG-DISK-012" else 0
    facts = with_device(
        facts_of("node-in-standby"), "disk-b", was=was, ours=True, signatures=(OCFS2,)
    )
    facts = with_side(facts, "disk-b", metadata=False)
    plan = applying(GOAL, facts)
    assert code in {p.code for p in plan.blockers}
    assert plan.missing_consents == ()
    assert not any("metadata" in step.summary for step in plan.steps)
    allowed = replace(GOAL, consents=frozenset({"wipe:disk-b/mapper/disk"}))
    assert applying(allowed, facts).blockers == ()
    assert "wipe /dev/mapper/disk" in summaries(facts, allowed)


def test_old_metadata_in_the_middle_does_not_pass_once_the_end_is_cut_off() -> None:
    """Grown, started, cut back: where it ended first the superblock of then still lies."""
    facts = with_device(
        facts_of("node-in-standby"), "disk-b", was=576 * MIB, size=512 * MIB, ours=True,
        signatures=(OCFS2, "drbd"),
    )  # fmt: skip
    assert "SG-DISK-012" in {p.code for p in applying(GOAL, facts).blockers}


def test_a_device_smaller_than_the_mirror_is_refused_whatever_is_consented() -> None:
    facts = with_device(facts_of("node-in-standby"), "disk-a", mirror=MIRROR)
    facts = with_device(facts, "disk-b", size=512 * MIB - 4096, signatures=(), nonzero=False)
    allowed = replace(GOAL, consents=frozenset({"wipe:disk-b/mapper/disk"}))
    (blocker,) = applying(allowed, facts).blockers
    assert blocker.code == "SG-DISK-012"
    assert str(512 * MIB - 4096) in blocker.what
    assert str(MIRROR) in blocker.what


def test_a_wipe_of_a_device_that_grew_destroys_the_metadata_in_its_middle(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.write_bytes(b"x" * 65536)
    (tmp_path / "blockdev").write_text("#!/bin/sh\n")
    (tmp_path / "blockdev").chmod(0o755)
    subprocess.run(
        ["sh", "-ec", f"_f() {{\n{FORGET}\n}}\n_f {disk} 32768"], check=True, timeout=20,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )  # fmt: skip
    now = disk.read_bytes()
    assert now == b"x" * 28672 + bytes(4096) + b"x" * 32768
