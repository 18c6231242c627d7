"""Each inequality of the budget fires where it should, and stock values fail the first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.spec.budget import (
    Kind,
    dead_peer_s,
    fenced_s,
    hung_s,
    inequalities,
    knocked_out_s,
    membership_s,
    on_s,
    self_fence_s,
    silent_s,
    totem_s,
    turns,
    with_turns,
)
from sanglier.spec.cluster import Timings
from sanglier.spec.timings import SAFE

from .stock import STOCK

PAGE = Path(__file__).parents[3] / "docs/explanation/timeouts.md"


def failing(timings: Timings) -> set[str]:
    return {i.code for i in inequalities(timings) if not i.holds}


def test_stock_values_come_to_what_is_known_of_them() -> None:
    assert self_fence_s(STOCK) == 60
    assert (silent_s(STOCK), hung_s(STOCK)) == (17, 112)
    assert (fenced_s(STOCK), knocked_out_s(STOCK)) == (82.5, 104)


def test_stock_values_let_servers_reset_themselves_under_a_hung_disk() -> None:
    first = inequalities(STOCK)[0]
    assert (first.code, first.kind, first.holds) == ("I1", Kind.HARD, False)
    assert (first.left_s, first.right_s, first.margin_s) == (124, 60, -64)
    assert failing(STOCK) >= {"I1", "I4", "I6", "I16", "I20"}


@pytest.mark.parametrize(
    ("sizes", "count"),
    [((), 1), ((1,), 1), ((1, 1), 2), ((2,), 3), ((3,), 4), ((1, 2), 4), ((0,), 1)],
)
def test_a_level_of_several_devices_is_off_of_each_and_on(
    sizes: tuple[int, ...], count: int
) -> None:
    assert turns(sizes) == count


@pytest.mark.parametrize("devices", [2, 3, 9])
def test_all_that_switch_on_share_one_turn(devices: int) -> None:
    assert devices * on_s(SAFE, devices) <= SAFE.fence_s
    assert on_s(replace(SAFE, fence_s=1), devices) == 1


def test_two_levels_of_fencing_outlast_the_hold_of_one() -> None:
    """Seen on 2026-11-26: 2 x 20 s against a hold of 33 s (A5)."""
    assert "I12" in failing(replace(SAFE, fence_turns=2))
    assert "I12" not in failing(with_turns(SAFE, 2))


BROKEN = {
    "I1": replace(SAFE, o2cb_threshold=45),
    "I3": replace(SAFE, drbd_timeout_ds=30),
    "I4": replace(SAFE, fence_s=29, fence_hold_s=41),
    "I5": replace(SAFE, noop_timeout_s=17),
    "I6": replace(SAFE, checker_timeout_s=20),
    "I7": replace(SAFE, abort_timeout_s=20),
    "I8": replace(SAFE, o2cb_keepalive_ms=30000),
    "I11": replace(SAFE, corosync_consensus_ms=3599),
    "I12": replace(SAFE, fence_hold_s=28),
    "I13": replace(SAFE, qdevice_sync_timeout_ms=7000),
    "I14": replace(SAFE, qdevice_timeout_ms=1249),
    "I15": replace(SAFE, qdevice_timeout_ms=5501),
    "I16": replace(SAFE, drbd_ping_timeout_ds=29),
    "I17": replace(SAFE, corosync_token_ms=999),
    "I18": replace(SAFE, noop_interval_s=1, noop_timeout_s=1, recovery_s=4),
    "I19": replace(SAFE, polling_s=15),
    "I20": replace(SAFE, o2cb_threshold=51),
}


@pytest.mark.parametrize("code", BROKEN)
def test_each_inequality_fires_alone(code: str) -> None:
    expected = {"I1": {"I1", "I20"}, "I17": {"I15", "I17"}}.get(code, {code})
    assert failing(replace(BROKEN[code])) == expected


def test_every_inequality_with_numbers_has_a_firing_case() -> None:
    numbered = {i.code for i in inequalities(SAFE) if i.margin_s is not None}
    assert numbered == set(BROKEN)


def test_codes_are_unique_and_in_order() -> None:
    codes = [i.code for i in inequalities(SAFE)]
    assert codes == [f"I{number}" for number in range(1, len(codes) + 1)]


def test_a_slow_witness_decides_how_long_the_survivor_waits() -> None:
    slow = replace(SAFE, qdevice_timeout_ms=10000)
    assert (totem_s(slow), dead_peer_s(slow)) == (6.6, 12)
    assert membership_s(slow) == 12
    assert membership_s(SAFE) == totem_s(SAFE)


def test_every_inequality_is_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for found in inequalities(SAFE):
        assert found.why
        assert f"| {found.code} |" in page, found.code
