"""Mount options in force: OCFS2 flushes nothing without barriers, so no mount is without them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.facts import Facts
from sanglier.core.probe import Output
from sanglier.core.shell import render
from sanglier.core.step import Risk, Step
from sanglier.layers.multipath.facts import MultipathFacts
from sanglier.layers.ocfs2.desired import BARRIER, kernel_options, mount_file, unit_name
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.ocfs2.probe import parse_filesystem
from sanglier.layers.ocfs2.status import status
from sanglier.layers.services import Unit
from sanglier.spec.cluster import Workload

from .alter import altered, with_filesystem
from .goal import GOAL, VOLUME
from .recordings import facts_of
from .simulate import applying, mounted, settle

BY_HAND = "mounted-with-other-options"
IN_FORCE = f"{VOLUME.map_device} {VOLUME.mount} ocfs2 rw,noatime,_netdev,{{}}commit=15 0 0\n"


def mounted_without(*options: str, source: str = VOLUME.map_device) -> Facts:
    facts = facts_of("converged")
    mount = facts.of("srv-a", Ocfs2Facts).mounts[VOLUME.mount]
    less = replace(mount, source=source, options=mount.options - set(options))
    return altered(facts, "srv-a", Ocfs2Facts, mounts={VOLUME.mount: less})


def steps(facts: Facts) -> list[Step]:
    return [step for step in applying(GOAL, facts).steps if step.address.layer == "ocfs2"]


@pytest.mark.parametrize("workload", Workload)
def test_every_profile_mounts_with_barriers_and_none_can_say_otherwise(workload: Workload) -> None:
    volume = replace(VOLUME, workload=workload)
    (line,) = [line for line in mount_file(volume).text.splitlines() if "Options=" in line]
    assert [word for word in line.split("=", 1)[1].split(",") if "barrier" in word] == [BARRIER]


def test_a_mount_without_barriers_is_remounted_and_nothing_else_is_done() -> None:
    (step,) = steps(mounted_without(BARRIER))
    assert step.summary == "remount /data with barrier=1,noatime,commit=15"
    assert step.reason == "it is mounted without barrier=1, so that no fsync is flushed to a disk"
    assert (str(step.address), step.risk) == ("srv-a/ocfs2/data", Risk.SAFE)


def test_any_other_option_that_is_lacking_is_mended_too() -> None:
    (step,) = steps(mounted_without("commit=15"))
    assert step.reason == "it is mounted without commit=15"


def test_a_recorded_mount_with_other_options_is_remounted() -> None:
    (step,) = steps(facts_of(BY_HAND))
    assert step.reason.startswith("it is mounted without barrier=1, noatime, commit=15")


def test_a_remount_converges_and_unmounts_nobody() -> None:
    facts = mounted_without(BARRIER, "noatime")
    assert steps(settle(GOAL, facts, applying)) == []
    assert mounted(settle(GOAL, facts, applying)) == {"srv-a", "srv-b"}


def test_a_mount_made_by_hand_is_remounted_and_comes_back_at_boot() -> None:
    facts = mounted_without(BARRIER)
    units = {**facts.of("srv-a", Ocfs2Facts).units, unit_name(VOLUME.mount): Unit()}
    both = steps(altered(facts, "srv-a", Ocfs2Facts, units=units))
    assert [step.summary.split()[0] for step in both] == ["remount", "mount"]


def test_what_is_not_the_volumes_filesystem_is_not_remounted() -> None:
    assert steps(mounted_without(BARRIER, source="/dev/sdb1")) == []


def test_a_remount_comes_after_the_wait_for_a_path_for_it_would_hang_without() -> None:
    facts = mounted_without(BARRIER)
    (found,) = facts.of("srv-a", MultipathFacts).maps
    dead = tuple(replace(path, checker="faulty") for path in found.paths)
    facts = altered(facts, "srv-a", MultipathFacts, maps=(replace(found, paths=dead),))
    order = [step.address.layer for step in applying(GOAL, facts).steps]
    assert order == ["multipath", "ocfs2"]


def line_of(facts: Facts) -> tuple[bool, str]:
    (line,) = [s for s in status(GOAL, facts) if (s.host, s.subject) == ("srv-a", VOLUME.name)]
    return line.healthy, line.text


def test_status_tells_a_mount_without_barriers_as_not_healthy() -> None:
    told = "/dev/mapper/sanglier-data on /data, read-write"
    assert line_of(facts_of("converged")) == (True, told)
    without = f"{told}, WITHOUT barrier=1: NO FSYNC IS FLUSHED"
    assert line_of(mounted_without(BARRIER)) == (False, without)
    assert line_of(mounted_without("noatime")) == (False, f"{told}, WITHOUT noatime")


def test_status_tells_a_map_that_drops_flushes_and_trusts_what_it_does_not_know() -> None:
    told = "/dev/mapper/sanglier-data on /data, read-write"
    for cache, healthy in (("", True), ("write back", True), ("write through", False)):
        facts = with_filesystem(facts_of("converged"), "srv-a", cache=cache)
        more = "" if healthy else ", ITS MAP DROPS FLUSHES"
        assert line_of(facts) == (healthy, told + more)
        assert steps(facts) == []


def test_the_queues_word_is_read_of_a_mounted_map() -> None:
    text = "device\nreadable\ncache write through\nTYPE=ocfs2\nLABEL=A\n"
    assert parse_filesystem(Output(status=0, text=text)).cache == "write through"


# The scripts themselves, in a folder.


class Place:
    """A host whose mount(8) does what ``after`` says to what it has mounted."""

    def __init__(self, root: Path, before: str, after: str) -> None:
        self.root, self.mounts, self.called = root, root / "mounts", root / "called"
        self.mounts.write_text(before)
        (root / "after").write_text(after)
        self.tool("mount", f'echo "$@" >> {self.called}; cat {root}/after > {self.mounts}')
        self.tool("systemctl", ":")

    def tool(self, name: str, text: str) -> None:
        (self.root / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.root / name).chmod(0o755)

    def run(self, step: Step) -> subprocess.CompletedProcess[str]:
        text = "\n".join(render(action, reveal=True) for action in step.actions)
        text = text.replace("/proc/mounts", str(self.mounts))
        return subprocess.run(
            ["sh", "-ec", text], capture_output=True, text=True, check=False, timeout=30,
            env={"PATH": f"{self.root}:/usr/bin:/bin"},
        )  # fmt: skip

    @property
    def words(self) -> list[str]:
        return self.called.read_text().split() if self.called.exists() else []


@pytest.fixture(name="remount")
def _remount() -> Step:
    (step,) = steps(mounted_without(BARRIER))
    return step


@pytest.fixture(name="mount")
def _mount() -> Step:
    (step,) = steps(altered(facts_of("converged"), "srv-a", Ocfs2Facts, mounts={}))
    return step


WITH = IN_FORCE.format(f"{BARRIER},")
LESS = IN_FORCE.format("")


def test_a_remount_keeps_what_is_in_force_and_asks_no_fstab(tmp_path: Path, remount: Step) -> None:
    place = Place(tmp_path, LESS, WITH)
    assert place.run(remount).returncode == 0
    options = ",".join(("remount", "atime", *kernel_options(VOLUME)))
    assert place.words == ["--options-source", "mtab", "-o", options, VOLUME.mount]


@pytest.mark.parametrize(
    "after",
    [
        LESS,
        WITH.replace(BARRIER, "barrier=10"),
        WITH.replace(f" {VOLUME.mount} ", " /elsewhere "),
        WITH.replace("ocfs2", "ext4"),
        WITH + LESS,
        "",
    ],
    ids=["as before", "another value", "another place", "another kind", "mounted over", "gone"],
)
def test_what_the_kernel_did_not_take_is_a_failure(
    tmp_path: Path, remount: Step, after: str
) -> None:
    done = Place(tmp_path, LESS, after).run(remount)
    assert done.returncode != 0
    assert "not all of barrier=1,noatime,commit=15 is in force on /data" in done.stdout


def test_a_mount_that_fails_is_a_failure(tmp_path: Path, remount: Step) -> None:
    place = Place(tmp_path, WITH, WITH)
    place.tool("mount", "echo nothing of that >&2; exit 32")
    done = place.run(remount)
    assert (done.returncode, done.stderr) == (32, "nothing of that\n")


@pytest.mark.parametrize(("found", "remounted"), [(WITH, False), (LESS, True)])
def test_a_fresh_mount_that_lacks_an_option_is_remounted(
    tmp_path: Path, mount: Step, found: str, *, remounted: bool
) -> None:
    """Where the filesystem is mounted elsewhere too, both share that one's options."""
    place = Place(tmp_path, found, WITH)
    assert place.run(mount).returncode == 0
    assert bool(place.words) is remounted


def test_a_fresh_mount_that_keeps_lacking_it_is_a_failure(tmp_path: Path, mount: Step) -> None:
    assert Place(tmp_path, LESS, LESS).run(mount).returncode != 0
