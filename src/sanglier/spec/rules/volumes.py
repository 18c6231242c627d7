"""Rules about volumes: devices, identifiers, ports."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from sanglier.spec import patterns, sizes
from sanglier.spec.draft import Draft, Text
from sanglier.spec.mistake import FieldPath, Found, dotted, show
from sanglier.spec.rules.base import rule
from sanglier.spec.rules.hosts import repeated
from sanglier.spec.structure import bad_size

MAX_DEVICE = 200
NAA_DIGITS = 25
TAKEN_PORTS = {3260: "iSCSI", 5403: "corosync-qnetd", 5405: "corosync", 7777: "o2cb"}


@rule("SG-SPEC-050")
def both_sides(draft: Draft) -> Iterator[Found]:
    """A volume is on both storage servers

    It is a mirror: it needs a backing device on each of the two storage servers. A volume on one
    server only would be lost with that server.
    """
    for volume in draft.volumes or ():
        if volume.on is None:
            continue
        servers = [text.path[-1] for text in volume.on]
        missing = [s.name.value for s in draft.storage or () if s.name.value not in servers]
        if missing:
            what = f"no device on {' and '.join(show(name) for name in missing)}"
            fix = f"add `{missing[0]}: /dev/…` to `on`"
            yield Found((*volume.name.path, "on"), what, fix)


@rule("SG-SPEC-051")
def known_server(draft: Draft) -> Iterator[Found]:
    """A volume names storage servers of this file

    The keys of `on`, and the value of `prefer`, are names from `storage`.
    """
    if not draft.storage:
        return
    names = [server.name.value for server in draft.storage]
    fix = f"write one of {', '.join(names)}"
    for volume in draft.volumes or ():
        for text in volume.on or ():
            if text.path[-1] not in names:
                yield Found(text.path, "not a storage server", fix, key=True)
        if volume.prefer and volume.prefer.value not in names:
            what = f"{show(volume.prefer.value)} is not a storage server"
            yield Found(volume.prefer.path, what, fix)


@rule("SG-SPEC-052")
def device_path(draft: Draft) -> Iterator[Found]:
    """A device is a plain path under /dev

    Absolute, without `.`, `..` and doubled slashes, of the characters A-Z a-z 0-9 . _ : + @ - /,
    so that it means the same to every tool that reads it from a configuration file.
    """
    for _, text in _devices(draft):
        path = text.value
        plain = posixpath.normpath(path) == path and len(path) <= MAX_DEVICE
        if not plain or not patterns.matches(patterns.DEVICE, path):
            what = f"not a device path: {show(path)}"
            fix = "write a path such as /dev/vg0/data or /dev/disk/by-id/…"
            yield Found(text.path, what, fix)


def _devices(draft: Draft) -> Iterator[tuple[str | int, Text]]:
    for volume in draft.volumes or ():
        for text in volume.on or ():
            yield text.path[-1], text


@rule("SG-SPEC-053")
def device_twice(draft: Draft) -> Iterator[Found]:
    """A device holds one volume

    The same path twice on one server: the second volume would overwrite the first.
    """
    seen: dict[tuple[str | int, str], FieldPath] = {}
    for server, text in _devices(draft):
        first = seen.setdefault((server, posixpath.normpath(text.value)), text.path)
        if first != text.path:
            what = f"{show(text.value)} is the device of {dotted(first[:2])} already"
            yield Found(text.path, what, "give each volume a device of its own")


@rule("SG-SPEC-003")
def size_form(draft: Draft) -> Iterator[Found]:
    """A size has a number and a unit

    `10GiB` and `10G` are 10 x 1024^3 bytes, `10GB` is 10 x 1000^3 bytes. The unit is never left
    out, because the tools underneath do not agree on what a bare number means: sectors, kilobytes,
    megabytes or bytes.
    """
    for size in (volume.size for volume in draft.volumes or ()):
        if size is None:
            continue
        try:
            sizes.parse_size(size.value)
        except ValueError:
            yield bad_size(size.path, size.value)


@rule("SG-SPEC-061")
def minor_twice(draft: Draft) -> Iterator[Found]:
    """A DRBD minor is used once

    /dev/drbd0 can be one volume only. A volume without `minor` keeps the one in
    force, or gets its position in the file where that is free.
    """
    for item, first in repeated(volume.minor for volume in draft.volumes or ()):
        what = f"minor {item.value} is used by {dotted(first[:-1])} too"
        yield Found(item.path, what, "give each volume a minor of its own")


@rule("SG-SPEC-062")
def port_twice(draft: Draft) -> Iterator[Found]:
    """A replication port is used once

    Each volume has a connection of its own between the two storage servers, and so its own port.
    A volume without `port` keeps the one in force, or gets 7789 plus its position.
    """
    for item, first in repeated(volume.port for volume in draft.volumes or ()):
        what = f"port {item.value} is used by {dotted(first[:-1])} too"
        yield Found(item.path, what, "give each volume a port of its own")


@rule("SG-SPEC-063")
def port_taken(draft: Draft) -> Iterator[Found]:
    """A replication port is not the port of another service

    3260 is iSCSI, 7777 o2cb, 5403 and 5405 are Corosync. (Ports below 1024, such as 22, are
    refused by range.)
    """
    for port in (volume.port for volume in draft.volumes or ()):
        if port.value in TAKEN_PORTS:
            what = f"port {port.value} belongs to {TAKEN_PORTS[port.value]}"
            yield Found(port.path, what, "write another port, such as 7789")


@rule("SG-SPEC-064")
def serial_form(draft: Draft) -> Iterator[Found]:
    """A LUN serial is 32 hexadecimal digits

    LIO makes the disk's WWID of the hexadecimal digits of the serial and skips everything else,
    so anything else would not mean what it says. Lower case, because udev shows it so.
    """
    for serial in (volume.serial for volume in draft.volumes or ()):
        if serial.written and not patterns.matches(patterns.SERIAL, serial.value):
            fix = "write 32 digits 0-9 a-f, or leave the key out"
            yield Found(serial.path, f"not a serial: {show(serial.value)}", fix)


@rule("SG-SPEC-065")
def serial_twice(draft: Draft) -> Iterator[Found]:
    """Two LUN serials differ in their first 25 digits

    LIO's WWID is `6001405` and the first 25 digits. Two volumes that agree in these are one disk
    to multipath, which would then write each to the other.
    """
    serials = [volume.serial for volume in draft.volumes or ()]
    for item, first in repeated(serials, lambda serial: serial[:NAA_DIGITS].lower()):
        what = f"the first {NAA_DIGITS} digits are those of {dotted(first[:-1])}"
        yield Found(item.path, what, "change one of the first 25 digits, or leave the key out")


RULES = (
    both_sides,
    known_server,
    device_path,
    device_twice,
    size_form,
    minor_twice,
    port_twice,
    port_taken,
    serial_form,
    serial_twice,
)
