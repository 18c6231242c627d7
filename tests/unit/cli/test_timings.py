"""``timings`` shows the budget, and with --check what is in force."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from layers.goal import GOAL, TIMINGS
from layers.recordings import facts_of

from sanglier.cli.timings import check_lines, inequality_lines, prediction_lines, rows
from sanglier.layers.runtime import runtime_values
from sanglier.spec.budget import inequalities
from sanglier.spec.cluster import Timings
from sanglier.spec.predict import FAULTS, predict
from sanglier.spec.solve import solve
from sanglier.spec.timings import FAST, SAFE

from .conftest import Site


def test_the_budget_is_shown_without_contacting_anything(site: Site) -> None:
    (site.place / "bin" / "ssh").unlink()
    done = site.run("timings", str(site.file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Timeouts of toy: safe" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())
    for fault in FAULTS:
        assert f"\n  {fault} " in done.stdout
    assert not site.secrets.exists()


def test_json(site: Site) -> None:
    answer = json.loads(site.run("timings", str(site.file), "--json").stdout)
    assert answer["timings"]["corosync_token_ms"] == SAFE.corosync_token_ms
    assert [i["code"] for i in answer["inequalities"]][:2] == ["I1", "I2"]
    first = answer["predictions"][0]
    assert first["fault"] == "open-server-dead"
    assert sum(wait["seconds"] for wait in first["made_of"]) == pytest.approx(first["stall_s"])
    assert "runtime" not in answer


def test_a_wish_is_solved_or_refused(site: Site) -> None:
    text = site.file.read_text()
    site.file.write_text(text.replace("timings: safe", "timings: {stall: 20s}"))
    done = site.run("timings", str(site.file))
    assert done.returncode == 0
    assert "Timeouts of toy: stall-20s" in done.stdout
    site.file.write_text(text.replace("timings: safe", "timings: {stall: 7s}"))
    refused = site.run("timings", str(site.file))
    assert refused.returncode == 2
    assert "SG-SPEC-090" in refused.stderr


def test_check_with_a_host_out_of_reach(site: Site) -> None:
    site.hosts.joinpath("disk-b.down").touch()
    done = site.run("timings", str(site.file), "--check")
    assert done.returncode == 4
    assert "SG-SSH-001" in done.stdout


def test_check_reads_the_hosts(site: Site) -> None:
    answer = site.run("timings", str(site.file), "--check", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["runtime"] == []


def test_what_is_in_force_is_compared() -> None:
    values = runtime_values(GOAL, facts_of("converged"))
    recorded = tuple(v for v in values if v.layer == "drbd")
    assert [line.plain for line in check_lines(recorded)] == [
        "  ✓ disk-a       drbd       8 values",
        "  ✓ disk-b       drbd       8 values",
    ]
    wanted = replace(GOAL, cluster=replace(GOAL.cluster, timings=replace(TIMINGS, drbd_ko_count=9)))
    changed = tuple(v for v in runtime_values(wanted, facts_of("converged")) if v.host == "disk-a")
    lines = [line.plain for line in check_lines(changed)]
    assert lines[:2] == [
        "  ✗ disk-a       drbd       1 of 8 differ",
        "      data ko-count: wanted 9, in force 11",
    ]


@pytest.mark.parametrize("timings", [SAFE, FAST, solve(8), solve(60)], ids=lambda t: t.name)
def test_every_value_is_shown_once_and_fits(timings: Timings) -> None:
    shown = [row for layer in rows(timings).values() for row in layer]
    assert len(shown) == len(fields(timings)) - len({"name"}) + len({"no_path_retry"})
    lines = [*inequality_lines(inequalities(timings)), *prediction_lines(predict(timings))]
    assert all(len(line.plain) <= 100 for line in lines)


def test_a_failing_inequality_says_why() -> None:
    budget = inequalities(replace(SAFE, o2cb_threshold=31, checker_timeout_s=20))
    text = "\n".join(line.plain for line in inequality_lines(budget))
    assert "✗ I1  hard      89 <      60     -29" in text
    assert "! I6  soft      20 <      20       0" in text
    assert "otherwise application servers reset themselves" in text
