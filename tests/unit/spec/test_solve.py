"""Any wish that can be kept is kept; any other is refused with the inequality that fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanglier.core.errors import SanglierError
from sanglier.spec.budget import GRACE_S, inequalities, longer_hold_s, with_turns
from sanglier.spec.cluster import Timings
from sanglier.spec.predict import predict_one
from sanglier.spec.solve import CEILING_S, default_fence_s, least_stall_s, solve
from sanglier.spec.timings import FAST, SAFE

fencings = st.integers(1, 55)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[int, int]:
    """Draw a stall and a time of fencing that go together."""
    fence = draw(fencings)
    return draw(st.integers(least_stall_s(fence), CEILING_S)), fence


@given(wishes())
def test_a_wish_that_can_be_kept_is_kept(wish: tuple[int, int]) -> None:
    stall, fence = wish
    timings = solve(stall, fence)
    assert [i.code for i in inequalities(timings) if not i.holds] == []
    predicted = predict_one(timings, "open-server-dead").stall_s
    assert predicted is not None
    assert predicted <= stall
    assert timings.fence_s == fence
    assert timings == solve(stall, fence)


@st.composite
def wishes_with_turns(draw: st.DrawFn) -> tuple[int, int, int]:
    """Draw a stall, a time of fencing and levels of it that go together."""
    levels = draw(st.integers(2, 9))
    fence = draw(st.integers(1, 55 // levels))
    return draw(st.integers(least_stall_s(levels * fence), CEILING_S)), fence, levels


@given(wishes_with_turns())
def test_a_wish_is_kept_with_all_levels_of_fencing(wish: tuple[int, int, int]) -> None:
    stall, fence, levels = wish
    timings = solve(stall, fence, levels)
    assert [i.code for i in inequalities(timings) if not i.holds] == []
    predicted = predict_one(timings, "open-server-dead").stall_s
    assert predicted is not None
    assert predicted <= stall
    assert (timings.fence_s, timings.fence_turns) == (fence, levels)


@given(st.integers(8, CEILING_S), st.integers(1, 2))
def test_levels_share_what_is_there_for_fencing(stall: int, levels: int) -> None:
    assert solve(stall, turns=levels).fence_s <= default_fence_s(stall)


@given(st.sampled_from((SAFE, FAST)), st.integers(1, 9))
def test_who_holds_its_fire_outlasts_every_level_of_the_others_shot(
    named: Timings, levels: int
) -> None:
    """And the higher node id, where no side is open, outlasts the lower one's hold and shot."""
    timings = with_turns(named, levels)
    others_shot = levels * named.fence_s
    late = 2 * timings.drbd_ping_int_s
    assert timings.fence_hold_s > late + GRACE_S + others_shot
    assert longer_hold_s(timings) > timings.fence_hold_s + others_shot
    assert "I12" not in [i.code for i in inequalities(timings) if not i.holds]


@given(fencings, st.integers(1, 100))
def test_any_other_wish_is_refused(fence: int, short: int) -> None:
    least = least_stall_s(fence)
    with pytest.raises(SanglierError) as caught:
        solve(max(1, least - short), fence)
    error = caught.value
    assert error.code == "SG-SPEC-090"
    assert "I17 fails" in error.what or "I18 fails" in error.what
    assert f"{least} s is the least" in error.fix


@given(fencings)
def test_the_least_stall_is_the_least(fence: int) -> None:
    """``fast`` has no margin left in I17 and I18; even so one second less is too much."""
    stall = predict_one(FAST, "open-server-dead", fence_s=fence).stall_s
    assert stall is not None
    assert least_stall_s(fence) - 1 < stall <= least_stall_s(fence)


@given(wishes())
def test_a_longer_stall_never_buys_less_patience(wish: tuple[int, int]) -> None:
    stall, fence = wish
    more = solve(min(stall + 1, CEILING_S), fence)
    assert more.corosync_token_ms >= solve(stall, fence).corosync_token_ms


@given(st.integers(8, CEILING_S))
def test_without_a_word_about_fencing_every_stall_from_8_seconds_is_possible(stall: int) -> None:
    assert solve(stall) == solve(stall, default_fence_s(stall))


def test_fencing_is_given_half_of_what_is_to_be_shared() -> None:
    assert [default_fence_s(stall) for stall in (8, 20, 44, 60)] == [2, 8, 20, 20]


@pytest.mark.parametrize(
    ("stall", "fence", "what", "fix"),
    [
        (
            20, 18, "I17 fails: 1 <= token, and nothing would be left for the token",
            "23 s is the least; write `stall: 23s` or more, or use fence devices that take at "
            "most 15 s",
        ),
        (
            20, 17, "I17 fails: 1 <= token, and 0.5 s would be left for the token",
            "22 s is the least; write `stall: 22s` or more, or use fence devices that take at "
            "most 15 s",
        ),
        (
            6, 1, "I18 fails: 7 <= noop interval + timeout + recovery, and 5 s would be left",
            "8 s is the least; write `stall: 8s` or more",
        ),
        (
            61, 5, "a stall of 61 s is longer than any set allows for",
            "write at most `stall: 60s`; every timeout is at its most patient there",
        ),
    ],
)  # fmt: skip
def test_the_words_of_a_refusal(stall: int, fence: int, what: str, fix: str) -> None:
    with pytest.raises(SanglierError) as caught:
        solve(stall, fence)
    assert what in caught.value.what
    assert caught.value.fix == fix
