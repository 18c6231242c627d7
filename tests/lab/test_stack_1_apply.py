"""From hosts with nothing configured to a shared filesystem, through the command line alone.

The files test_stack_*.py run in their order, some of them on a second lab (conftest.py).  Up to
the sixth each leaves a converged cluster behind; the seventh ends with nothing, which the eighth
begins from.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from cluster_site import DISK, EXAMPLES, TARGETS, WIPE, Site, make_site

from sanglier.core.action import Script
from sanglier.core.shell import render
from sanglier.drill.article import FinalTest
from sanglier.layers.backing.steps import WIPE as WIPING
from sanglier.layers.drbd.begin import CREATE
from sanglier.layers.stack import LAYERS
from sanglier.run.ssh import SshTransport
from sanglier.spec.load import load

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

NOTHING = "ls /etc/drbd.d/*.res /etc/sanglier 2>/dev/null || echo none"
ENGINE = "systemctl is-active pacemaker corosync corosync-qdevice || :"


def test_plan_shows_every_step_and_touches_nothing(site: Site) -> None:
    plan = site.plan()
    layers = {step["layer"] for step in plan["steps"]}
    assert layers == {"drbd", "target", "cluster", "initiator", "multipath", "ocfs2"}
    assert "write /etc/drbd.d/data.res" in {step["summary"] for step in plan["steps"]}
    assert site.on("disk-a", NOTHING) == "none"
    assert site.secrets.read_bytes() == site.lab.secrets.read_bytes()


def test_script_shows_the_shell_and_no_secret(site: Site) -> None:
    shell = site.must("plan", "--script")
    for command in ("drbdadm create-md", "cibadmin --replace", "mkfs.ocfs2", "***"):
        assert command in shell
    known = re.findall(r"'(\w+)'", site.secrets.read_text())
    assert known
    assert not [secret for secret in known if secret in shell]


def test_without_the_power_switches_passwords_nothing_begins(site: Site, tmp_path: Path) -> None:
    said = site.refused("apply", "--yes", "--secrets", str(tmp_path / "none"), *WIPE, status=2)
    assert "SG-RUN-033" in said
    assert "disk-a and disk-b" in said


def test_the_articles_mode_is_refused_without_its_consent(site: Site, tmp_path: Path) -> None:
    teaching = make_site(site.lab, tmp_path, EXAMPLES / "article.yaml")
    said = teaching.refused("apply", "--yes", *WIPE)
    assert "SG-CLU-001" in said
    assert "--allow article:guiguiabloc" in said
    assert site.on("disk-a", NOTHING) == "none"


def test_apply_without_yes_and_without_terminal_asks_nothing_and_does_nothing(site: Site) -> None:
    assert "--yes" in site.refused("apply")
    assert site.on("disk-a", NOTHING) == "none"


def test_a_device_with_a_filesystem_is_refused_by_name_and_left_alone(site: Site) -> None:
    """It ends within what a wipe zeroes; more would show in every later verify of the mirror."""
    site.on("disk-b", f"mkfs.ext4 -q -L precious {DISK} 15M; sync")
    said = site.refused("apply", "--yes")
    assert "wipe:disk-b/mapper/disk" in said
    assert "ext4 precious" in said
    assert site.on("disk-b", f"blkid -p -s LABEL -o value {DISK}") == "precious"
    assert site.on("disk-a", NOTHING) == "none"


def test_a_device_with_data_of_no_known_kind_is_refused(site: Site) -> None:
    site.on("disk-a", f"printf mail | dd of={DISK} bs=1M seek=3 conv=notrunc 2>/dev/null; sync")
    assert "wipe:disk-a/mapper/disk" in site.plan()["missing_consents"]
    site.on("disk-a", f"dd if=/dev/zero of={DISK} bs=1M seek=3 count=1 conv=notrunc 2>&1; sync")


def test_a_device_in_use_is_refused_even_with_consent(site: Site) -> None:
    site.on("disk-b", f"mkdir -p /mnt/x; mount {DISK} /mnt/x")
    said = site.refused("apply", "--yes", *WIPE)
    site.on("disk-b", "umount /mnt/x")
    assert "SG-DISK-003" in said
    assert "mounted on /mnt/x" in said


JOURNAL = f"""
mkfs.ext4 -q -F -O journal_dev -b 4096 {DISK}
truncate -s 64M /var/fs; mkfs.ext4 -q -F -b 4096 -J device={DISK} /var/fs
mkdir -p /mnt/x; mount -o loop /var/fs /mnt/x; echo kept > /mnt/x/file
"""
"""Another filesystem's journal on the device, of which neither mounts nor sysfs tell."""
BACKSTORE = f"""
modprobe target_core_iblock; mkdir -p {TARGETS}/core/iblock_77/other
printf udev_path={DISK} > {TARGETS}/core/iblock_77/other/control
echo 1 > {TARGETS}/core/iblock_77/other/enable
"""
"""Somebody else's LIO disk on the device, blank as yet."""


