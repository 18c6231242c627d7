"""An application server that stood still for longer than o2cb's patience writes nothing any more.

Written without a lab at hand; what it reads of LIO (acls/*/info, num_cmds) is to be recorded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from cluster_site import IQN, Site, tpg

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1800)]

STORAGE = ("disk-a", "disk-b")
MOUNTED = "grep -q ' /data ocfs2 ' /proc/mounts"
BOOT = "cat /proc/sys/kernel/random/boot_id"
SILENCE_S, LOOKS_S, DEAD_S = 98, 20, 122
"""With `safe`: its silence until it is shut out, two looks, its silence until peers give it up."""


BEYOND = "bs=4096 count=1"
READ = f"dd if=/dev/mapper/sanglier-data of=/run/block {BEYOND} skip=4096 iflag=direct"
REFUSED = f"""
for disk in /dev/sd?; do
    ! timeout 30 dd if=$disk of=/dev/null {BEYOND} skip=4096 iflag=direct || exit 1
    ! timeout 30 dd if=/run/block of=$disk {BEYOND} seek=4096 oflag=direct conv=notrunc || exit 1
done"""
"""A block beyond LIO's empty LUN 0 is read no more, and what was read of it before not written."""


def acl(server: str, app: str) -> str:
    return f"{tpg(server)}/acls/{IQN}.{app}"


def shut_out(site: Site, server: str, app: str) -> bool:
    return site.on(server, f"[ -d {acl(server, app)}/lun_0 ] && echo mapped || echo gone") == "gone"


def until_given(site: Site, app: str) -> None:
    for server in STORAGE:
        site.until(server, f"[ -d {acl(server, app)}/lun_0 ]", 60)


@pytest.fixture(autouse=True)
def whole_before_and_after(site: Site) -> Iterator[None]:
    site.assert_whole()
    yield
    site.assert_whole()


def test_each_login_names_its_boot_and_lio_counts_its_commands(site: Site) -> None:
    """What the monitor rests on, on the real kernel."""
    for app in ("srv-a", "srv-b"):
        boot = site.on(app, BOOT)
        for server in STORAGE:
            info = site.on(server, f"cat {acl(server, app)}/info")
            assert f"InitiatorAlias: sanglier.{boot}" in info
            assert "TARG_SESS_STATE_LOGGED_IN" in info
            read = f"cat {acl(server, app)}/lun_0/statistics/scsi_auth_intr/num_cmds"
            before = int(site.on(server, read))
            time.sleep(10)
            assert int(site.on(server, read)) > before
    told = site.on("disk-a", "attrd_updater -Q -A -n sanglier-initiators-data")
    assert 'host="disk-a" value="' in told
    assert told.count(f"{IQN}.srv-b=yes") == 2
    assert "sanglier-initiators-data" not in site.on("disk-a", "cibadmin --query")


def test_one_that_was_paused_for_too_long_does_not_get_its_lun_back(site: Site) -> None:
    """Without a mount o2cb does not reset it, so the same boot logs in again: the hard case."""
    site.on("srv-b", f"systemctl stop data.mount; {READ}")
    boot = site.on("srv-b", BOOT)
    site.lab.freeze("srv-b")
    began = time.monotonic()
    try:
        for server in STORAGE:
            gone = f"[ ! -d {acl(server, 'srv-b')}/lun_0 ]"
            site.until(server, gone, SILENCE_S + LOOKS_S + 10)
        assert SILENCE_S <= time.monotonic() - began <= DEAD_S
        time.sleep(max(0.0, DEAD_S + 10 - (time.monotonic() - began)))
    finally:
        site.lab.thaw("srv-b")
    logged_in = "TARG_SESS_STATE_LOGGED_IN"
    for server in STORAGE:
        site.until(server, f"grep -q {logged_in} {acl(server, 'srv-b')}/info", 90)
    time.sleep(25)
    assert all(shut_out(site, server, "srv-b") for server in STORAGE)
    assert site.on("srv-b", BOOT) == boot
    site.on("srv-b", REFUSED)
    assert "SG-TGT-002" in site.run("plan").stdout
    assert "SHUT OUT: srv-b" in site.run("status").stdout
    assert not any("acl" in step for step in site.steps())
    site.lab.kill("srv-b")
    site.lab.start("srv-b")
    site.until("srv-b", MOUNTED, 400)
    until_given(site, "srv-b")
    assert "SG-TGT-002" not in site.run("plan").stdout


