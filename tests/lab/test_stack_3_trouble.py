"""Hosts that cannot be reached or used: one clear error each, and nothing half done."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from cluster_site import Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def _with_ssh(site: Site, file: str, old: str, new: str) -> None:
    site.file.write_text(site.file.read_text().replace(old, new))


@pytest.fixture
def plain_file(site: Site) -> object:
    """Restore the cluster file after a test that changes it."""
    text = site.file.read_text()
    yield
    site.file.write_text(text)


def _said(site: Site, verb: str = "plan") -> tuple[int, str]:
    done = site.run(verb, *(("--yes",) if verb == "apply" else ()))
    return done.returncode, done.stdout + done.stderr


def test_a_frozen_host_is_reported_unreachable_and_nothing_is_changed(site: Site) -> None:
    site.on("srv-b", "umount /data")
    site.lab.freeze("witness")
    try:
        status, said = _said(site, "apply")
    finally:
        site.lab.thaw("witness")
    assert status == 4, said
    assert "SG-SSH-001" in said
    assert "witness" in said
    assert site.steps() == ["srv-b/ocfs2/data"]
    site.apply()


def test_a_changed_host_key_is_said_loudly(site: Site, tmp_path: Path) -> None:
    config = Path(site.lab.ssh_config)
    known = config.with_name("known_hosts").read_text()
    lines = known.splitlines()
    mine = next(line for line in lines if "10.77.0.22" in line)
    other = next(line for line in lines if "10.77.0.21" in line)
    forged = tmp_path / "known_hosts"
    forged.write_text(known.replace(mine.split()[2], other.split()[2]))
    changed = tmp_path / "ssh_config"
    text = re.sub(r"UserKnownHostsFile .*", f"UserKnownHostsFile {forged}", config.read_text())
    changed.write_text(text)
    strange = Site(lab=site.lab, directory=site.directory, ssh_config=changed)
    status, said = _said(strange)
    assert status == 4, said
    assert "SG-SSH-003" in said
    assert "srv-b" in said


@pytest.mark.usefixtures("plain_file")
def test_a_host_that_wants_a_password_is_named(site: Site) -> None:
    _with_ssh(site, "", "ssh: srv-b", "ssh: nobody@srv-b")
    status, said = _said(site)
    assert status == 4, said
    assert "SG-SSH-004" in said


@pytest.mark.usefixtures("plain_file")
def test_a_user_without_sudo_is_named(site: Site) -> None:
    _with_ssh(site, "", "ssh: srv-b", "ssh: nosudo@srv-b")
    status, said = _said(site)
    assert status == 4, said
    assert "SG-SSH-005" in said


@pytest.mark.usefixtures("plain_file")
def test_a_user_with_sudo_works_like_root(site: Site) -> None:
    _with_ssh(site, "", "ssh: srv-b", "ssh: admin@srv-b")
    assert site.steps() == []
    site.on("srv-b", "umount /data")
    site.apply()
    site.assert_whole()


FILL = """
rm -f /etc/multipath.conf
fallocate -l "$(df --output=avail -k / | tail -n 1 | tr -d ' ')k" /fill || :
dd if=/dev/zero of=/fill2 bs=4k 2>/dev/null || :
"""


def test_a_full_disk_gives_its_own_error_and_converges_afterwards(site: Site) -> None:
    site.on("srv-b", FILL, timeout=200)
    try:
        status, said = _said(site, "apply")
    finally:
        site.on("srv-b", "rm -f /fill /fill2; sync")
    assert status == 1, said
    assert "SG-RUN-002" in said
    site.apply()
    site.assert_whole()


def test_a_missing_kernel_module_is_a_blocker_with_its_name(site: Site) -> None:
    dep = "/lib/modules/$(uname -r)/modules.dep"
    site.on("srv-a", f"cp {dep} /root/dep; sed -i '/ocfs2_stack_o2cb/d' {dep}")
    try:
        status, said = _said(site)
    finally:
        site.on("srv-a", f"cp /root/dep {dep}")
    assert status == 3, said
    assert "SG-PKG-002" in said
    assert "ocfs2_stack_o2cb" in said


def test_missing_packages_without_a_source_are_said_to_be_so(site: Site) -> None:
    site.on("srv-a", "dpkg-query -W fio >/dev/null; cp -a /var/lib/dpkg/status /root/status; "
            "sed -i '/^Package: multipath-tools$/,/^$/d' /var/lib/dpkg/status")  # fmt: skip
    try:
        status, said = _said(site)
    finally:
        site.on("srv-a", "cp -a /root/status /var/lib/dpkg/status")
    assert status == 3, said
    assert "SG-PKG-001" in said
    assert "multipath-tools" in said


def _until_a_step_begins(run: subprocess.Popen[str]) -> None:
    assert run.stdout
    for line in run.stdout:
        if "StepStarted" in line:
            return
    raise AssertionError("no step ever began")


def test_a_second_apply_at_once_says_who_holds_the_lock(site: Site) -> None:
    site.on("srv-b", "umount /data")
    first = site.start("apply", "--yes", "--json-events")
    _until_a_step_begins(first)
    status, said = _said(site, "apply")
    first_said, _ = first.communicate(timeout=200)
    assert first.returncode == 0, first_said
    assert status == 3, said
    assert "SG-RUN-020" in said
    assert f"process {first.pid}, apply) since" in said
    site.assert_whole()


def test_a_lock_of_a_killed_apply_is_taken_over_and_said(site: Site) -> None:
    site.on("srv-b", "umount /data")
    first = site.start("apply", "--yes", "--json-events")
    _until_a_step_begins(first)
    first.kill()
    first.communicate(timeout=30)
    said = site.apply()
    assert "took over the lock" in said
    assert f"process {first.pid}, apply" in said
    site.assert_whole()
