"""The picture tells the truth: everything is in it, in the right place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from sanglier.drill.report.faults import faults, other_moments
from sanglier.drill.report.lanes import both_open
from sanglier.drill.report.scale import text_width
from sanglier.drill.report.timeline import NARROW, WIDE, scale_of, timeline
from sanglier.drill.result import DrillRun, MomentKind, OpenSpan, Series

from . import synthetic
from .synthetic import moment

SVG = "{http://www.w3.org/2000/svg}"
RUNS = [*synthetic.campaign().runs, synthetic.random_round(3, length=600, hosts=6)]
WIDTHS = [WIDE, NARROW]
both_widths = pytest.mark.parametrize("width", WIDTHS)
every_run = pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)


def _drawn(run: DrillRun, width: int = WIDE) -> Element:
    return ElementTree.fromstring(timeline(run, width=width, key="t", storage=("disk-a", "disk-b")))


def _under(root: Element, class_: str) -> list[Element]:
    """Give the rectangles of a class, or in a group of that class."""
    own = [e for e in root.iter(f"{SVG}rect") if class_ in e.get("class", "").split()]
    groups = [g for g in root.iter(f"{SVG}g") if g.get("class") == class_]
    return own + [e for g in groups for e in g.iter(f"{SVG}rect")]


def _ends(rect: Element) -> tuple[float, float]:
    x = float(rect.get("x", "nan"))
    return x, x + float(rect.get("width", "nan"))


def _expected(run: DrillRun, width: int, from_s: float, to_s: float) -> tuple[float, float]:
    scale = scale_of(run, width)
    share = (scale.right - scale.left) / scale.end_s
    return scale.left + from_s * share, scale.left + to_s * share


def _close(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Tell whether two stretches are drawn alike, up to rounding and the least width."""
    return abs(a[0] - b[0]) < 0.11 and (abs(a[1] - b[1]) < 0.21 or b[1] - b[0] < 2)


@both_widths
@every_run
def test_every_fault_is_where_it_was_injected_and_ends_where_it_was_healed(
    run: DrillRun, width: int
) -> None:
    drawn = [_ends(rect) for rect in _under(_drawn(run, width), "fault")]
    end_s = scale_of(run, width).end_s
    wanted = [
        _expected(run, width, f.from_s, end_s if f.healed_s is None else f.healed_s)
        for f in faults(run)
    ]
    assert len(drawn) == len(wanted)
    assert [w for w in wanted if not any(_close(d, w) for d in drawn)] == []


@both_widths
@every_run
def test_every_stall_is_shaded_where_it_was(run: DrillRun, width: int) -> None:
    drawn = [_ends(rect) for rect in _under(_drawn(run, width), "stall")]
    stalls = [s for series in run.series for s in series.stalls]
    wanted = [_expected(run, width, s.from_s, s.to_s) for s in stalls]
    assert len(drawn) == len(wanted)
    assert all(_close(d, w) for d, w in zip(drawn, wanted, strict=True))


@both_widths
@every_run
def test_every_open_side_is_drawn_where_it_was(run: DrillRun, width: int) -> None:
    drawn = [_ends(rect) for rect in _under(_drawn(run, width), "open")]
    wanted = [_expected(run, width, s.from_s, s.to_s) for s in run.open_spans]
    assert len(drawn) == len(wanted)
    assert [w for w in wanted if not any(_close(d, w) for d in drawn)] == []


def _shapes(root: Element, kind: str) -> Iterator[float]:
    for path in root.iter(f"{SVG}path"):
        if path.get("class") == kind:
            yield float(re.split(r"[ (]", path.get("transform", ""))[1])


@both_widths
def test_every_fence_is_a_mark_in_the_events_and_in_the_lanes_of_its_host(width: int) -> None:
    run = synthetic.kill_open_side()
    x = _expected(run, width, 18.3, 18.3)[0]
    found = list(_shapes(_drawn(run, width), "fenced"))
    assert len(found) == 2
    assert found == pytest.approx([x, x], abs=0.06)


