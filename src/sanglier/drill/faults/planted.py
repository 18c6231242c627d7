"""What must never happen, done on purpose: a drill with one of these must not pass.

They prove the prover; so does a power switch that lies (:mod:`switches`).  None is drawn at random,
nor played by ``drill all``.
"""

from __future__ import annotations

from sanglier.drill.faults.base import Fault, Took, done, shown
from sanglier.drill.scene import Role, Scene
from sanglier.drill.workloads.base import program
from sanglier.drill.workloads.blocks import BLOCKS
from sanglier.drill.workloads.retired import LAST
from sanglier.spec.cluster import Host

# Finds the first block that has been left alone, and where it lies on the device: FS_IOC_FIEMAP,
# <linux/fiemap.h>.  Prints its record without the version, then the place in blocks of 4 KiB.
FIND = r"""
for my $whose (names("$directory/retired")) {
    for my $lane (names("$directory/retired/$whose")) {
        sysopen(my $file, "$directory/retired/$whose/$lane", O_RDONLY | $o_direct) or next;
        my $text = fetch($file, 0);
        next if !defined $text || $text ne record($whose, $lane, 0, 2) x 32;
        my $map = pack("QQLLLL", 0, 4096, 1, 0, 1, 0) . "\0" x 56;
        ioctl($file, 0xC020660B, $map) or next;
        my (undef, undef, undef, $mapped) = unpack("QQLLLL", $map);
        my ($logical, $physical) = unpack("x32 QQ", $map);
        next if $mapped != 1 || $logical != 0 || $physical % 4096;
        said($physical / 4096, $whose, $lane, 0);
        exit 0;
    }
}
print "no block has been left alone yet\n";
exit 1;
"""
# $1 device, $2 place in blocks of 4 KiB, $3 record, $4 version that must lie there, $5 version.
# Only a block of the drill's own is overwritten.
_RECORD = """
record() { perl -e 'print((substr("$ARGV[0] " . "." x 127, 0, 127) . "\\n") x 32)' "$1"; }
lies() { dd if="$1" bs=4096 skip="$2" count=1 iflag=direct 2>/dev/null | cksum; }
"""
PUT = (
    _RECORD
    + """
[ "$(lies "$1" "$2")" = "$(record "$3 $4" | cksum)" ] || {
    echo "another block than $3 $4 lies at $2"
    return 1
}
record "$3 $5" | dd of="$1" bs=4096 seek="$2" iflag=fullblock oflag=direct conv=notrunc 2>/dev/null
"""
)
LIES = _RECORD + """[ "$(lies "$1" "$2")" = "$(record "$3 $4" | cksum)" ]"""


async def _found(scene: Scene) -> tuple[str, str]:
    """Give the place of a block on the device, and its record without the version."""
    script = program(BLOCKS + FIND, scene.folder)
    words = tuple(str(word) for word in script.args)
    place, _, record = (await scene.run(scene.applications[0], script.text, *words)).partition(" ")
    return place, record


async def _write_late(scene: Scene, host: Host) -> None:
    """Put the first version of a block back over its last one, below the filesystem."""
    place, record = await _found(scene)
    device = scene.volume.drbd_device
    await scene.run(host, PUT, device, place, record, str(LAST), "1")
    seen = await shown(scene, host, LIES, device, place, record, "1")
    if seen is not Took.YES:
        raise RuntimeError(f"version 1 of {record} lies at {place}: {seen}")


FAULTS = (
    Fault(
        name="late-write", role=Role.OPEN, hold_s=10,
        explains="an old block is put back over a newer, acknowledged one, as a late write would: "
        "the drill must say so",
        inject=_write_late, took=done, prediction="", alone=True, plain=False, planted="late",
    ),
)  # fmt: skip
