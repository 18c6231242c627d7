"""``apply`` and ``destroy`` as a user meets them, with interruptions."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess

from .conftest import Site


def test_second_apply_says_that_nothing_is_to_do(site: Site) -> None:
    first = site.apply()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Applied: 5 steps done" in first.stdout
    assert site.things("disk-a") == {"same", "slow"}
    second = site.apply()
    assert second.returncode == 0
    assert second.stdout == "Nothing to do: 3 hosts, 1 volume as declared.\n"


def test_secrets_are_written_once_and_never_shown(site: Site) -> None:
    first = site.apply()
    text = site.secrets.read_text()
    assert site.secrets.stat().st_mode & 0o777 == 0o600
    (site.hosts / "disk-a" / "things" / "slow").unlink()
    second = site.apply()
    assert second.returncode == 0
    assert site.secrets.read_text() == text
    journals = "".join(p.read_text() for p in (site.place / "state").rglob("*.jsonl"))
    for secret in ("s3cret", *(line.split("'")[1] for line in text.splitlines() if "'" in line)):
        assert secret not in first.stdout + second.stdout + journals


def test_without_terminal_and_yes_nothing_is_done(site: Site) -> None:
    done = site.run("apply", str(site.file))
    assert done.returncode == 3
    assert "SG-RUN-014" in done.stderr
    assert "--yes" in done.stderr
    assert site.things("disk-a") == set()
    assert not site.secrets.exists()


def answer(site: Site, text: bytes) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = site.start("apply", str(site.file), stdin=theirs)
    os.close(theirs)
    os.write(ours, text)
    out, err = process.communicate(timeout=30)
    os.close(ours)
    return process.returncode, out + err


def test_asks_once_and_takes_yes(site: Site) -> None:
    status, told = answer(site, b"y\n")
    assert status == 0, told
    assert told.count("Apply 5 steps? [y/N]") == 1


def test_asks_once_and_takes_everything_else_as_no(site: Site) -> None:
    status, told = answer(site, b"\n")
    assert status == 3
    assert "not confirmed" in told
    assert site.things("disk-a") == set()


def test_missing_consent_refuses_before_anything_runs(site: Site) -> None:
    done = site.apply(WIPE="1")
    assert done.returncode == 3
    assert "--allow wipe:disk-b/vdb" in done.stdout
    assert site.things("disk-a") == set()
    assert site.apply("--allow", "wipe:disk-b/vdb", WIPE="1").returncode == 0


def test_unreachable_host_refuses_with_exit_4(site: Site) -> None:
    (site.hosts / "srv-a.down").touch()
    done = site.apply()
    assert done.returncode == 4
    assert "SG-SSH-001" in done.stdout
    assert site.things("disk-a") == set()


def test_failed_step_is_exit_1_and_names_its_subject(site: Site) -> None:
    done = site.apply(BAD="1")
    assert done.returncode == 1
    assert "error: disk-b/low/bad: could not make bad (exit status 3)  [SG-RUN-001]" in done.stdout
    assert "Not finished: " in done.stdout
    assert "Traceback" not in done.stderr


def test_first_interrupt_drains_and_the_next_apply_goes_on(site: Site) -> None:
    process = site.start("apply", str(site.file), "--yes", SLOW="2")
    site.wait_for(site.slow_step_runs)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, out + err
    assert "waiting for what is under way" in out
    assert site.things("disk-a") == {"same", "slow"}
    assert site.things("disk-b") == {"same"}
    assert "skipped, because" in out
    done = site.apply()
    assert "Applied: 2 steps done" in done.stdout


def test_second_interrupt_leaves_at_once(site: Site) -> None:
    process = site.start("apply", str(site.file), "--yes", SLOW="20")
    site.wait_for(site.slow_step_runs)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    while "^C again leaves at once" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=15)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err


def test_sigterm_drains_like_an_interrupt(site: Site) -> None:
    process = site.start("apply", str(site.file), "--yes", SLOW="1")
    site.wait_for(site.slow_step_runs)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert "slow" in site.things("disk-a")


def test_killed_apply_is_remembered_and_the_next_one_converges(site: Site) -> None:
    process = site.start("apply", str(site.file), "--yes", SLOW="3")
    site.wait_for(site.slow_step_runs)
    process.kill()
    process.communicate()
    log = site.run("log")
    assert "did not finish" in log.stdout
    done = site.apply()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "without finishing" in done.stdout
    assert site.apply().stdout.startswith("Nothing to do")


def test_second_apply_at_once_says_who_holds_the_lock(site: Site) -> None:
    process = site.start("apply", str(site.file), "--yes", SLOW="3")
    site.wait_for(site.slow_step_runs)
    second = site.apply()
    assert second.returncode == 3
    assert f"(process {process.pid}, apply)" in second.stderr
    assert "SG-RUN-020" in second.stderr
    assert process.wait(timeout=30) == 0
    process.communicate()


def test_json_events_are_lines_of_json_on_stdout(site: Site) -> None:
    done = site.apply("--json-events")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["event"] == "RunEnded"
    assert [e["outcome"] for e in events if e["event"] == "StepEnded"] == ["done"] * 5
    assert "Applied: 5 steps done" in done.stderr


def test_journal_that_cannot_be_written_stops_before_anything_runs(site: Site) -> None:
    (site.place / "state").write_text("a file")
    done = site.apply()
    assert done.returncode == 1
    assert "SG-RUN-040" in done.stderr
    assert site.things("disk-a") == set()


def test_secrets_that_others_can_read_are_exit_2(site: Site) -> None:
    site.secrets.write_text("drbd: {}\n")
    site.secrets.chmod(0o644)
    done = site.apply()
    assert done.returncode == 2
    assert "SG-RUN-030" in done.stderr


def test_destroy_needs_its_consent_by_name(site: Site) -> None:
    done = site.run("destroy", str(site.file), "--yes")
    assert done.returncode == 3
    assert "--allow destroy:toy" in done.stderr


def test_destroy_takes_down_what_apply_made_and_can_be_repeated(site: Site) -> None:
    site.apply()
    words = ("destroy", str(site.file), "--yes", "--allow", "destroy:toy")
    first = site.run(*words)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Destroyed: 5 steps done" in first.stdout
    assert site.things("disk-a") == set()
    second = site.run(*words)
    assert second.returncode == 0
    assert second.stdout.startswith("Nothing to do")


def test_nothing_of_ours_stays_behind(site: Site) -> None:
    done = site.apply(TMPDIR=str(site.place / "home"))
    assert done.returncode == 0
    assert list((site.place / "home").iterdir()) == []
    listed = subprocess.run(["ps", "-ef", "ww"], capture_output=True, text=True, check=True).stdout
    assert str(site.place) not in listed


def test_interrupt_at_the_question_changes_nothing(site: Site) -> None:
    ours, theirs = pty.openpty()
    process = site.start("apply", str(site.file), stdin=theirs)
    os.close(theirs)
    assert process.stderr is not None
    asked = ""
    while "[y/N]" not in asked:
        asked += process.stderr.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=15)
    os.close(ours)
    assert process.returncode == 130
    assert "SG-RUN-015" in err
    assert "Traceback" not in err
    assert site.things("disk-a") == set()
    assert site.apply().returncode == 0


def test_progress_on_a_terminal_shows_what_is_under_way(site: Site) -> None:
    ours, theirs = pty.openpty()
    process = site.start("apply", str(site.file), "--yes", stdout=theirs, SLOW="1", TERM="xterm")
    os.close(theirs)
    told = b""
    try:
        while chunk := os.read(ours, 65536):
            told += chunk
    except OSError:
        pass
    os.close(ours)
    process.communicate(timeout=15)
    assert process.returncode == 0
    assert "… make slow" in told.decode()
    assert "✓ make slow" in told.decode()