@both_widths
@every_run
def test_throughput_goes_down_by_what_it_went_up(run: DrillRun, width: int) -> None:
    """Read the path back: its bins end where the recording ends."""
    paths = [p for p in _drawn(run, width).iter(f"{SVG}path") if p.get("class") == "rate"]
    assert len(paths) == len(run.series)
    scale = scale_of(run, width)
    for path, series in zip(paths, run.series, strict=True):
        bins = sum(int(n) for n in re.findall(r"h(\d+)", path.get("d", "")))
        size = -(-len(series.per_second) // (240 if width == WIDE else 120))
        assert bins == -(-len(series.per_second) // size)
        across = float(re.split(r"[( ]", path.get("transform", ""))[1])
        assert across * scale.end_s == pytest.approx(size * (scale.right - scale.left), rel=1e-3)


@both_widths
@every_run
def test_a_picture_has_title_and_description_under_unique_identifiers(
    run: DrillRun, width: int
) -> None:
    root = _drawn(run, width)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    named = root.get("aria-labelledby", "").split()
    texts = {e.get("id"): e.text for e in root if e.tag in (f"{SVG}title", f"{SVG}desc")}
    assert set(named) == set(texts)
    assert all(texts.values())


@both_widths
@every_run
def test_labels_of_faults_do_not_cover_one_another(run: DrillRun, width: int) -> None:
    band = next(g for g in _drawn(run, width).iter(f"{SVG}g") if _under(g, "fault"))
    boxes = [
        (e.get("y"), float(e.get("x", "0")), float(e.get("x", "0")) + text_width(e.text or ""))
        for e in band.iter(f"{SVG}text")
    ]
    pairs = [(a, b) for n, a in enumerate(boxes) for b in boxes[n + 1 :] if a[0] == b[0]]
    assert [(a, b) for a, b in pairs if a[1] < b[2] and b[1] < a[2]] == []
    assert all(start >= 0 and end <= width for _, start, end in boxes)


def test_both_sides_open_is_drawn_and_said() -> None:
    run = synthetic.cut_replication()
    root = _drawn(run)
    assert [_ends(r) for r in _under(root, "both")] == [
        pytest.approx(_expected(run, WIDE, 14.0, 30.5), abs=0.2)
    ]
    assert "BOTH OPEN, 16.5 s" in [e.text for e in root.iter(f"{SVG}text")]


def test_sides_that_hand_over_were_never_both_open() -> None:
    assert both_open(synthetic.kill_open_side().open_spans) == ()


def test_both_seen_open_at_one_instant_is_both_open() -> None:
    """Spans reach from sample to sample, so both ends were seen; the check counts it too."""
    touching = (
        OpenSpan(volume="data", host="disk-a", from_s=0, to_s=5),
        OpenSpan(volume="data", host="disk-b", from_s=5, to_s=9),
    )
    assert both_open(touching) == ((5, 5),)


def test_the_same_side_seen_twice_is_not_both() -> None:
    span = OpenSpan(volume="data", host="disk-a", from_s=0, to_s=5)
    assert both_open((span, replace(span, from_s=3, to_s=9))) == ()


def test_a_storage_server_that_never_opened_has_an_empty_lane() -> None:
    run = replace(synthetic.freeze_application(), moments=())
    names = [e.text for e in _drawn(run).iter(f"{SVG}text") if e.get("class") == "name"]
    assert names == ["faults", "disk-a · data", "disk-b · data", "srv-a", "srv-b"]


def test_a_heal_ends_the_fault_that_it_names() -> None:
    run = replace(
        synthetic.kill_open_side(),
        moments=(
            moment(1, MomentKind.FAULT, "disk-a", "replication cut"),
            moment(2, MomentKind.FAULT, "disk-a", "frozen"),
            moment(3, MomentKind.FAULT, "disk-b", "replication cut"),
            moment(4, MomentKind.HEAL, "disk-a", "frozen no more"),
            moment(5, MomentKind.HEAL, "disk-a", "replication plugged in"),
            moment(6, MomentKind.HEAL, "witness", "power back"),
        ),
    )
    assert [(f.from_s, f.healed_s) for f in faults(run)] == [(1, 5), (2, 4), (3, None)]
    assert [m.at_s for m in other_moments(run)] == [6]


def test_a_heal_without_a_host_ends_everything() -> None:
    same = moment(1, MomentKind.FAULT, "disk-a", "frozen")
    healed = moment(9, MomentKind.HEAL, "", "everything healed")
    run = replace(synthetic.kill_open_side(), moments=(same, same, healed))
    assert [f.healed_s for f in faults(run)] == [9, 9]


@both_widths
def test_a_drill_of_nothing_is_drawn(width: int) -> None:
    run = replace(
        synthetic.kill_open_side(), length_s=0, moments=(), open_spans=(), series=(), checks=()
    )
    assert "none injected" in [e.text for e in _drawn(run, width).iter(f"{SVG}text")]


@both_widths
def test_odd_numbers_stay_inside_the_picture(width: int) -> None:
    odd = float("nan"), float("inf"), -5.0, 1e12
    run = replace(
        synthetic.kill_open_side(),
        moments=tuple(moment(at, MomentKind.FAULT, "disk-a", "x" * 300) for at in odd[1:]),
        open_spans=(OpenSpan(volume="data", host="disk-a", from_s=odd[0], to_s=odd[1]),),
        series=(Series(server="srv-a", per_second=(), stalls=()),),
    )
    ends = [_ends(rect) for rect in _drawn(run, width).iter(f"{SVG}rect") if rect.get("x")]
    assert all(0 <= start <= end <= width for start, end in ends)
