"""Whose data counts after a crash of both storage servers: the record, and what is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sanglier.layers.cluster.desired import AFTER_CRASH, BEFORE_PACEMAKER, files_of
from sanglier.layers.target.desired import OPTIMIZED

from .goal import GOAL, VOLUME
from .test_agents import (
    AGENTS,
    FAILED,
    NOT_RUNNING,
    OPEN,
    A,
    Place,
    fixture_place,
    mirror,
    opened,
    until,
)

__all__ = ["fixture_place"]
PROGRAM = next(f.text for f in files_of(GOAL, A) if f.path == AFTER_CRASH)
NAME = f"sanglier-open-{VOLUME.name}"
# What drbdmeta(8) 9.22 said in the lab of a Primary that was killed.
GI = "587D2B5146E59041:322563DA2F2B0CDD:0000000000000000:0000000000000000:1:1:1:0:0:1:0"
WITHDRAWN = "587D2B5146E59041:322563DA2F2B0CDD:0000000000000000:0000000000000000:1:1:0:0:0:1:0"


def record(place: Place) -> Path:
    return place.root / "records" / VOLUME.name


def says(place: Place, *values: tuple[str, str]) -> None:
    """What attrd_updater(8) answers to a query for all servers; else it notes its words."""
    lines = "".join(f'name="{NAME}" host="{host}" value="{value}"\n' for host, value in values)
    place.put(place.root / "attributes", lines)
    place.tool("attrd_updater", (
        'case "$OCF_RESKEY_CRM_meta_on_node,$*" in ?*,*" -A "*) exit 0 ;; esac\n'  # as 2.1.5 does
        f"case $* in *' -A '*) cat {place.root}/attributes ;;\n"
        f"*) printf '%s\\n' \"$*\" >> {place.root}/told ;; esac"
    ))  # fmt: skip


def told(place: Place) -> list[str]:
    file = place.root / "told"
    return file.read_text().splitlines() if file.exists() else []


def look_where_stopped(place: Place) -> int:
    there = {"OCF_RESKEY_CRM_meta_role": "Stopped", "OCF_RESKEY_CRM_meta_on_node": "disk-a"}
    return place.run(AGENTS["side"], "monitor", **there)[0]


def test_a_side_is_recorded_as_open_before_it_opens_and_not_as_shut_when_it_shuts(
    place: Place,
) -> None:
    place.tool("sync", (
        f"echo $(cat {place.state}) $* >> {place.root}/synced; exec /bin/sync $*"
    ))  # fmt: skip
    assert place.run(AGENTS["side"], "start")[0] == OPEN
    assert record(place).read_text() == "open\n"
    synced = (place.root / "synced").read_text().splitlines()
    assert synced[0] == f"2 {place.root}/drbd0", "the mirror is flushed before anything else"
    assert all(line.startswith("2 ") for line in synced), "it was shut all the while"
    assert place.run(AGENTS["side"], "stop")[0] == OPEN
    assert record(place).read_text() == "open\n"


def test_a_side_whose_mirror_cannot_be_flushed_does_not_open(place: Place) -> None:
    record(place).parent.mkdir()
    record(place).write_text("shut\n")
    (place.root / "drbd0").unlink()
    status, words = place.run(AGENTS["side"], "start")
    assert status == FAILED
    assert "cannot be recorded" in words
    assert place.state.read_text().strip() != OPTIMIZED
    assert record(place).read_text() == "shut\n"


def test_on_a_full_disk_the_record_goes_and_the_side_opens(place: Place) -> None:
    record(place).parent.mkdir()
    record(place).write_text("shut\n")
    (record(place).with_name("data.new")).mkdir()  # nothing can be written there
    assert place.run(AGENTS["side"], "start")[0] == OPEN
    assert not record(place).exists()


def test_the_open_side_says_so_now_and_then(place: Place) -> None:
    opened(place)
    place.tool("dd", "exit 0")
    says(place)
    for up in ("100.00", "130.00", "161.00"):
        place.put(place.root / "uptime", f"{up} 1.00\n")
        assert place.run(AGENTS["side"], "monitor")[0] == OPEN
    assert told(place) == [f"-n {NAME} -U open -p"] * 2
    assert record(place).read_text() == "open\n"


def test_the_word_comes_and_goes_with_the_side(place: Place) -> None:
    says(place)
    assert place.run(AGENTS["side"], "start")[0] == OPEN
    until(lambda: told(place) == [f"-n {NAME} -U open -p"])
    assert place.run(AGENTS["side"], "stop")[0] == OPEN
    until(lambda: told(place)[1:] == [f"-n {NAME} -D"])


@pytest.mark.parametrize("before", ["open", None])
def test_a_shut_side_concedes_to_one_that_says_that_it_is_open(
    place: Place, before: str | None
) -> None:
    if before:
        place.put(record(place), f"{before}\n")
    says(place, ("disk-b", "open"))
    assert look_where_stopped(place) == NOT_RUNNING
    assert record(place).read_text() == "shut\n"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (mirror("converged"), ()),
        (mirror("converged"), (("disk-a", "open"),)),
        (mirror("converged"), (("disk-b", "shut"),)),
        (mirror("drbd-sync-target"), (("disk-b", "open"),)),
        (mirror("converged").replace("UpToDate/UpToDate", "UpToDate/DUnknown"),
         (("disk-b", "open"),)),
        (mirror("converged").replace("cs:Connected", "cs:WFConnection"), (("disk-b", "open"),)),
        (mirror("converged").replace("C r-----", "C s-----"), (("disk-b", "open"),)),
    ],
)  # fmt: skip
def test_it_does_not_while_the_mirror_is_not_whole_or_nobody_says_so(
    place: Place, text: str, values: tuple[tuple[str, str], ...]
) -> None:
    place.put(place.proc, text)
    place.put(record(place), "open\n")
    says(place, *values)
    assert look_where_stopped(place) == NOT_RUNNING
    assert record(place).read_text() == "open\n"


def test_where_it_is_not_called_stopped_nothing_is_conceded(place: Place) -> None:
    """A probe, or a look that was due before a start."""
    place.put(record(place), "open\n")
    says(place, ("disk-b", "open"))
    assert place.run(AGENTS["side"], "monitor")[0] == NOT_RUNNING
    assert record(place).read_text() == "open\n"


@pytest.fixture(name="crashed")
def fixture_crashed(place: Place) -> Iterator[Place]:
    """A server at its boot: DRBD is not loaded, its metadata says that it was Primary."""
    place.proc.unlink()
    place.tool("logger", f'echo "$*" >> {place.root}/logged')
    place.tool("drbdadm", "case $1 in sh-minor) echo 0 ;; sh-ll-dev) echo /dev/mapper/disk ;; esac")
    place.put(place.root / "gi", f"{GI}\n")
    place.tool("drbdmeta", (
        f'echo "$*" >> {place.root}/asked\n'
        f"case $6 in get-gi) cat {place.root}/gi ;; set-gi) echo $7 > {place.root}/gi ;; esac"
    ))  # fmt: skip
    yield place


def asked(place: Place) -> list[str]:
    file = place.root / "asked"
    return file.read_text().splitlines() if file.exists() else []


def test_a_server_whose_side_was_shut_withdraws_that_it_was_primary(crashed: Place) -> None:
    crashed.put(record(crashed), "shut\n")
    assert crashed.run(PROGRAM)[0] == 0
    assert (crashed.root / "gi").read_text() == f"{WITHDRAWN}\n"
    ours = "--force 0 v08 /dev/mapper/disk internal"
    assert asked(crashed) == [
        f"{ours} get-gi", f"{ours} apply-al", f"{ours} set-gi {WITHDRAWN}", f"{ours} get-gi",
    ]  # fmt: skip
    assert "the data of the other server counts" in (crashed.root / "logged").read_text()


@pytest.mark.parametrize("word", ["open", "", "shut?", None])
def test_with_any_other_record_nothing_is_withdrawn(crashed: Place, word: str | None) -> None:
    if word is not None:
        crashed.put(record(crashed), f"{word}\n")
    assert crashed.run(PROGRAM)[0] == 0
    assert asked(crashed) == []


def test_one_that_was_no_primary_is_left_alone(crashed: Place) -> None:
    crashed.put(record(crashed), "shut\n")
    crashed.put(crashed.root / "gi", f"{WITHDRAWN}\n")
    assert crashed.run(PROGRAM)[0] == 0
    assert [line.split()[-1] for line in asked(crashed)] == ["get-gi"]


def test_a_mirror_that_runs_is_left_alone(crashed: Place) -> None:
    crashed.put(record(crashed), "shut\n")
    crashed.put(crashed.proc, mirror("converged"))
    assert crashed.run(PROGRAM)[0] == 0
    assert asked(crashed) == []


@pytest.mark.parametrize("answer", ["", "exit 20", "echo garbage"])
def test_metadata_that_cannot_be_read_is_not_written(crashed: Place, answer: str) -> None:
    crashed.put(record(crashed), "shut\n")
    crashed.tool("drbdmeta", f'echo "$*" >> {crashed.root}/asked\n{answer}')
    assert crashed.run(PROGRAM)[0] == 0
    assert [line.split()[-1] for line in asked(crashed)] == ["get-gi"]
    assert "cannot be read" in (crashed.root / "logged").read_text()


def test_a_write_that_does_not_take_is_told(crashed: Place) -> None:
    crashed.put(record(crashed), "shut\n")
    crashed.tool("drbdmeta", f"case $6 in get-gi) cat {crashed.root}/gi ;; esac")
    assert crashed.run(PROGRAM)[0] == 0
    assert "cannot be written" in (crashed.root / "logged").read_text()


def test_pacemaker_starts_also_where_the_program_fails_and_not_before_it_has_ended() -> None:
    unit = next(f.text for f in files_of(GOAL, A) if f.path == BEFORE_PACEMAKER)
    assert f"ExecStartPre=-/usr/bin/timeout 20 /bin/sh {AFTER_CRASH}\n" in unit
