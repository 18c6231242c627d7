"""Rules about filesystems: mount points, labels, node slots."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from sanglier.spec import patterns
from sanglier.spec.defaults import MAX_SLOTS
from sanglier.spec.draft import Draft, Text
from sanglier.spec.mistake import Found, dotted, show
from sanglier.spec.rules.base import rule
from sanglier.spec.rules.hosts import repeated

SYSTEM_TREES = (
    "/bin",
    "/boot",
    "/dev",
    "/dlm",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/lost+found",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/var/lock",
    "/var/run",
    "/var/lib/dpkg",
    "/var/lib/iscsi",
    "/var/lib/systemd",
)
SYSTEM_DIRECTORIES = (
    "/",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/spool",
    "/var/tmp",
)
MAX_UNIT_NAME = 249
MAX_LABEL = 63


@rule("SG-SPEC-054")
def mount_form(draft: Draft) -> Iterator[Found]:
    """A mount point is a plain absolute path

    Without `.`, `..`, doubled or trailing slashes, of the characters A-Z a-z 0-9 . _ : + @ - /.
    It becomes a line of fstab(5) and the name of a systemd unit, where each of : + @ - takes four
    characters and the whole at most 255.
    """
    for mount in _mounts(draft):
        path = mount.value
        unit = sum(1 if c.isalnum() or c in "._/" else 4 for c in path)
        plain = path == "/" or patterns.matches(patterns.MOUNT, path)
        if not plain or _normal(path) != path or unit > MAX_UNIT_NAME:
            what = f"not a mount point: {show(path)}"
            yield Found(mount.path, what, "write an absolute path such as /data")


def _normal(path: str) -> str:
    """Give the shortest way to write a path (normpath alone keeps two leading slashes)."""
    return posixpath.normpath("/" + path.lstrip("/")) if path.startswith("/") else path


def _mounts(draft: Draft) -> Iterator[Text]:
    return (volume.mount for volume in draft.volumes or () if volume.mount)


@rule("SG-SPEC-055")
def mount_system(draft: Draft) -> Iterator[Found]:
    """A mount point does not hide the system

    A filesystem mounted over /usr, /etc or /home hides what the server needs to run or what
    users have there. A directory of your own, such as /data, /srv/www, /home/shared or
    /var/www, is good.
    """
    for mount in _mounts(draft):
        if _of_system(mount.value):
            what = f"{show(mount.value)} belongs to the system"
            yield Found(mount.path, what, "write a directory of its own, such as /data")


def _of_system(mount: str) -> bool:
    path = _normal(mount)
    inside = any(path == tree or path.startswith(tree + "/") for tree in SYSTEM_TREES)
    return inside or path in SYSTEM_DIRECTORIES


@rule("SG-SPEC-056")
def mount_twice(draft: Draft) -> Iterator[Found]:
    """Mount points are apart

    Two volumes on one mount point hide each other; one inside another cannot be mounted or
    unmounted without it.
    """
    seen: list[Text] = []
    for mount in _mounts(draft):
        if _of_system(mount.value):
            continue
        first = next((other for other in seen if _nested(mount.value, other.value)), None)
        if first is not None:
            same = _normal(mount.value) == _normal(first.value)
            word = "is" if same else "is nested with"
            what = f"{show(mount.value)} {word} the mount point of {dotted(first.path[:-1])}"
            yield Found(mount.path, what, "give each volume a directory outside the others")
        seen.append(mount)


def _nested(one: str, other: str) -> bool:
    a, b = (_normal(path).rstrip("/") + "/" for path in (one, other))
    return a.startswith(b) or b.startswith(a)


@rule("SG-SPEC-057")
def label_length(draft: Draft) -> Iterator[Found]:
    """A label fits into an OCFS2 superblock

    OCFS2 keeps 64 bytes with a final NUL: mkfs.ocfs2 and tunefs.ocfs2 take at most
    63 characters.
    """
    for label in _labels(draft):
        size = len(label.value.encode("utf-8", "replace"))
        if label.written and size > MAX_LABEL:
            what = f"{size} bytes, OCFS2 takes {MAX_LABEL}"
            yield Found(label.path, what, "write a shorter label")


@rule("SG-SPEC-058")
def label_form(draft: Draft) -> Iterator[Found]:
    """A label is plain ASCII

    Letters, digits and . _ : + @ -, beginning with a letter or digit, so that blkid(8), udev
    and fstab(5) show it without escapes.
    """
    for label in _labels(draft):
        if label.written and not patterns.matches(patterns.LABEL, label.value):
            fix = "write letters, digits and . _ : + @ -, such as DATA"
            yield Found(label.path, f"not a label: {show(label.value)}", fix)


@rule("SG-SPEC-059")
def label_twice(draft: Draft) -> Iterator[Found]:
    """A label is used once

    The label is how people and tools recognise a filesystem.
    """
    for item, first in repeated(_labels(draft)):
        what = f"{show(item.value)} is the label of {dotted(first[:-1])} too"
        yield Found(item.path, what, "give each volume a label of its own")


def _labels(draft: Draft) -> Iterator[Text]:
    return (volume.label for volume in draft.volumes or () if volume.label)


@rule("SG-SPEC-060")
def enough_slots(draft: Draft) -> Iterator[Found]:
    """A filesystem has a node slot for every application server

    Each server that mounts an OCFS2 filesystem occupies a node slot. Without a free one the mount
    fails, and slots can only be added while nobody has it mounted. OCFS2 has at most 255.
    """
    count = len(draft.applications or ())
    if count > MAX_SLOTS:
        what = f"{count} application servers, OCFS2 takes {MAX_SLOTS}"
        yield Found(("applications",), what, "describe fewer", key=True)
    for volume in draft.volumes or ():
        slots = volume.slots
        if slots and slots.written and 0 < slots.value < count <= MAX_SLOTS:
            what = f"{slots.value} node slots for {count} application servers"
            yield Found(slots.path, what, f"write {count} or more, or leave the key out")


@rule("SG-SPEC-083", warning=True)
def spare_slots(draft: Draft) -> Iterator[Found]:
    """There is a spare node slot

    Every slot is taken by a server of this file. To add a server later, all of them must unmount
    the filesystem first.
    """
    count = len(draft.applications or ())
    for volume in draft.volumes or ():
        if volume.slots and volume.slots.written and volume.slots.value == count:
            fix = f"write {count + 2} if servers may be added"
            yield Found(volume.slots.path, "no spare node slot", fix)


RULES = (
    mount_form,
    mount_system,
    mount_twice,
    label_length,
    label_form,
    label_twice,
    enough_slots,
    spare_slots,
)
