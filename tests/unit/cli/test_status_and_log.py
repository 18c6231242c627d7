"""``status`` and ``log`` tell what is and what was."""

from __future__ import annotations

import json

from .conftest import Site


def test_status_tells_each_thing_and_what_is_left_to_do(site: Site) -> None:
    before = site.run("status", str(site.file))
    assert before.returncode == 1
    assert "✗ disk-a" in before.stdout
    assert "apply would take 5 steps" in before.stdout
    site.apply()
    after = site.run("status", str(site.file))
    assert after.returncode == 0
    assert "All healthy, as declared." in after.stdout
    assert after.stdout.index("high") < after.stdout.index("low")


def test_status_json(site: Site) -> None:
    site.apply()
    status = json.loads(site.run("status", str(site.file), "--json").stdout)
    assert status["healthy"] is True
    assert status["steps_to_converge"] == 0
    assert {line["layer"] for line in status["lines"]} == {"low", "high"}


def test_status_with_a_host_out_of_reach(site: Site) -> None:
    site.apply()
    (site.hosts / "disk-b.down").touch()
    done = site.run("status", str(site.file))
    assert done.returncode == 4
    assert "SG-SSH-001" in done.stdout


def test_log_lists_runs_and_shows_one(site: Site) -> None:
    site.apply()
    site.run("destroy", str(site.file), "--yes", "--allow", "destroy:toy")
    site.apply(BAD="1")
    rows = site.run("log", str(site.file)).stdout.splitlines()
    assert [row.rsplit("  ", 1)[1] for row in rows] == ["ok", "ok", "stopped: SG-RUN-001"]
    assert len(site.run("log", "--last", "1").stdout.splitlines()) == 1
    name = rows[-1].split("  ")[0]
    shown = site.run("log", name).stdout
    assert "disk-b/low/bad  make bad: failed" in shown
    assert "| broken" in shown
    assert "skipped, because disk-b/low/bad" in shown
    runs = json.loads(site.run("log", "--json", "--cluster", "toy").stdout)
    assert [run["verb"] for run in runs] == ["apply", "destroy", "apply"]
    events = json.loads(site.run("log", name, "--json").stdout)
    assert events[0]["event"] == "RunStarted"


def test_log_without_runs_and_with_a_wrong_name(site: Site) -> None:
    assert "no runs yet" in site.run("log").stdout
    wrong = site.run("log", "2020")
    assert wrong.returncode == 1
    assert "SG-RUN-041" in wrong.stderr


def test_help_lists_every_verb(site: Site) -> None:
    done = site.run("--help")
    assert done.returncode == 0
    for verb in ("validate", "schema", "plan", "apply", "status", "destroy", "log", "lab"):
        assert f"  {verb} " in done.stdout


def test_bad_usage_is_exit_2(site: Site) -> None:
    assert site.run("plan").returncode == 2
    assert site.run("plann").returncode == 2
    assert site.run("plan", str(site.file), "--no-such").returncode == 2