def test_one_that_was_paused_with_its_mount_comes_back_as_another_boot(site: Site) -> None:
    boot = site.on("srv-b", BOOT)
    site.on("srv-b", "dd if=/dev/zero of=/data/paused bs=4096 count=1 oflag=direct")
    site.on(
        "srv-b",
        "nohup sh -c 'while :; do dd if=/dev/urandom of=/data/paused bs=4096 count=1 "
        "oflag=direct conv=notrunc; done' > /dev/null 2>&1 &",
    )
    site.lab.freeze("srv-b")
    try:
        site.until("srv-a", "dmesg | grep -q 'Begin replay journal (node 1'", DEAD_S + 60)
        assert all(shut_out(site, server, "srv-b") for server in STORAGE)
        site.on("srv-a", "dd if=/dev/zero of=/data/paused bs=4096 count=1 oflag=direct")
        wanted = site.on("srv-a", "sha256sum < /data/paused")
    finally:
        site.lab.thaw("srv-b")
    site.until("srv-b", f'[ "$({BOOT})" != {boot} ] && {MOUNTED}', 600)
    found = site.on("srv-a", "echo 1 > /proc/sys/vm/drop_caches; sha256sum < /data/paused")
    assert found == wanted
    until_given(site, "srv-b")
    site.on("srv-a", "rm /data/paused")


def test_one_storage_server_that_it_cannot_reach_shuts_nobody_out(site: Site) -> None:
    """Its sessions to one are away for longer than that; the other one hears it."""
    addresses = "iscsiadm -m session | grep -F .data.disk-b | sed 's/.* \\([0-9.]*\\):3260.*/\\1/'"
    cut = f"for to in $({addresses}); do ip route add prohibit $to/32; done"
    site.on("srv-b", cut)
    try:
        time.sleep(SILENCE_S + 3 * LOOKS_S)
        assert not shut_out(site, "disk-b", "srv-b")
    finally:
        site.on("srv-b", "ip route flush type prohibit")
    site.until(
        "srv-b", "[ $(grep -l LOGGED_IN /sys/class/iscsi_session/*/state | wc -l) -ge 4 ]", 90
    )


def test_a_storage_server_that_boots_does_not_give_the_lun_to_who_is_out(site: Site) -> None:
    """The notes are on its disk, and the other one tells it."""
    site.on("srv-b", "systemctl stop data.mount")
    site.lab.freeze("srv-b")
    try:
        gone = f"[ ! -d {acl('disk-b', 'srv-b')}/lun_0 ]"
        site.until("disk-b", gone, SILENCE_S + LOOKS_S + 10)
        site.lab.kill("disk-b")
        site.lab.start("disk-b")
        site.until("disk-b", f"[ -d {acl('disk-b', 'srv-b')} ]", 300)
        assert shut_out(site, "disk-b", "srv-b")
    finally:
        site.lab.thaw("srv-b")
    site.until("disk-b", f"grep -q TARG_SESS_STATE_LOGGED_IN {acl('disk-b', 'srv-b')}/info", 120)
    time.sleep(25)
    assert shut_out(site, "disk-b", "srv-b")
    site.lab.kill("srv-b")
    site.lab.start("srv-b")
    site.until("srv-b", MOUNTED, 400)


def test_a_blackout_of_the_storage_shuts_nobody_out(site: Site) -> None:
    """All hang alike, and go on when one of them is back."""
    boots = [site.on(app, BOOT) for app in ("srv-a", "srv-b")]
    for server in STORAGE:
        site.lab.kill(server)
    time.sleep(SILENCE_S + LOOKS_S)
    for server in STORAGE:
        site.lab.start(server)
    for app in ("srv-a", "srv-b"):
        site.until(
            app,
            f"{MOUNTED} && timeout 10 dd if=/dev/zero of=/data/black.{app} "
            "bs=4096 count=1 oflag=direct",
            400,
        )
    until_given(site, "srv-a")
    until_given(site, "srv-b")
    assert [site.on(app, BOOT) for app in ("srv-a", "srv-b")] == boots
