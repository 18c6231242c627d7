"""Take down and build again, with a host killed and the runner killed meanwhile."""

from __future__ import annotations

import signal

import pytest
from cluster_site import DESTROY, REUSE, WIPE, Site, cut

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

LEFT = """
set +e; exec 2>/dev/null
grep cs: /proc/drbd
ls -d /etc/sanglier/targets/* /etc/sanglier/fence/* /etc/corosync/authkey /usr/lib/sanglier/*
systemctl is-active pacemaker corosync corosync-qdevice | grep -vx inactive
systemctl is-enabled pacemaker corosync corosync-qdevice | grep -vx disabled
ls /sys/kernel/config/target/core /sys/kernel/config/target/iscsi | grep -e data -e iblock
:
"""
"""Shell: what is left of the cluster on a storage server."""


def test_destroy_without_its_consent_is_refused(site: Site) -> None:
    assert "destroy:guiguiabloc" in site.refused("destroy", "--yes")
    site.assert_whole()


def test_destroy_keeps_the_data_and_leaves_nothing_else(site: Site) -> None:
    site.on("srv-a", "echo precious > /data/kept; sync")
    site.must("destroy", "--yes", *DESTROY)
    assert site.on("srv-a", "grep -c sanglier /proc/mounts || :") == "0"
    for host in ("disk-a", "disk-b"):
        assert site.on(host, LEFT) == ""
    assert site.on("witness", "systemctl is-active corosync-qnetd || :") == "inactive"
    assert set(site.plan()["missing_consents"]) == set(REUSE[1::2])


def test_a_host_killed_in_the_middle_drains_and_the_data_is_taken_over_by_name(
    site: Site,
) -> None:
    run = site.start("apply", "--yes", "--json-events", *REUSE)
    assert run.stdout
    for line in run.stdout:
        if "StepStarted" in line and "srv-b/initiator" in line:
            break
    site.lab.kill("srv-b")
    said, _ = run.communicate(timeout=400)
    assert run.returncode != 0
    assert "SG-SSH" in said, said
    site.lab.start("srv-b")
    site.apply()
    site.assert_whole()
    assert site.on("srv-b", "cat /data/kept") == "precious"


def test_a_destroy_that_was_killed_is_finished_by_another_and_a_third_finds_nothing(
    site: Site,
) -> None:
    assert cut(site, 7, signal.SIGKILL, "destroy", *DESTROY, *WIPE)
    site.must("destroy", "--yes", *DESTROY, *WIPE)
    assert "Nothing to do" in site.must("destroy", "--yes", *DESTROY, *WIPE)
