"""What ``sanglier drill`` refuses before any host is asked."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from sanglier.cli.drill import _must_be_possible, app
from sanglier.core.errors import SanglierError
from sanglier.drill.faults import FAULTS
from sanglier.drill.plan import Plan
from sanglier.drill.scene import without_time
from sanglier.drill.schedule import Means, parse

EXAMPLE = Path(__file__).parents[3] / "examples" / "lab.yaml"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "FILE", "multipathd-killed", "open-killed"), "open-killed+30"),
        (("replay", "FILE", "iscsid-killed+4&san-cut-one:1+9"), "san-cut-one:1+9"),
    ],
)
def test_without_a_lab_a_fault_that_needs_power_is_refused_at_once(
    words: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANGLIER_STATE", str(tmp_path))
    secrets = tmp_path / "cluster.secrets"
    secrets.touch(mode=0o600)
    secrets.write_text("fence: {disk-a: 'invented-1', disk-b: 'invented-2'}\n")
    given = [str(EXAMPLE) if word == "FILE" else word for word in words]
    error = CliRunner().invoke(app, [*given, "--secrets", str(secrets)]).exception
    assert isinstance(error, SanglierError)
    assert (error.code, error.subject) == ("SG-DRILL-011", told)
    assert not (tmp_path / "drills").exists()


@pytest.mark.parametrize(("fence_s", "refused"), [(8, True), (14, False)])
def test_switches_that_are_slower_than_the_file_says_are_refused(
    fence_s: int, refused: bool
) -> None:
    fault = FAULTS["link-cut-switches-slow"]
    assert Means(power=True, fence_s=fence_s).make(fault) is not refused
    error = without_time("link-cut-switches-slow+25", fault.fence_s, fence_s)
    assert (error.code, "14 s" in error.what) == ("SG-DRILL-016", True)


def test_a_clock_that_cannot_be_stopped_is_refused_before_anything_begins() -> None:
    plan = Plan(name="", explains="", groups=(parse("application-paused-beyond+150"),))
    with pytest.raises(SanglierError) as raised:
        _must_be_possible(Mock(means=Means(power=True, fence_s=20)), [plan])
    assert raised.value.code == "SG-DRILL-017"


@pytest.mark.parametrize("load", ["0", "0.01", "1.1", "nan", "-1"])
def test_a_load_without_sense_is_refused(load: str) -> None:
    done = CliRunner().invoke(app, ["run", str(EXAMPLE), "open-killed", "--load", load])
    assert done.exit_code == 2
    assert "is not from 0.05 to 1" in done.output
