"""Rules about servers: how many, and no two that are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sanglier.spec.draft import Draft, Placed
from sanglier.spec.mistake import FieldPath, Found, dotted, show
from sanglier.spec.rules.base import rule

T = TypeVar("T")


def repeated(
    items: Iterable[Placed[T]], same: Callable[[str], str] = str
) -> Iterator[tuple[Placed[T], FieldPath]]:
    """Give each item that equals an earlier one, with the earlier one's path.

    A written value is blamed rather than a default, wherever they stand.
    """
    seen: dict[str, FieldPath] = {}
    for item in sorted(items, key=lambda placed: placed.written):
        key = same(str(item.value))
        if key in seen:
            yield item, seen[key]
        seen.setdefault(key, item.path)


@rule("SG-SPEC-030")
def two_storage_servers(draft: Draft) -> Iterator[Found]:
    """There are exactly two storage servers

    DRBD mirrors between two servers. Three-way mirrors are not supported.
    """
    if draft.storage is not None and len(draft.storage) != 2:
        what = f"expected two storage servers, got {len(draft.storage)}"
        yield Found(("storage",), what, "describe exactly two servers here", key=True)


@rule("SG-SPEC-031")
def not_empty(draft: Draft) -> Iterator[Found]:
    """There is at least one application server and one volume

    A cluster without a volume, or without a server to mount it, does nothing.
    """
    if draft.applications == ():
        yield Found(("applications",), "no application server", "describe at least one", key=True)
    if draft.volumes == ():
        yield Found(("volumes",), "no volume", "describe at least one", key=True)


@rule("SG-SPEC-032")
def name_twice(draft: Draft) -> Iterator[Found]:
    """A server name is used once

    One name stands for one server in the whole file. A server cannot be a storage server and an
    application server at once: its own storage would be fenced with it. An application server
    may be the witness too; that is written `witness: {on: NAME}`, and `witness` is the name of a
    witness with a host of its own.
    """
    for item, first in repeated(host.name for host in draft.hosts):
        fix = "give each server a name of its own; or write `witness: {on: NAME}`"
        yield Found(item.path, f"the name is taken by {dotted(first)}", fix, key=True)


@rule("SG-SPEC-033")
def hostname_twice(draft: Draft) -> Iterator[Found]:
    """A hostname is used once

    DRBD and o2cb tell servers apart by hostname. Two servers with one hostname would each take
    the other's configuration.
    """
    names = Counter(host.name.value for host in draft.hosts)
    hostnames = (h.hostname for h in draft.hosts if h.hostname.written or names[h.name.value] == 1)
    for item, first in repeated(hostnames, str.lower):
        what = f"the hostname {show(item.value)} is used by {dotted(first[:-1])} too"
        yield Found(item.path, what, "give each server a hostname of its own")


@rule("SG-SPEC-034")
def destination_twice(draft: Draft) -> Iterator[Found]:
    """A server is described once

    Two servers are reached by the same ssh destination (host and port; the user does not
    matter), so they are one machine under two names.
    """
    for item, first in repeated((h.ssh for h in draft.hosts if h.ssh), destination):
        what = f"{show(item.value)} is the same server as {dotted(first[:-1])}"
        fix = "give each server its own destination; or write `witness: {on: NAME}`"
        yield Found(item.path, what, fix)


def destination(ssh: str) -> str:
    """Give host and port of an ssh destination."""
    uri = ssh.startswith("ssh://")
    host = ssh.removeprefix("ssh://").rstrip("/").rpartition("@")[2].lower()
    return host.removesuffix(":22").strip("[]") if uri else host


@rule("SG-SPEC-035")
def witness_shape(draft: Draft) -> Iterator[Found]:
    """The witness is a host of its own or on an application server

    Either `ssh` (and perhaps `hostname`), or `on` with the name of an application server.
    """
    witness = draft.witness
    if witness is None:
        return
    fix = "write `witness: {ssh: …}`, or `witness: {on: NAME}` with an application server"
    if witness.ssh is None and witness.on is None:
        yield Found(("witness",), "neither `ssh` nor `on`", fix)
    elif witness.on is not None and (witness.ssh is not None or witness.hostname.written):
        yield Found(witness.on.path, "`on` together with `ssh` or `hostname`", fix)


@rule("SG-SPEC-036")
def witness_place(draft: Draft) -> Iterator[Found]:
    """The witness is not on a storage server

    The witness decides which of two storage servers goes on when they no longer see each other,
    so it must not fail with one of them. `on` names an application server of this file.
    """
    on = draft.witness.on if draft.witness else None
    if on is None or draft.applications is None:
        return
    names = [server.name.value for server in draft.applications]
    if on.value not in names:
        what = f"{show(on.value)} is not an application server"
        yield Found(on.path, what, f"write one of {', '.join(names) or 'them'}")


@rule("SG-SPEC-037")
def node_twice(draft: Draft) -> Iterator[Found]:
    """A node number is used once

    o2cb tells the servers of a filesystem apart by their node number; two servers with one
    number would write to one heartbeat slot and corrupt the filesystem. A server without
    `node` keeps the one in force, or gets its position in the file where that is free.
    """
    for item, first in repeated(server.node for server in draft.applications or ()):
        what = f"node number {item.value} is used by {dotted(first[:-1])} too"
        yield Found(item.path, what, "give each application server a number of its own")


RULES = (
    two_storage_servers,
    not_empty,
    name_twice,
    hostname_twice,
    destination_twice,
    witness_shape,
    witness_place,
    node_twice,
)
