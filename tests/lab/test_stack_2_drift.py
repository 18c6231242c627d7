"""Drift made by hand is found alone and mended alone; what the cluster runs, it mends itself."""

from __future__ import annotations

import re

import pytest
from cluster_site import SIDE, Site, tpg

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

Drift = tuple[str, str, frozenset[str]]
"""Host, what is done there, and the steps of which at least one must mend it."""
CONSEQUENCES = frozenset({"srv-a/multipath/sanglier-data", "srv-b/multipath/sanglier-data"})
"""Steps that wait for paths to come back, as far as the initiators have noticed that they fail."""

ACLS = {host: f"{tpg(host)}/acls" for host in ("disk-a", "disk-b")}
SRV_B = f"{ACLS['disk-b']}/iqn.2009-02.fr.guiguiabloc:guiguiabloc.srv-b"


NODE = "iscsiadm -m node -T iqn.2009-02.fr.guiguiabloc:guiguiabloc.data.disk-b -p 10.77.3.12"
ABORT = f"{NODE} -o update -n node.session.err_timeo.abort_timeout"


def drift(host: str, script: str, *steps: str) -> Drift:
    return host, script, frozenset(steps)


GROUPS: dict[str, dict[str, Drift]] = {
    "application servers": {
        "hand-edited multipath.conf": drift(
            "srv-b", "sed -i 's/greedy/strict/' /etc/multipath.conf",
            "srv-b/multipath/multipath.conf",
        ),
        "SCSI timeout changed": drift(
            "srv-b", "for d in /sys/block/sd*/device/timeout; do echo 30 > $d; done",
            "srv-b/initiator/disks",
        ),
        "mount options changed": drift(
            "srv-a", "mount -o remount,barrier=0,commit=60,relatime /data", "srv-a/ocfs2/data",
        ),
        "unmounted filesystem": drift("srv-b", "umount /data", "srv-b/ocfs2/data"),
        "logged-out session": drift(
            "srv-a", "iscsiadm -m node -p 10.77.3.12 --logout",
            "srv-a/initiator/10.77.3.12",
        ),
        "o2cb's cluster.conf differs on one node": drift(
            "srv-a", "sed -i 's/7777/7778/' /etc/ocfs2/cluster.conf", "srv-a/ocfs2/cluster.conf",
        ),
    },
    "mirror and targets": {
        "DRBD net option changed at run time": drift(
            "disk-a", "drbdsetup net-options 10.77.1.11:7789 10.77.1.12:7789 --ping-int=9",
            "disk-a/drbd/data",
        ),
        "fence-peer handler edited": drift(
            "disk-b", "echo 'exit 7' >> /usr/lib/sanglier/fence-peer", "disk-b/drbd/fence-peer",
        ),
        "removed ACL": drift(
            "disk-b", f"rm {SRV_B}/lun_0/data; rmdir {SRV_B}/lun_0 {SRV_B}",
            "disk-b/target/data-acl-srv-b",
        ),
        "a stranger admitted": drift(
            "disk-a", f"mkdir {ACLS['disk-a']}/iqn.2020-01.org.x:y",
            "disk-a/target/data-acl-iqn.2020-01.org.x:y",
        ),
        "the tree for the next start edited": drift(
            "disk-a", "sed -i 's/InitialR2T No/InitialR2T Yes/' /etc/sanglier/targets/data",
            "disk-a/target/data-tree",
        ),
        "multipathd stopped": drift(
            "srv-a", "systemctl stop multipathd.service multipathd.socket",
            "srv-a/multipath/multipathd",
        ),
    },
    "timeouts in force beside files that are right": {
        "a recovery time set by hand": drift(
            "srv-b", "for f in /sys/class/iscsi_session/session*/recovery_tmo; do "
            "echo 120 > $f; done", "srv-b/initiator/sessions",
        ),
        "a map stopped from queueing": drift(
            "srv-b", "multipathd disablequeueing map sanglier-data", "srv-b/multipath/multipathd",
        ),
        "a session made with other timeouts": drift(
            "srv-a", f"{ABORT} -v 15; {NODE} --logout; {NODE} --login; {ABORT} -v 10; sleep 5",
            "srv-a/initiator/10.77.3.12",
        ),
    },
    "arbitration": {
        "corosync.conf edited": drift(
            "disk-a", "sed -i 's/token: 3000/token: 2900/' /etc/corosync/corosync.conf",
            "disk-a/cluster/corosync.conf",
        ),
        "a resource's parameter changed": drift(
            "disk-a", "crm_resource -r data-lun --meta -p target-role -v Started",
            "disk-a/cluster/configuration",
        ),
        "agent edited": drift(
            "disk-a", "echo '# edited' >> /usr/lib/ocf/resource.d/sanglier/side",
            "disk-a/cluster/side",
        ),
        "witness's daemon stopped": drift(
            "witness", "systemctl stop corosync-qnetd", "witness/cluster/witness",
        ),
        "pacemaker stopped": drift(
            "disk-b", "systemctl stop pacemaker",
            "disk-b/cluster/engine", "disk-b/cluster/fence-disk-a-1",
            "disk-a/cluster/membership", "disk-a/cluster/resources",
        ),
    },
}  # fmt: skip


