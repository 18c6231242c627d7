"""The mirror, from what real kernels printed; differing blocks are derived from parsed sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.drill.checkers.mirror import Side, check_mirror, parse_side
from sanglier.drill.result import Verdict

from .recorded import FIXTURES


def _side(case: str, host: str) -> Side | None:
    path = FIXTURES / "cases" / case / host / "drbd" / "state.txt"
    return parse_side(path.read_text(), 0)


def _sides(case: str) -> dict[str, Side | None]:
    return {host: _side(case, host) for host in ("disk-a", "disk-b")}


def test_a_side_is_read() -> None:
    assert _side("drbd-split-brain", "disk-a") == Side(
        connection="StandAlone", disk="UpToDate", peer_disk="Outdated", out_of_sync_kib=4
    )


def test_two_sides_that_were_verified_and_do_not_differ_are_valid() -> None:
    assert check_mirror("data", _sides("converged"), verified=True).verdict is Verdict.VALID


def test_without_a_finished_verify_nothing_is_known() -> None:
    assert check_mirror("data", _sides("converged"), verified=False).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("verified", [True, False])
def test_one_block_out_of_sync_is_found(verified: bool) -> None:
    sides = _sides("converged")
    good = sides["disk-a"]
    assert good
    check = check_mirror(
        "data", {**sides, "disk-a": replace(good, out_of_sync_kib=4)}, verified=verified
    )
    assert check.verdict is Verdict.INVALID
    assert check.numbers["out_of_sync_kib"] == 4


@pytest.mark.parametrize(
    "case", ["drbd-split-brain", "drbd-sync-target", "drbd-detached", "drbd-outdated"]
)
def test_sides_that_are_not_settled_are_unknown(case: str) -> None:
    assert check_mirror("data", _sides(case), verified=True).verdict is Verdict.UNKNOWN


def test_a_side_that_is_not_there_is_unknown() -> None:
    sides = {**_sides("converged"), "disk-b": _side("disk-b-rebooted", "disk-b")}
    check = check_mirror("data", sides, verified=True)
    assert check.verdict is Verdict.UNKNOWN
    assert "disk-b: not there" in check.details
    assert parse_side("", 0) is None
    assert check_mirror("data", {}, verified=True).verdict is Verdict.UNKNOWN


def test_another_device_is_not_taken_for_it() -> None:
    text = (FIXTURES / "cases" / "converged" / "disk-a" / "drbd" / "state.txt").read_text()
    assert parse_side(text, 1) is None
