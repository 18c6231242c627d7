"""What an application asks to be durable is flushed on the open server's disk, every time."""

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


def flushes(site: Site, server: str) -> int:
    return int(site.on(server, FLUSHES))


def flushed(site: Site, host: str, kind: str, *, synced: bool = True) -> int:
    """Count the flushes of the open server's disk while ``host`` writes."""
    server = site.open_on()
    word = "synced" if synced else "unsynced"
    argv = ("python3", "-c", WRITER, f"/data/flushes-{host}", kind, str(TIMES), word)
    pipe = subprocess.PIPE
    with subprocess.Popen(
        site.lab.ssh_argv(host, argv), stdin=pipe, stdout=pipe, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
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