@pytest.mark.parametrize("group", GROUPS)
def test_drifts_give_a_plan_of_just_those_and_one_apply_mends_them(site: Site, group: str) -> None:
    drifts = GROUPS[group]
    for host, script, _ in drifts.values():
        site.on(host, script)
    steps = set(site.steps())
    unseen = [name for name, (_, _, wanted) in drifts.items() if not steps & wanted]
    assert unseen == [], steps
    assert steps <= CONSEQUENCES.union(*(wanted for _, _, wanted in drifts.values()))
    site.apply()
    site.assert_whole()


REMOVE_OPEN = """
cibadmin --delete-all --force --xpath "//constraints/*[@rsc='data-open' or @then='data-open']"
cibadmin --delete --force --xpath "//primitive[@id='data-open']"
"""


def test_a_resource_removed_by_hand_is_named_and_loaded_again(site: Site) -> None:
    """Without the resource that means "open" the cluster shuts the side."""
    site.on("disk-b", REMOVE_OPEN)
    site.until("disk-a", f"grep -qx 2 {SIDE}")
    steps = site.plan()["steps"]
    assert {step["address"] for step in steps} - CONSEQUENCES == {
        "disk-a/cluster/configuration", "disk-a/cluster/resources",
    }  # fmt: skip
    assert "data-open is missing" in steps[0]["reason"]
    site.apply()
    site.assert_whole()
    assert site.open_on() == "disk-a"


def test_what_the_cluster_runs_it_mends_by_itself(site: Site) -> None:
    """A target disabled and the open side shut by hand: nobody applies, and both come back."""
    site.on("disk-b", f"echo 0 > {tpg('disk-b')}/enable")
    site.on("disk-a", f"echo 2 > {SIDE}")
    site.until("disk-b", f"grep -qx 1 {tpg('disk-b')}/enable")
    site.assert_whole()
    site.must("move", "data", "--to", "disk-a")
    assert site.open_on() == "disk-a"


def test_status_tells_of_a_witness_that_gives_no_vote(site: Site) -> None:
    site.lab.freeze("witness")
    try:
        site.until("disk-a", "corosync-quorumtool -s | grep -Eq '^ +0 +0 +Qdevice'")
        said = site.refused("status", status=4)
    finally:
        site.lab.thaw("witness")
    assert "SG-CLU-006" in said
    assert "NO VOTE OF THE WITNESS" in said
    site.assert_whole()


def test_a_new_chap_password_is_taken_up_path_by_path_while_mounted(site: Site) -> None:
    text = site.secrets.read_text()
    site.secrets.write_text(re.sub(r"srv-a: '[^']+'", "srv-a: 'AnotherPassword1'", text))
    steps = site.plan()["steps"]
    anew = [step for step in steps if step["summary"].startswith("log in anew")]
    assert [step["host"] for step in anew] == ["srv-a"] * 4
    trees = {step["address"] for step in steps if step["address"].endswith("data-tree")}
    assert trees == {"disk-a/target/data-tree", "disk-b/target/data-tree"}
    site.on("srv-a", "echo before > /data/rotation; sync")
    site.apply()
    site.assert_whole()
    assert site.on("srv-a", "cat /data/rotation") == "before"
    topology = site.on("srv-a", "multipath -ll sanglier-data")
    assert topology.count("active ready running") == 2
    assert topology.count("active ghost running") == 2
