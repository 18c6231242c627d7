from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanglier.core.errors import SanglierError
from sanglier.drill import schedule
from sanglier.drill.catalogue import DRILLS
from sanglier.drill.faults import FAULTS
from sanglier.spec.budget import declared_dead_s
from sanglier.spec.cluster import Timings
from sanglier.spec.predict import FAULTS as PREDICTED
from sanglier.spec.timings import FAST, SAFE


def test_a_word_is_read_back_as_it_was_written() -> None:
    text = "replication-cut+20&application-killed:1+10"
    assert schedule.word(schedule.parse(text)) == text


LAB, NO_LAB = (schedule.Means(power=power, fence_s=20) for power in (True, False))


def test_a_fault_alone_has_its_own_time() -> None:
    (item,) = schedule.parse("open-killed")
    assert item.hold_s == FAULTS["open-killed"].hold_s


@pytest.mark.parametrize("text", ["", "no-such-fault", "open-killed+", "open-killed&", "a b", "+5"])
def test_what_is_no_word_is_refused_with_the_names(text: str) -> None:
    with pytest.raises(SanglierError) as caught:
        schedule.parse(text)
    assert caught.value.code == "SG-DRILL-001"
    assert "open-killed" in caught.value.fix


@given(seed=st.integers(0, 10**6), rounds=st.integers(1, 5), size=st.integers(1, 6))
def test_a_seed_gives_the_same_schedules_and_they_can_be_replayed(
    seed: int, rounds: int, size: int
) -> None:
    drawn = schedule.draw(seed, rounds, size, LAB)
    assert drawn == schedule.draw(seed, rounds, size, LAB)
    assert [len(one) for one in drawn] == [size] * rounds
    for group in (group for one in drawn for group in one):
        assert schedule.parse(schedule.word(group)) == group


def test_different_seeds_draw_differently() -> None:
    assert schedule.draw(1, 3, 5, LAB) != schedule.draw(2, 3, 5, LAB)


def test_without_power_no_fault_needs_it() -> None:
    drawn = schedule.draw(7, 20, 5, NO_LAB)
    assert not [i for one in drawn for group in one for i in group if i.fault.needs_power]


def test_switches_are_not_slower_than_the_file_gives_them() -> None:
    fast = schedule.Means(power=True, fence_s=8)
    drawn = schedule.draw(3, 60, 6, fast)
    names = {item.fault.name for one in drawn for group in one for item in group}
    assert "open-killed" in names
    assert names & {"switch-slow", "switch-late", "link-cut-switches-slow"} == set()


def test_clocks_are_stopped_only_where_they_can_be() -> None:
    fault = FAULTS["application-paused-beyond"]
    assert not LAB.make(fault)
    assert replace(LAB, pauses=True).make(fault)


def test_random_schedules_draw_every_plain_fault() -> None:
    drawn = schedule.draw(3, 60, 6, LAB)
    names = {item.fault.name for one in drawn for group in one for item in group}
    assert names == {fault.name for fault in FAULTS.values() if fault.plain}


def test_what_is_refused_while_something_is_wrong_is_drawn_alone() -> None:
    pairs = [g for one in schedule.draw(5, 80, 6, LAB) for g in one if len(g) > 1]
    assert len(pairs) > 20
    assert not [item for group in pairs for item in group if item.fault.alone]


def test_each_two_hosts_die_together_in_one_drill_and_all_of_them_in_another() -> None:
    pairs = {tuple(item.choice for item in group) for group in DRILLS["each-pair"].groups}
    assert pairs == {(a, b) for a in range(5) for b in range(a + 1, 5)}
    orders = [sorted(g, key=lambda item: item.hold_s) for g in DRILLS["blackouts"].groups]
    assert len({tuple(item.choice for item in order) for order in orders}) == 3
    assert all({item.choice for item in order} == set(range(5)) for order in orders)


def test_every_fault_has_a_drill_and_a_prediction_that_exists() -> None:
    assert set(FAULTS) <= set(DRILLS)
    assert {fault.prediction for fault in FAULTS.values()} - {""} <= set(PREDICTED)


@pytest.mark.parametrize("timings", [SAFE, FAST], ids=["safe", "fast"])
def test_what_is_frozen_beyond_o2cb_s_patience_is_so_with_every_set(timings: Timings) -> None:
    for name in ("application-frozen-beyond", "application-paused-beyond"):
        assert FAULTS[name].hold_s > declared_dead_s(timings) + 20


def test_who_may_be_fenced_is_bounded_wherever_somebody_may() -> None:
    assert all(fault.at_most >= 1 for fault in FAULTS.values() if fault.fences)
