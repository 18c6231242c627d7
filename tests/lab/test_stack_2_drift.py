"""Drift made by hand is found alone and mended alone."""

from __future__ import annotations

import re

import pytest
from cluster_site import Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

IQN = "iqn.2009-02.fr.guiguiabloc:guiguiabloc"
ACL = f"/sys/kernel/config/target/iscsi/{IQN}.data.disk-b/tpgt_1/acls/{IQN}.srv-b"

DRIFTS = {
    "hand-edited multipath.conf": (
        "srv-b", "sed -i 's/greedy/strict/' /etc/multipath.conf",
        {"srv-b/multipath/multipath.conf"},
    ),
    "logged-out session": (
        "srv-a", "iscsiadm -m node -p 10.77.3.12 --logout",
        {"srv-a/initiator/10.77.3.12", "srv-a/multipath/sanglier-data"},
    ),
    "unmounted filesystem": ("srv-b", "umount /data", {"srv-b/ocfs2/data"}),
    "DRBD net option changed at run time": (
        "disk-a", "drbdsetup net-options 10.77.1.11:7789 10.77.1.12:7789 --ping-int=9",
        {"disk-a/drbd/data"},
    ),
    "removed ACL": (
        "disk-b", f"rm {ACL}/lun_0/data; rmdir {ACL}/lun_0 {ACL}",
        {"disk-b/target/data-acl-srv-b"},
    ),
    "a stranger admitted": (
        "disk-a", f"mkdir {ACL.replace('disk-b', 'disk-a').rsplit('/', 1)[0]}/iqn.2020-01.org.x:y",
        {"disk-a/target/data-acl-iqn.2020-01.org.x:y"},
    ),
    "ALUA state swapped by hand": (
        "disk-a", "echo 1 > /sys/kernel/config/target/core/iblock_0/data/alua/sanglier/"
        "alua_access_state",
        {"disk-a/target/data-alua"},
    ),
    "target closed by hand": (
        "disk-b", f"echo 0 > {ACL.rsplit('/', 2)[0]}/enable", {"disk-b/target/data-open"},
    ),
    "multipathd stopped": (
        "srv-a", "systemctl stop multipathd.service multipathd.socket",
        {"srv-a/multipath/multipathd", "srv-a/multipath/sanglier-data"},
    ),
    "o2cb's cluster.conf differs on one node": (
        "srv-a", "sed -i 's/7777/7778/' /etc/ocfs2/cluster.conf", {"srv-a/ocfs2/cluster.conf"},
    ),
    "SCSI timeout changed": (
        "srv-b", "for d in /sys/block/sd*/device/timeout; do echo 30 > $d; done",
        {"srv-b/initiator/disks"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRIFTS)
def test_drift_gives_a_plan_of_just_that_and_is_mended(site: Site, name: str) -> None:
    host, script, wanted = DRIFTS[name]
    site.on(host, script)
    steps = set(site.steps())
    assert steps, "the drift was not found"
    assert steps <= wanted, steps
    site.apply()
    site.assert_converged()


def test_a_new_chap_password_is_taken_up_path_by_path_while_mounted(site: Site) -> None:
    secrets = site.directory / "lab.secrets"
    text = secrets.read_text()
    secrets.write_text(re.sub(r"srv-a: '[^']+'", "srv-a: 'AnotherPassword1'", text))
    anew = [step for step in site.plan()["steps"] if step["summary"].startswith("log in anew")]
    assert [step["host"] for step in anew] == ["srv-a"] * 4
    site.on("srv-a", "echo before > /data/rotation; sync")
    site.apply()
    site.assert_converged()
    assert site.on("srv-a", "cat /data/rotation") == "before"
    assert site.on("srv-a", "multipath -ll sanglier-data").count("active ready running") == 4
