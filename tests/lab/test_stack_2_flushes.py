"""What an application asks to be durable is flushed on the open server's disk, every time.

OCFS2 flushes only where it is mounted with barriers, and mounts without them unless it is told.
"""

from __future__ import annotations

import subprocess

import pytest
from cluster_site import DISK, Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

TIMES = 50
FLUSHES = f"awk '{{print $16}}' /sys/block/$(basename $(readlink -f {DISK}))/slaves/*/stat"
"""Flushes that the disk below has finished, Documentation/block/stat.rst; on a storage server.
Device-mapper's own counter stays at 0."""

# Arguments: directory, kind, how often, "synced" or "unsynced".  It ends by telling how often it
# asked; what could flush for reasons of its own (space, the activity log's extents) comes before.
WRITER = """
import mmap, os, sys
where, kind, times, synced = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "synced"
page = mmap.mmap(-1, 4096)
page.write(b"x" * 4096)
path = os.path.join(where, kind)
os.makedirs(path, exist_ok=True)
flags = {"O_DIRECT": os.O_DIRECT, "O_DSYNC": os.O_DSYNC if synced else 0, "appends": os.O_APPEND}
file = os.open(path + "/file", os.O_RDWR | os.O_CREAT | flags.get(kind, 0), 0o600)
directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

def overwrite(i): os.pwrite(file, page, i * 4096)
def append(i): os.write(file, b"a line\\n")
def rename(i): os.rename(f"{path}/{i}", f"{path}/{i + 1}")
deed, sync, on = {
    "O_DIRECT": (overwrite, os.fdatasync, file), "O_DSYNC": (overwrite, None, file),
    "appends": (append, os.fsync, file), "renames": (rename, os.fsync, directory),
}[kind]
if deed is overwrite:
    for i in range(times): overwrite(i)
os.close(os.open(f"{path}/0", os.O_CREAT, 0o600))
os.sync()
print("ready", flush=True)
sys.stdin.readline()
for i in range(times):
    deed(i)
    if synced and sync: sync(on)
"""

SERVERS = ("srv-a", "srv-b")
UNIT = "/etc/systemd/system/data.mount"
AS_BEFORE = (
    f"sed -i 's/barrier=1,//' {UNIT}; systemctl daemon-reload; mount -o remount,barrier=0 /data"
)
HOLD = "exec 9>/data/held-$(hostname); echo ready; read -r line; echo $line >&9"


def flushes(site: Site, server: str) -> int:
    return int(site.on(server, FLUSHES))


def begun(site: Site, host: str, *argv: str) -> subprocess.Popen[str]:
    """Begin something on a host that says when it is ready, and then waits for a line."""
    pipe = subprocess.PIPE
    run = subprocess.Popen(site.lab.ssh_argv(host, argv), stdin=pipe, stdout=pipe, text=True)
    assert run.stdout
    assert run.stdout.readline() == "ready\n"
    return run


def flushed(site: Site, host: str, kind: str, *, synced: bool = True) -> int:
    """Count the flushes of the open server's disk while ``host`` writes."""
    server = site.open_on()
    word = "synced" if synced else "unsynced"
    argv = ("python3", "-c", WRITER, f"/data/flushes-{host}", kind, str(TIMES), word)
    with begun(site, host, *argv) as writer:
        before = flushes(site, server)
        writer.communicate("go\n", timeout=120)
        assert writer.returncode == 0
        return flushes(site, server) - before


@pytest.mark.parametrize(
    ("host", "kind"),
    [("srv-a", "O_DIRECT"), ("srv-b", "O_DSYNC"), ("srv-a", "appends"), ("srv-b", "renames")],
)
def test_each_sync_is_at_least_one_flush_of_the_open_servers_disk(
    site: Site, host: str, kind: str
) -> None:
    """fdatasync of direct overwrites, O_DSYNC, fsync of appends, fsync of a directory."""
    counted = flushed(site, host, kind)
    assert counted >= TIMES


def test_without_a_sync_the_same_writes_flush_next_to_nothing(site: Site) -> None:
    """So it is the syncs that were counted, and not what flushes anyway."""
    counted = flushed(site, "srv-a", "appends", synced=False)
    assert counted < TIMES / 2


@pytest.mark.long
def test_a_cluster_from_before_is_taken_over_with_its_files_open(site: Site) -> None:
    """Units and mounts without the option: told by status, and mended by a remount."""
    for host in SERVERS:
        site.on(host, AS_BEFORE)
    assert site.refused("status", status=1).count("NO FSYNC IS FLUSHED") == len(SERVERS)
    steps = {step["address"]: step for step in site.plan()["steps"]}
    assert set(steps) == {f"{h}/ocfs2/{what}" for h in SERVERS for what in ("data.mount", "data")}
    assert {step["risk"] for step in steps.values()} == {"safe"}
    holders = [begun(site, host, "sh", "-c", HOLD) for host in SERVERS]
    site.apply()
    for host, holder in zip(SERVERS, holders, strict=True):
        holder.communicate("still mine\n", timeout=60)
        assert site.on(host, f"cat /data/held-{host}") == "still mine"
    site.assert_whole()


def test_a_mount_that_shares_another_ones_options_gets_its_own(site: Site) -> None:
    """The filesystem is mounted elsewhere, by hand and without: the unit's mount shares that."""
    site.on("srv-b", "umount /data; mkdir -p /mnt/by-hand; "
            "mount -t ocfs2 /dev/mapper/sanglier-data /mnt/by-hand")  # fmt: skip
    site.apply()
    site.assert_whole()
    assert "barrier=1" in site.on("srv-b", "grep ' /mnt/by-hand ' /proc/mounts")
    site.on(
        "srv-b",
        "umount /mnt/by-hand; rmdir /mnt/by-hand; grep -q ' /data .*barrier=1' /proc/mounts",
    )


def test_systemd_reloads_with_barriers(site: Site) -> None:
    """What somebody may do by hand: a remount with the unit's options instead of those in force."""
    site.on("srv-a", "systemctl daemon-reload; systemctl reload data.mount; "
            "grep -q ' /data .*barrier=1' /proc/mounts")  # fmt: skip


QUEUE = "/sys/block/$(basename $(readlink /dev/mapper/sanglier-data))/queue/write_cache"


def test_a_map_that_is_made_to_drop_flushes_is_told(site: Site) -> None:
    site.on("srv-b", f"printf 'write through' > {QUEUE}")
    try:
        assert flushed(site, "srv-b", "O_DSYNC") < TIMES / 2
        said = site.refused("status", status=1)
    finally:
        site.on("srv-b", f"printf 'write back' > {QUEUE}")
    assert "SG-FS-010" in said
    assert "ITS MAP DROPS FLUSHES" in said