UNCLAIMED = {
    "is under loop": ("modprobe loop; losetup /dev/loop7 {0}", "losetup -d /dev/loop7"),
    "is open for writing in sleep": (
        "sleep 300 1<> {0} 2>/dev/null </dev/null & echo $! > /run/opener",
        "kill $(cat /run/opener)",
    ),
}
"""Who has a device without claiming it: how it is taken and freed."""


def assert_untouchable(site: Site, host: str) -> str:
    """Wiping and making metadata fail on their own, whatever a plan said; gives the reason."""
    wipe = render(Script(text=WIPING, args=(DISK, "/run/wiped")), reveal=True)
    words = ("data", DISK, "/run/begun", "new", "/run/wiped")
    create = render(Script(text=CREATE, args=words), reveal=True)
    for script in (wipe, create):
        done = site.lab.run(host, "sh", "-ec", script)
        assert done.returncode != 0
        assert "nothing was written" in done.stdout
    assert site.on(host, "ls /run/wiped /run/begun 2>/dev/null || :") == ""
    return done.stdout


@pytest.mark.parametrize("how", UNCLAIMED)
def test_a_device_that_is_used_without_a_claim_is_found_by_its_user(site: Site, how: str) -> None:
    take, free = UNCLAIMED[how]
    site.on("disk-a", take.format(DISK))
    assert how in assert_untouchable(site, "disk-a")
    site.on("disk-a", free)


def test_a_device_that_another_journal_or_target_has_is_refused_even_with_consent(
    site: Site,
) -> None:
    site.on("disk-a", JOURNAL)
    site.on("disk-b", BACKSTORE)
    plan = site.plan(*WIPE)
    found = {p["address"]: p for p in plan["problems"] if p["code"] == "SG-DISK-003"}
    assert set(found) == {"disk-a/backing/mapper/disk", "disk-b/backing/mapper/disk"}, plan
    assert "iblock_77/other" in found["disk-b/backing/mapper/disk"]["what"]
    assert "SG-DISK-003" in site.refused("apply", "--yes", *WIPE)
    for host in found:
        assert_untouchable(site, host.partition("/")[0])
    site.on("disk-b", f"rmdir {TARGETS}/core/iblock_77/other {TARGETS}/core/iblock_77")
    site.on("disk-a", "umount /mnt/x; mount -o loop /var/fs /mnt/x; cat /mnt/x/file; umount /mnt/x")
    head = f"dd if=/dev/zero of={DISK} bs=1M count=16 conv=notrunc,fsync 2>&1"
    site.on("disk-a", f"rm /var/fs; {head}")


def test_a_power_switch_that_does_not_answer_stops_apply_before_anything_opens(site: Site) -> None:
    site.lab.cut_bmc("disk-b")
    try:
        said = site.refused("apply", "--yes", *WIPE, status=1)
    finally:
        site.lab.heal_bmc("disk-b")
    assert "SG-RUN-001" in said
    assert "the power switch of disk-b" in said
    for host in ("disk-a", "disk-b"):
        assert set(site.on(host, ENGINE).split()) == {"inactive"}
        assert site.on(host, "ls -d /sys/kernel/config/target/core/iblock_* 2>/dev/null || :") == ""


