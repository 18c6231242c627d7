"""systemd reads its files once for all units of a batch, and before anything runs by them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sanglier.core.action import Action, Run, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.step import Mark, Step
from sanglier.layers.files import REREAD
from sanglier.run.batch import batch_script, left_to_a_later
from sanglier.run.frames import Marker


def step(name: str, *actions: Action) -> Step:
    address = Address(host="disk-a", layer="toy", subject=name)
    return Step(
        address=address, phase=0, mark=Mark.CREATE, summary=name, reason="it is not there",
        actions=actions, effect=lambda facts: facts,
    )  # fmt: skip


def written(place: Path, name: str) -> WriteFile:
    return WriteFile(path=f"{place}/{name}", content=f"{name}\n", mode=0o644)


@pytest.fixture
def unit(tmp_path: Path) -> Step:
    return step("unit", written(tmp_path, "a.service"), REREAD)


START = step("start", Script(text="systemctl start a"))


def test_one_unit_leaves_it_to_the_next(tmp_path: Path, unit: Step) -> None:
    file = step("file", written(tmp_path, "conf"))
    assert left_to_a_later([unit, unit, unit]) == {0, 1}
    assert left_to_a_later([unit, file, unit, START]) == {0}


def test_nothing_runs_by_what_systemd_has_not_read(tmp_path: Path, unit: Step) -> None:
    restarts = step("dropped", written(tmp_path, "b.service"), REREAD, Run(argv=("systemctl", "x")))
    assert left_to_a_later([unit, START, unit]) == frozenset()
    assert left_to_a_later([restarts, unit]) == frozenset()
    assert left_to_a_later([unit, restarts]) == {0}


def ran(place: Path, steps: Sequence[Step]) -> list[str]:
    """Run the batch with a systemctl that notes how it was called, and what units there were."""
    tools = place / "tools"
    tools.mkdir()
    note = f'echo "$*:" $(cd {place} && ls *.service 2>/dev/null) >> {place}/called'
    (tools / "systemctl").write_text(f"#!/bin/sh\n{note}\n")
    (tools / "systemctl").chmod(0o755)
    script = batch_script(steps, Marker(), str(place / "state"))
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run(["sh"], input=script, text=True, check=True, env=environment)
    called = place / "called"
    return called.read_text().splitlines() if called.exists() else []


def test_systemd_reads_once_and_before_the_start(tmp_path: Path, unit: Step) -> None:
    other = step("other", written(tmp_path, "b.service"), REREAD)
    assert ran(tmp_path, [unit, other, START]) == [
        "daemon-reload: a.service b.service",
        "start a: a.service b.service",
    ]


def test_a_unit_before_a_step_that_fails_is_read(tmp_path: Path, unit: Step) -> None:
    fails = step("full", Script(text="echo no space; return 1"), REREAD)
    assert ran(tmp_path, [unit, fails, START]) == ["daemon-reload: a.service"]
