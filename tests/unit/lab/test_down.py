"""``lab down`` leaves no process, on a lab that was never there."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from sanglier.lab import daemon, life, network, place, preflight, process
from sanglier.lab.process import Process

NAME = "down-test"


@pytest.fixture(name="where")
def fixture_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> place.Place:
    monkeypatch.setattr(preflight, "check", lambda _verb: None)
    monkeypatch.setenv("SANGLIER_LAB_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("SANGLIER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(place, "PLAIN_PATH", re.compile(".*"))
    monkeypatch.setattr(place.Place, "namespace_file", tmp_path / "netns")
    found = place.place(NAME)
    found.state.mkdir(parents=True)
    found.data.mkdir(parents=True)
    return found


@pytest.fixture(name="sleeper")
def fixture_sleeper() -> Iterator[Process]:
    with subprocess.Popen(("sleep", "60"), start_new_session=True) as child:
        found = process.find(child.pid)
        assert found is not None
        yield found
        child.kill()


def test_what_was_recorded_is_ended(where: place.Place, sleeper: Process) -> None:
    record = daemon.Record(
        pid=sleeper.pid, started=sleeper.started, namespace=process.namespace_of(sleeper.pid)
    )
    where.process("disk-a").write_text(json.dumps(asdict(record)))
    assert life.down(NAME)
    assert not process.same(sleeper)
    assert not where.state.exists()
    assert not where.data.exists()
    assert not life.down(NAME)


def test_what_lives_in_the_namespace_is_ended_before_it_is_removed(
    where: place.Place, sleeper: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The namespace is a file here, and nobody but the sleeper is said to be in it."""
    lived: list[bool] = []
    where.namespace_file.touch()
    monkeypatch.setattr(
        process, "in_namespace", lambda _: (sleeper,) if process.same(sleeper) else ()
    )
    monkeypatch.setattr(network, "run", lambda *_, **__: lived.append(process.same(sleeper)))
    assert life.down(NAME)
    assert lived == [False]
    assert not where.namespace_file.exists()
