"""What a lab was asked to be, and what a second `up` may ask for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import record
from sanglier.lab.place import Place
from sanglier.lab.recipe import RELEASE, Kind
from sanglier.lab.record import Record, Wish

FIRST = Record(image="full-1", kind=Kind.FULL, applications=2, disk_bytes=1 << 30, release=RELEASE)


def test_a_new_lab_has_the_defaults() -> None:
    assert record.first(Wish(), "full-1") == FIRST


def test_a_second_up_without_wishes_keeps_the_lab() -> None:
    odd = replace(FIRST, applications=5, only=("disk-a",))
    assert record.again("lab", odd, Wish()) == odd


def test_a_lab_may_get_more_application_servers_and_boot_more_hosts() -> None:
    grown = record.again("lab", replace(FIRST, only=("disk-a",)), Wish(applications=3, only=()))
    assert grown == replace(FIRST, applications=3)
    assert grown.wants("srv-c")


@pytest.mark.parametrize(
    "wish",
    [
        Wish(applications=1),
        Wish(kind=Kind.BARE),
        Wish(disk_bytes=2 << 30),
        Wish(disks=2),
        Wish(driver="qemu"),
    ],
)
def test_a_lab_does_not_change_its_shape(wish: Wish) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-006"):
        record.again("lab", FIRST, wish)


@pytest.mark.parametrize(
    ("text", "size"), [("1G", 1 << 30), ("512M", 512 << 20), ("2GiB", 2 << 30)]
)
def test_sizes_are_binary(text: str, size: int) -> None:
    assert record.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "1", "0G", "-1G", "1.5G", "1G;", "1 G", "9999999G"])
def test_a_bad_size_is_refused(text: str) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-004"):
        record.parse_size(text)


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    place = Place(name="lab", state=tmp_path, data=tmp_path)
    assert record.load(place) is None
    odd = replace(FIRST, kind=Kind.BARE, only=("disk-a", "witness"))
    record.save(place, odd)
    assert record.load(place) == odd


def test_a_record_that_knows_no_back_end_is_of_user_mode_linux(tmp_path: Path) -> None:
    place = Place(name="lab", state=tmp_path, data=tmp_path)
    record.save(place, FIRST)
    old = json.loads(place.record.read_text())
    del old["driver"]
    place.record.write_text(json.dumps(old))
    found = record.load(place)
    assert found is not None and found.driver == "uml"


def test_a_lab_of_another_back_end_says_which_in_the_refusal() -> None:
    made = record.first(Wish(driver="qemu"), "full-1")
    assert made.driver == "qemu" and record.again("lab", made, Wish()) == made
    with pytest.raises(SanglierError, match="other back end: qemu, not uml"):
        record.again("lab", made, Wish(driver="uml"))
