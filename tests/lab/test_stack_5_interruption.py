"""Take down and build again; cut at many points; converge all the same."""

from __future__ import annotations

import signal
import time

import pytest
from cluster_site import DESTROY, REUSE, WIPE, Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def test_destroy_without_its_consent_is_refused(site: Site) -> None:
    done = site.run("destroy", "--yes")
    assert done.returncode == 3
    assert "destroy:guiguiabloc" in done.stdout + done.stderr
    site.assert_converged()


def test_destroy_keeps_the_data_and_apply_takes_it_over_by_name(site: Site) -> None:
    site.on("srv-a", "echo precious > /data/kept; sync")
    done = site.run("destroy", "--yes", *DESTROY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert site.on("srv-a", "grep -c sanglier /proc/mounts || :") == "0"
    assert site.on("disk-a", "cat /proc/drbd | grep -c cs: || :") == "0"
    refused = site.plan()
    assert set(refused["missing_consents"]) == {"reuse:disk-a/ubdb", "reuse:disk-b/ubdb"}
    site.apply(*REUSE)
    site.assert_converged()
    assert site.on("srv-b", "cat /data/kept") == "precious"


def test_destroy_twice_finds_nothing_the_second_time(site: Site) -> None:
    first = site.run("destroy", "--yes", *DESTROY, *WIPE)
    assert first.returncode == 0, first.stdout + first.stderr
    second = site.run("destroy", "--yes", *DESTROY, *WIPE)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "Nothing to do" in second.stdout + second.stderr


def _cut(site: Site, steps: int, how: signal.Signals) -> bool:
    """Start an apply, let ``steps`` steps begin, cut it; tell whether it was cut in time."""
    run = site.start("apply", "--yes", "--json-events")
    assert run.stdout
    begun = 0
    for line in run.stdout:
        begun += "StepStarted" in line
        if begun >= steps:
            break
    run.send_signal(how)
    run.communicate(timeout=200)
    return begun >= steps


def test_an_apply_cut_at_many_points_converges(site: Site) -> None:
    """SIGKILL and SIGINT in turn, each time a few steps further, from nothing to the mount."""
    cuts = 0
    for number, steps in enumerate((1, 2, 3, 1, 4, 2, 5, 3, 6, 4, 2, 7, 1, 3, 5, 2, 1, 4, 2, 1)):
        how = signal.SIGKILL if number % 2 == 0 else signal.SIGINT
        if not _cut(site, steps, how):
            break
        cuts += 1
    assert cuts >= 8
    site.apply()
    site.assert_converged()
    assert "Nothing to do" in site.apply()


def test_a_host_killed_in_the_middle_drains_and_converges(site: Site) -> None:
    site.run("destroy", "--yes", *DESTROY, *WIPE)
    run = site.start("apply", "--yes", "--json-events")
    assert run.stdout
    for line in run.stdout:
        if "StepStarted" in line and "srv-b/initiator" in line:
            break
    site.lab.kill("srv-b")
    said, _ = run.communicate(timeout=300)
    assert run.returncode != 0
    assert "SG-SSH" in said, said
    site.lab.start("srv-b")
    time.sleep(1)
    site.apply()
    site.assert_converged()
