"""From hosts with nothing configured to a shared filesystem, through the command line alone.

The tests of the files test_stack_*.py run in their order on one lab: each leaves a
converged cluster behind.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from cluster_site import WIPE, Site

from sanglier.drill.article import FinalTest
from sanglier.layers.stack import LAYERS
from sanglier.run.ssh import SshTransport
from sanglier.spec.load import load

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]


def test_plan_shows_every_step_and_touches_nothing(site: Site) -> None:
    plan = site.plan()
    layers = {step["layer"] for step in plan["steps"]}
    assert layers == {"drbd", "target", "initiator", "multipath", "ocfs2"}
    assert "write /etc/drbd.d/data.res" in {step["summary"] for step in plan["steps"]}
    assert site.on("disk-a", "ls /etc/drbd.d/*.res 2>/dev/null || echo none") == "none"
    assert not (site.directory / "lab.secrets").exists()


def test_script_shows_the_shell_and_no_secret(site: Site) -> None:
    done = site.run("plan", "--script")
    assert "drbdadm create-md" in done.stdout
    assert "mkfs.ocfs2" in done.stdout
    assert "***" in done.stdout


def test_apply_without_yes_and_without_terminal_asks_nothing_and_does_nothing(site: Site) -> None:
    done = site.run("apply")
    assert done.returncode != 0
    assert "--yes" in done.stdout + done.stderr
    assert site.on("disk-a", "ls /etc/drbd.d/*.res 2>/dev/null || echo none") == "none"


def test_a_device_with_a_filesystem_is_refused_by_name_and_left_alone(site: Site) -> None:
    site.on("disk-b", "mkfs.ext4 -q -L precious /dev/ubdb; sync")
    done = site.run("apply", "--yes")
    said = done.stdout + done.stderr
    assert done.returncode == 3, said
    assert "wipe:disk-b/ubdb" in said
    assert "ext4 precious" in said
    assert site.on("disk-b", "blkid -p -s LABEL -o value /dev/ubdb") == "precious"
    assert site.on("disk-a", "ls /etc/drbd.d/*.res 2>/dev/null || echo none") == "none"


def test_a_device_with_data_of_no_known_kind_is_refused(site: Site) -> None:
    site.on("disk-a", "printf mail | dd of=/dev/ubdb bs=1M seek=3 conv=notrunc 2>/dev/null; sync")
    assert "wipe:disk-a/ubdb" in site.plan()["missing_consents"]
    site.on("disk-a", "dd if=/dev/zero of=/dev/ubdb bs=1M seek=3 count=1 conv=notrunc 2>&1; sync")


def test_a_device_in_use_is_refused_even_with_consent(site: Site) -> None:
    site.on("disk-b", "mkdir -p /mnt/x; mount /dev/ubdb /mnt/x")
    done = site.run("apply", "--yes", *WIPE)
    site.on("disk-b", "umount /mnt/x")
    assert done.returncode == 3
    assert "SG-DISK-003" in done.stdout + done.stderr
    assert "mounted on /mnt/x" in done.stdout + done.stderr


def test_apply_with_consent_mounts_on_both_servers(site: Site) -> None:
    said = site.apply(*WIPE)
    assert "fencing is not yet configured" in said
    site.assert_converged()


def test_second_apply_finds_nothing_to_do(site: Site) -> None:
    said = site.apply()
    assert "Nothing to do" in said
    assert site.plan()["steps"] == []


def test_each_map_has_four_paths_in_two_groups_with_the_preferred_side_active(site: Site) -> None:
    topology = site.on("srv-a", "multipath -ll sanglier-data")
    assert topology.count("active ready running") == 4
    assert topology.count("policy=") == 2
    assert "prio=130 status=active" in topology


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


def test_secrets_are_in_no_journal_plan_or_process_list(site: Site) -> None:
    text = (site.directory / "lab.secrets").read_text()
    secrets = re.findall(r"'([A-Za-z0-9]{16,32})'", text)
    assert len(secrets) == 3
    journals = "".join(p.read_text() for p in (site.directory / "state").rglob("*.jsonl"))
    assert journals
    shown = journals + site.run("plan", "--script").stdout + site.run("status").stdout
    for host in ("disk-a", "disk-b", "srv-a", "srv-b"):
        shown += site.on(host, "ps axww -o args")
        assert site.on(host, "stat -c %a /etc/drbd.d/data.res /etc/iscsi/iscsid.conf 2>&1 || :")
    assert not [secret for secret in secrets if secret in shown]
    assert (site.directory / "lab.secrets").stat().st_mode & 0o077 == 0


def test_status_is_healthy_in_every_layer(site: Site) -> None:
    done = site.run("status")
    assert done.returncode == 0, done.stdout + done.stderr
    for layer in LAYERS:
        assert f"\n{layer.name}\n" in "\n" + done.stdout
    assert "✗" not in done.stdout


def test_log_shows_the_runs(site: Site) -> None:
    done = site.run("log")
    assert "apply" in done.stdout
    assert "ok" in done.stdout
