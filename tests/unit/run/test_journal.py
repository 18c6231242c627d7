"""Every run is written down, masked, bounded, and read back even when it was cut."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.core.events import Outcome, RunEnded, RunStarted, StepEnded
from sanglier.run.codes import Code
from sanglier.run.journal import Journal, journal_root, past_runs, read_run

from .toy_stack import SECRET

STARTED = RunStarted(verb="apply", cluster="toy", steps=1)
ENDED = RunEnded(verb="apply", done=1, failed=0, skipped=0, seconds=1.5)


def begin(root: Path) -> Journal:
    return Journal.create(root, "toy", "apply", (SECRET,))


def test_events_come_back_in_order_with_times(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal(STARTED)
    journal(ENDED)
    journal.close()
    (run,) = past_runs(tmp_path, "toy")
    assert [e["event"] for e in run.events] == ["RunStarted", "RunEnded"]
    assert run.started["steps"] == 1
    assert run.ended["seconds"] == 1.5
    assert str(run.started["at"]).endswith("+00:00")
    assert run.cluster == "toy"


def test_journal_is_private(tmp_path: Path) -> None:
    journal = begin(tmp_path / "state")
    journal.close()
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700


def test_secrets_are_masked_whatever_the_event_holds(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal(
        StepEnded(
            address="a",
            host="a",
            summary="s",
            outcome=Outcome.FAILED,
            output=f"leaked {SECRET.reveal()}",
        )
    )
    journal.close()
    assert SECRET.reveal() not in journal.path.read_text()
    assert "leaked ***" in journal.path.read_text()


def test_every_line_is_on_disk_before_the_next_step(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    journal(STARTED)
    assert json.loads(journal.path.read_text())["event"] == "RunStarted"
    journal.close()


def test_cut_journal_is_a_run_that_did_not_finish(tmp_path: Path) -> None:
    path = tmp_path / "toy" / "2026-apply.jsonl"
    path.parent.mkdir()
    path.write_text('{"event": "RunStarted", "steps": 3}\n{"event": "StepSta')
    (run,) = past_runs(tmp_path)
    assert run.started["steps"] == 3
    assert run.ended == {}


def test_folder_that_cannot_be_made_is_said_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SanglierError) as caught:
        begin(tmp_path / "file")
    assert caught.value.code == Code.JOURNAL_UNWRITABLE


def test_full_disk_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(SanglierError, match="No space left") as caught:
        begin(tmp_path)
    assert caught.value.code == Code.JOURNAL_UNWRITABLE
    assert past_runs(tmp_path) == ()


def test_disk_that_fills_up_later_stops_the_run(tmp_path: Path) -> None:
    journal = begin(tmp_path)
    os.close(journal.descriptor)
    journal.descriptor = os.open("/dev/full", os.O_WRONLY)
    journal(STARTED)
    trouble = journal.check()
    assert trouble is not None
    assert trouble.code == Code.JOURNAL_UNWRITABLE
    journal(ENDED)
    journal.close()


def test_root_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert journal_root({"SANGLIER_STATE": "/s"}) == Path("/s")
    assert journal_root({"XDG_STATE_HOME": "/x"}) == Path("/x/sanglier")
    assert journal_root({}) == tmp_path / ".local/state/sanglier"


def test_absent_journal_is_said(tmp_path: Path) -> None:
    with pytest.raises(SanglierError) as caught:
        read_run(tmp_path / "nothing.jsonl")
    assert caught.value.code == Code.JOURNAL_ABSENT
