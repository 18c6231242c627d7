"""The named sets keep the inequalities of the timeout budget, each with the margin intended."""

from __future__ import annotations

import pytest

from sanglier.spec.budget import inequalities, patience_s
from sanglier.spec.cluster import Timings
from sanglier.spec.predict import predict_one
from sanglier.spec.timings import FAST, SAFE, by_name

SETS = pytest.mark.parametrize("timings", [SAFE, FAST], ids=lambda timings: timings.name)
MARGINS = {
    "safe": {
        "I1": 31, "I3": 0.5, "I4": 9, "I5": 12, "I6": 5, "I7": 10, "I8": 28, "I11": 0, "I12": 2,
        "I13": 3, "I14": 3, "I15": 0.6, "I16": 0, "I17": 2, "I18": 6, "I19": 14, "I20": 19,
    },
    "fast": {
        "I1": 8, "I3": 0.5, "I4": 5, "I5": 6, "I6": 5, "I7": 5, "I8": 28, "I11": 0, "I12": 2,
        "I13": 1.84, "I14": 0.44, "I15": 0.04, "I16": 0, "I17": 0, "I18": 0, "I19": 4, "I20": 8,
    },
}  # fmt: skip


@SETS
def test_every_inequality_holds_with_its_margin(timings: Timings) -> None:
    found = inequalities(timings)
    assert [i.code for i in found if not i.holds] == []
    margins = {i.code: i.margin_s for i in found if i.margin_s is not None}
    assert margins == MARGINS[timings.name]


@SETS
def test_polling_lets_a_planned_move_take_two_seconds(timings: Timings) -> None:
    assert predict_one(timings, "planned-move").stall_s == 2


@pytest.mark.parametrize(
    ("timings", "fencing_took", "goal"),
    [(SAFE, 2, 15), (SAFE, 5, 15), (FAST, 2, 8), (FAST, 3, 8)],
)
def test_the_open_servers_death_in_the_lab(timings: Timings, fencing_took: int, goal: int) -> None:
    stall = predict_one(timings, "open-server-dead", fence_s=fencing_took).stall_s
    assert stall is not None
    assert stall <= goal


def test_a_freeze_of_five_seconds_kills_nobody_with_safe() -> None:
    assert patience_s(SAFE) > 5


def test_by_name() -> None:
    assert (by_name("safe"), by_name("fast")) == (SAFE, FAST)
    with pytest.raises(KeyError):
        by_name("slow")
