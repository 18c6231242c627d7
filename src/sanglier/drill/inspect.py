"""Look at the volume when nothing writes any more: both legs, and the filesystem itself."""

from __future__ import annotations

import asyncio
from functools import partial

from sanglier.core.errors import SanglierError
from sanglier.drill.checkers.filesystem import check_filesystem
from sanglier.drill.checkers.guard import attempt, guard
from sanglier.drill.checkers.legs import check_legs, in_use
from sanglier.drill.checkers.mirror import check_mirror, parse_side
from sanglier.drill.result import Check
from sanglier.drill.scene import Scene
from sanglier.spec.cluster import Host, StorageServer, Volume

VERIFY_S, FSCK_S, DIGEST_S, MOUNT_S = 300, 300, 300, 120

# $1 resource, $2 minor, $3 seconds.  Prints "verified" when the verify was seen to begin and end:
# the last such line is another one, with its time.  (Their number may stay: the kernel forgets.)
VERIFY = """
last() { dmesg | grep "drbd$1: Online verify done" | tail -n 1; }
begun=$(last "$2")
drbdadm verify "$1" || return 1
seconds=$3
while grep -q "^ *$2: cs:Verify" /proc/drbd; do
    seconds=$((seconds - 1)); sleep 1
    [ "$seconds" -gt 0 ] || return 1
done
ended=$(last "$2")
[ "$ended" != "$begun" ] && [ -n "$ended" ] && echo verified
:
"""
PROC = "cat /proc/drbd"
# $1 backing device, $2 replicated device: its size is the data area's, metadata lies behind it.
DIGEST = """
size=$(blockdev --getsize64 "$2") || return 1
dd if="$1" iflag=direct,count_bytes bs=1M count="$size" 2>/dev/null | sha256sum | cut -d' ' -f1
"""
UNMOUNT = 'systemctl stop "$(systemd-escape -p --suffix=mount "$1")"; ! grep -q " $1 " /proc/mounts'
MOUNT = 'systemctl start "$(systemd-escape -p --suffix=mount "$1")"'
FSCK = 'fsck.ocfs2 -fn "$1" 2>&1; echo "status $?"'


async def _try(scene: Scene, host: Host, text: str, *args: str, limit: int) -> str | None:
    """Give what it printed, or nothing when it did not end well, or not at all."""
    try:
        return await scene.run(host, text, *args, limit=limit)
    except (SanglierError, TimeoutError, OSError):
        return None


async def _mirror(scene: Scene, volume: Volume) -> tuple[Check, ...]:
    first = scene.storage[0]
    arguments = (volume.name, str(volume.minor), str(VERIFY_S))
    said = await _try(scene, first, VERIFY, *arguments, limit=VERIFY_S + 30)
    texts = await asyncio.gather(*(_try(scene, s, PROC, limit=30) for s in scene.storage))
    sides = {
        server.name: parse_side(text, volume.minor) if text else None
        for server, text in zip(scene.storage, texts, strict=True)
    }
    verified = said is not None and "verified" in said
    found = partial(check_mirror, volume.name, sides, verified=verified)
    return guard("divergent", volume.name, lambda: (found(),))


async def _legs(scene: Scene, volume: Volume) -> tuple[Check, ...]:
    async def digest(server: StorageServer) -> tuple[str, str | None]:
        device = volume.devices[server.name]
        arguments = (device, volume.drbd_device)
        return server.name, await _try(scene, server, DIGEST, *arguments, limit=DIGEST_S)

    digests = dict(await asyncio.gather(*(digest(server) for server in scene.storage)))
    return guard("legs", volume.name, lambda: (check_legs(volume.name, digests),))


async def _filesystem(scene: Scene, volume: Volume) -> tuple[Check, ...]:
    text = await _try(scene, scene.applications[0], FSCK, volume.map_device, limit=FSCK_S)
    status = int(text.rsplit("status ", 1)[1]) if text and "status " in text else None
    name = volume.name
    return guard("fsck", name, lambda: (check_filesystem(name, status, text or ""),))


async def inspect(scene: Scene) -> tuple[Check, ...]:
    """Look at every volume, one after the other."""
    return tuple([check for volume in scene.volumes for check in await _inspect(scene, volume)])


async def _inspect(scene: Scene, volume: Volume) -> tuple[Check, ...]:
    """Verify, unmount everywhere, check filesystem and legs, mount again."""
    name, mount = volume.name, volume.mount
    checks = await attempt("divergent", name, lambda: _mirror(scene, volume))
    said = await asyncio.gather(
        *(_try(scene, app, UNMOUNT, mount, limit=MOUNT_S) for app in scene.applications)
    )
    still = [app.name for app, told in zip(scene.applications, said, strict=True) if told is None]
    try:
        if still:
            checks += in_use(name, still)
        else:
            checks += await attempt("fsck", name, lambda: _filesystem(scene, volume))
            checks += await attempt("legs", name, lambda: _legs(scene, volume))
    finally:
        await asyncio.gather(
            *(_try(scene, app, MOUNT, mount, limit=MOUNT_S) for app in scene.applications)
        )
    return checks
