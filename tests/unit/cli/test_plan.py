"""``plan`` shows everything and changes nothing."""

from __future__ import annotations

import json

from .conftest import Site


def test_plan_is_grouped_by_layer_and_folds_equal_steps(site: Site) -> None:
    done = site.run("plan", str(site.file))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "low" in lines
    assert "  disk-a, disk-b  + make same — it is not there" in lines
    assert "  srv-a           + make top — it is not there" in lines
    assert "5 steps on 3 hosts: 5 safe" in lines


def test_plan_changes_nothing_and_says_that_secrets_are_missing(site: Site) -> None:
    done = site.run("plan", str(site.file))
    assert "site.secrets is missing" in done.stdout
    assert not site.secrets.exists()
    assert site.things("disk-a") == set()
    assert not (site.place / "state").exists()


def test_json_has_every_step_and_is_empty_once_converged(site: Site) -> None:
    plan = json.loads(site.run("plan", str(site.file), "--json").stdout)
    assert set(plan) == {"cluster", "steps", "problems", "missing_consents"}
    assert plan["cluster"] == "toy"
    assert plan["steps"][0] == {
        "address": "disk-a/low/same",
        "host": "disk-a",
        "layer": "low",
        "phase": 0,
        "mark": "+",
        "summary": "make same",
        "reason": "it is not there",
        "risk": "safe",
        "consent": None,
    }
    assert site.apply().returncode == 0
    assert json.loads(site.run("plan", str(site.file), "--json").stdout)["steps"] == []


def test_missing_consent_is_told_as_it_is_to_be_typed(site: Site) -> None:
    done = site.run("plan", str(site.file), WIPE="1")
    assert done.returncode == 3
    assert "DESTROYS DATA" in done.stdout
    assert "missing consent; to give it, add: --allow wipe:disk-b/vdb" in done.stdout
    given = site.run("plan", str(site.file), "--allow", "wipe:disk-b/vdb", WIPE="1")
    assert given.returncode == 0
    assert "consented: wipe:disk-b/vdb" in given.stdout


def test_script_shows_the_shell_per_host_with_secrets_masked(site: Site) -> None:
    done = site.run("plan", str(site.file), "--script")
    assert done.returncode == 0
    assert "##### disk-a #####" in done.stdout
    assert "# 3. low: make slow (it is not there) [safe]" in done.stdout
    assert "'***'" in done.stdout
    assert "s3cret" not in done.stdout


def test_unreachable_host_is_one_clear_error_and_exit_4(site: Site) -> None:
    (site.hosts / "disk-b.down").touch()
    done = site.run("plan", str(site.file))
    assert done.returncode == 4
    assert "disk-b/ssh/disk-b: ssh does not get through to the host  [SG-SSH-001]" in done.stdout
    assert done.stdout.count("SG-SSH-001") == 1
    assert "make top" in done.stdout


def test_bad_file_is_exit_2_without_a_traceback(site: Site) -> None:
    site.file.write_text("cluster: 7\n")
    done = site.run("plan", str(site.file))
    assert done.returncode == 2
    assert "SG-SPEC-" in done.stderr
    assert "Traceback" not in done.stderr


def test_absent_ssh_config_is_said(site: Site) -> None:
    done = site.run("plan", str(site.file), "--ssh-config", "/no/such/file")
    assert done.returncode == 1
    assert "there is no such ssh_config  [SG-SSH-009]" in done.stderr


def test_record_saves_the_raw_answers(site: Site) -> None:
    record = site.place / "record"
    site.run("plan", str(site.file), "--record", str(record))
    assert (record / "disk-a" / "low" / "list.txt").read_text() == "0\n"
