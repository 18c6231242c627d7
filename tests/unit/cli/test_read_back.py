"""An apply with nothing to do still says whether the timeouts in force are the wanted ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from layers.alter import altered
from layers.goal import GOAL
from layers.recordings import facts_of

from sanglier.cli import carry_out
from sanglier.cli.carry_out import run_errand
from sanglier.cli.setting import Setting
from sanglier.core.facts import Facts
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.stack import LAYERS
from sanglier.run import kept
from sanglier.run.apply import Direction

CONVERGED = facts_of("converged")
Run = Callable[..., int]


class NoLock:
    """Nobody else is there."""

    left_by = None

    def __init__(self, *_: object) -> None:
        pass

    async def acquire(self) -> None:
        pass

    async def release(self) -> None:
        pass


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run ``apply`` on hosts that answer with these facts."""
    setting = Setting(
        goal=GOAL, layers=LAYERS, secrets_file=tmp_path / "x", secrets_missing=False,
        ssh_config=None,
    )  # fmt: skip

    def run(facts: Facts, *, json_events: bool = False) -> int:
        async def gather(*_: object, **__: object) -> Facts:
            return facts

        monkeypatch.setattr(kept, "gather", gather)
        monkeypatch.setattr(carry_out, "ClusterLock", NoLock)
        return run_errand(setting, Direction.APPLY, yes=True, json_events=json_events)

    return run


def patient(facts: Facts, host: str, seconds_ms: str) -> Facts:
    """Change what o2cb takes over only when nothing is mounted: no step mends it."""
    now = facts.of(host, Ocfs2Facts).cluster_values
    return altered(facts, host, Ocfs2Facts, cluster_values={**now, "idle_timeout_ms": seconds_ms})


def test_all_as_wanted_is_one_line_and_status_0(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(CONVERGED) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Nothing to do: ")
    assert second == (
        "Timeouts in force: 116 values read back from the kernels and daemons, all as wanted, "
        "and they keep the budget."
    )


def test_each_that_differs_is_named_and_the_status_is_1(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(patient(CONVERGED, "srv-a", "60000")) == 1
    told = capsys.readouterr().out
    assert "error: srv-a/ocfs2: idle_timeout_ms: wanted 30000, in force 60000  [SG-RUN-017]" in told
    assert "error: I8: fails with the values in force: o2cb's values are equal on" in told
    assert "116 values read back from the kernels and daemons, 1 not as wanted" in told


def test_what_is_missing_with_its_reason_told_is_no_failure(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(facts_of("node-in-standby")) == 0
    assert "are not in force." in capsys.readouterr().out


def test_json_events_have_the_values(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(patient(CONVERGED, "srv-b", "60000"), json_events=True) == 1
    (event,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (event["event"], event["read"], event["broken"]) == ("ReadBackDone", 116, ["I8"])
    assert event["differing"] == [
        {"host": "srv-b", "layer": "ocfs2", "name": "idle_timeout_ms", "wanted": "30000",
         "actual": "60000"},
    ]  # fmt: skip


def test_an_inequality_is_computed_from_what_is_in_force_not_from_the_file(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = CONVERGED
    for host in ("srv-a", "srv-b"):
        now = facts.of(host, Ocfs2Facts)
        values = {**now.cluster_values, "dead_threshold": "31"}
        facts = facts.with_(host, replace(now, cluster_values=values))
    assert run(facts) == 1
    told = capsys.readouterr().out
    assert "error: I1: fails with the values in force: longest failover" in told
    assert "(89 against 60)" in told
    assert "[SG-RUN-018]" in told