def test_apply_goes_on_from_there_and_mounts_on_both_servers(site: Site) -> None:
    site.apply()
    site.assert_whole()
    assert site.open_on() == "disk-a"


def test_second_apply_finds_nothing_to_do(site: Site) -> None:
    said = site.apply()
    assert "Nothing to do" in said
    assert "values read back from the kernels and daemons, all as wanted" in said
    assert site.plan()["steps"] == []


def test_each_map_has_two_open_paths_in_use_and_two_in_standby(site: Site) -> None:
    for host in ("srv-a", "srv-b"):
        topology = site.on(host, "multipath -ll sanglier-data")
        groups = re.split(r"policy=", topology)[1:]
        assert [group.count("active ready running") for group in groups] == [2, 0], topology
        assert [group.count("active ghost running") for group in groups] == [0, 2], topology
        assert "status=active" in groups[0]


def test_the_articles_final_test(site: Site) -> None:
    """A file touched on srv-a is listed on srv-b; both write at once; flock excludes."""
    cluster = load(site.file)

    async def prove() -> list[str]:
        transport = SshTransport(config=Path(site.lab.ssh_config))
        try:
            first, second = cluster.applications[:2]
            test = FinalTest(
                transport=transport, first=first, second=second, volume=cluster.volumes[0]
            )
            return [f"{p.sentence}: {p.evidence}" for p in await test.run() if not p.holds]
        finally:
            await transport.close()

    assert asyncio.run(prove()) == []


LOGS = """
ps axww -o args | grep -v '[i]pmitool'
journalctl --no-pager
find /var/log/pacemaker -type f -exec cat {} + 2>/dev/null || :
if pidof pacemakerd >/dev/null; then cibadmin --query; fi
"""
"""Where a secret could show on a host; guarded.md tells of ipmitool's arguments."""
MODES = {
    "disk-a": {
        "/etc/drbd.d/data.res": "600",
        "/etc/sanglier/targets/data": "600",
        "/etc/sanglier/fence/fence-disk-b-1": "700",
        "/etc/corosync/authkey": "400",
    },
    "srv-a": {"/etc/iscsi/iscsid.conf": "600"},
}


def test_secrets_are_in_no_journal_plan_log_cib_or_process_list(site: Site) -> None:
    secrets = set(re.findall(r"'([A-Za-z0-9]{16,256})'", site.secrets.read_text()))
    assert len(secrets) == 5, "DRBD's, two of CHAP, Corosync's, the power switches'"
    journals = "".join(p.read_text() for p in (site.directory / "state").rglob("*.jsonl"))
    assert journals
    shown = journals + site.run("plan", "--script").stdout + site.run("status").stdout
    for host in ("disk-a", "disk-b", "srv-a", "srv-b"):
        shown += site.on(host, LOGS)
    assert "data-open" in shown
    assert not [secret for secret in secrets if secret in shown]


def test_files_with_secrets_are_for_root_alone(site: Site) -> None:
    assert site.secrets.stat().st_mode & 0o077 == 0
    for host, modes in MODES.items():
        listed = site.on(host, f"stat -c '%n %U %a' {' '.join(modes)}")
        assert listed.splitlines() == [f"{path} root {mode}" for path, mode in modes.items()]


def test_status_is_healthy_in_every_layer(site: Site) -> None:
    shown = site.must("status")
    for layer in LAYERS:
        assert f"\n{layer.name}\n" in "\n" + shown
    assert "✗" not in shown
    assert "open on disk-a" in shown


def test_log_shows_the_runs(site: Site) -> None:
    done = site.run("log")
    assert "apply" in done.stdout
    assert "ok" in done.stdout
