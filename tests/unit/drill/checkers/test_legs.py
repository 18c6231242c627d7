"""Legs that differ in one byte are found, by digests of real files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sanglier.drill.checkers.legs import check_legs, in_use
from sanglier.drill.result import Verdict


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_one_byte_is_enough(tmp_path: Path) -> None:
    legs = {host: tmp_path / host for host in ("disk-a", "disk-b")}
    for path in legs.values():
        path.write_bytes(bytes(8192))
    digests = {host: _digest(path) for host, path in legs.items()}
    assert check_legs("data", digests).verdict is Verdict.VALID
    with legs["disk-b"].open("r+b") as file:
        file.seek(4097)
        file.write(b"\x01")
    check = check_legs("data", {**digests, "disk-b": _digest(legs["disk-b"])})
    assert (check.verdict, check.summary) == (Verdict.INVALID, "disk-a and disk-b differ")


def test_a_leg_that_could_not_be_read_is_unknown() -> None:
    assert check_legs("data", {"disk-a": "1", "disk-b": None}).verdict is Verdict.UNKNOWN
    assert check_legs("data", {"disk-a": "1"}).verdict is Verdict.UNKNOWN
    assert check_legs("data", {}).verdict is Verdict.UNKNOWN


def test_what_is_still_mounted_is_not_judged() -> None:
    checks = in_use("data", ["srv-b"])
    assert {check.name for check in checks} == {"fsck", "legs"}
    assert {check.verdict for check in checks} == {Verdict.UNKNOWN}
    assert all("still mounted on srv-b" in check.summary for check in checks)
