"""What the hosts of a lab are: separate, complete, and faithful to what a command says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from sanglier.lab.control import Lab

pytestmark = pytest.mark.lab

MODULES = (
    "drbd", "target_core_mod", "target_core_iblock", "iscsi_target_mod", "iscsi_tcp", "sd_mod",
    "dm_multipath", "dm_round_robin", "dm_service_time", "dm_delay", "dm_flakey", "ocfs2",
    "ocfs2_stack_o2cb", "ocfs2_dlmfs", "sch_netem", "softdog",
)  # fmt: skip


def sanglier(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "sanglier.cli.main", "lab", *words),
        input=text, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_exec_passes_on_status_streams_and_words(lab: Lab) -> None:
    script = 'cat; echo "[$1]" >&2; exit 7'
    done = sanglier(
        "exec", "--name", lab.place.name, "srv-a", "--", "sh", "-c", script, "sh", "two  $words",
        text="in\n",
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (7, "in\n", "[two  $words]\n")


def test_exec_on_an_unknown_host_names_those_that_there_are(lab: Lab) -> None:
    done = sanglier("exec", "--name", lab.place.name, "disk-z", "--", "true")
    assert done.returncode == 1
    assert "SG-LAB-020" in done.stderr and "disk-a, disk-b, srv-a" in done.stderr


def test_every_host_has_an_identity_of_its_own(lab: Lab) -> None:
    script = (
        "hostname; cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub"
        " /sys/class/net/eth0/address /etc/iscsi/initiatorname.iscsi"
    )
    answers = {host.name: lab.run(host.name, "sh", "-c", script) for host in lab.topology.hosts}
    lines = {name: done.stdout.splitlines() for name, done in answers.items()}
    assert [found[0] for found in lines.values()] == list(lines)
    for column in range(1, 5):
        assert len({found[column] for found in lines.values()}) == len(lines)


def test_every_kernel_module_of_the_stack_loads(lab: Lab) -> None:
    done = lab.run("disk-a", "modprobe", "--all", "--dry-run", *MODULES)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_service_of_the_stack_starts_by_itself(lab: Lab) -> None:
    services = ("multipathd", "iscsid", "rtslib-fb-targetctl", "ocfs2", "drbd", "corosync",
                "corosync-qdevice", "corosync-qnetd", "pacemaker")  # fmt: skip
    for host in ("disk-a", "srv-a", "witness"):
        done = lab.run(host, "systemctl", "is-active", *services)
        assert set(done.stdout.split()) == {"inactive"}


def test_admin_has_sudo_and_nosudo_has_not(lab: Lab) -> None:
    def sudo(user: str) -> int:
        argv = ("ssh", "-F", lab.ssh_config, "-l", user, "witness", "sudo -n true")
        return subprocess.run(argv, capture_output=True, check=False, timeout=60).returncode

    assert sudo("admin") == 0
    assert sudo("nosudo") == 1


def test_a_disk_is_plugged_into_a_running_host(small_lab: Callable[..., Lab]) -> None:
    there = small_lab()
    there.attach_disk("witness", "ubdc", 64 << 20)
    assert there.run("witness", "lsblk", "-bno", "SIZE", "/dev/ubdc").stdout.strip() == "67108864"


def test_two_labs_do_not_meet(lab: Lab, small_lab: Callable[..., Lab]) -> None:
    other = small_lab()
    ids = [each.run("witness", "cat", "/etc/machine-id").stdout for each in (lab, other)]
    assert ids[0] != ids[1]
    assert lab.run("witness", "ping", "-c1", "-W1", "10.77.0.11").returncode == 0
    assert other.run("witness", "ping", "-c1", "-W1", "10.77.0.11").returncode != 0
