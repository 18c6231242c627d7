"""Rules about access: what `guarded` needs, and devices that switch a server off."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.spec import patterns
from sanglier.spec.document import Tree
from sanglier.spec.draft import Draft, DraftFence, Placed
from sanglier.spec.mistake import Found, dotted, show
from sanglier.spec.rules.base import rule

MAX_LEVELS = 9
"""Pacemaker's fencing topology has the levels 1 to 9, Pacemaker Explained."""
_PASSWORDS = ("passwd", "password", "secret", "token", "key")
_OURS = ("action", "delay", "password_script", "passwd_script")
_ARTICLE = "or, for teaching only, write `access: article` at the top"


@rule("SG-SPEC-070")
def fence_needed(draft: Draft) -> Iterator[Found]:
    """`access: guarded` needs fencing of both storage servers

    Without working fencing, `guarded` is refused. When the two storage servers lose sight of each
    other, neither knows whether the other is dead or still writes. Only a server that is known to
    be switched off makes it safe to open the other side; without that, two sides write at once
    and the filesystem is lost. A management controller (IPMI, iDRAC, iLO) or a switched power
    strip does it. `access: article` needs none: it is for teaching and drills, on data that may
    be lost.
    """
    for server in draft.storage or ():
        if draft.guarded and not server.fence:
            what = "missing: without working fencing, `access: guarded` is refused"
            fix = "add `fence: {agent: fence_ipmilan, ip: …, username: …}` or the like, and the"
            fix = f"{fix} device's password to the secrets file; {_ARTICLE}"
            yield Found((*server.name.path, "fence"), what, fix)


@rule("SG-SPEC-071")
def management_needed(draft: Draft) -> Iterator[Found]:
    """`access: guarded` needs a management address of both storage servers

    Corosync watches the other storage server over two links, replication and management. With one
    link, a single cable would look like a dead server, and one of the two would be switched off.
    The management network is also the way to the witness.
    """
    for server in draft.storage or ():
        if draft.guarded and server.lacks_management:
            what = "missing: `access: guarded` watches each storage server over two networks"
            fix = "add `management: 10.77.0.11` or the like, an address in a network of its own"
            yield Found((*server.name.path, "management"), what, f"{fix}; {_ARTICLE}")


@rule("SG-SPEC-072")
def witness_needed(draft: Draft) -> Iterator[Found]:
    """`access: guarded` needs a witness

    Two servers that no longer see each other cannot tell who should go on. The vote of a third
    host decides (corosync-qnetd(8)). It may be a small virtual machine elsewhere, or one of the
    application servers.
    """
    if draft.guarded and draft.lacks_witness:
        what = "missing: with `access: guarded` a third host decides between the storage servers"
        fix = "add `witness: {ssh: …, address: …}`, or `witness: {on: NAME}` with an application"
        yield Found(("witness",), what, f"{fix} server; {_ARTICLE}")


@rule("SG-SPEC-073")
def witness_address_needed(draft: Draft) -> Iterator[Found]:
    """`access: guarded` needs the address of the witness

    The storage servers reach the arbitration service at an IP address, so that no name server can
    keep them from deciding. `ssh` may be an alias that only this machine knows. A witness `on` an
    application server has that server's first `san` address.
    """
    witness = draft.witness
    if draft.guarded and witness and witness.ssh and not witness.on and witness.lacks_address:
        what = "missing: the storage servers do not know where to ask"
        fix = "add `address: 10.77.0.31` or the like, which both storage servers can reach"
        yield Found(("witness", "address"), what, fix)


@rule("SG-SPEC-038")
def fence_parameters(draft: Draft) -> Iterator[Found]:
    """A fence agent and its parameters are plain values

    The agent is one of the `fence_…` programs. A parameter has a lower-case name and a value of
    A-Z a-z 0-9 / _ . : , + = @ -, with a letter, digit, / or _ first and without `..`, because it
    goes into XML and to programs. Passwords do not belong into this file, which is read by many
    and kept in version control; they belong into the secrets file.
    """
    for device in _devices(draft):
        if device.agent and not patterns.matches(patterns.AGENT, device.agent.value):
            what = f"not a fence agent: {show(device.agent.value)}"
            yield Found(device.agent.path, what, "write the name of one, such as fence_ipmilan")
        for parameter in device.parameters:
            yield from _parameter(parameter)


def _devices(draft: Draft) -> Iterator[DraftFence]:
    for server in draft.storage or ():
        yield from server.fence


def _parameter(parameter: Placed[Tree]) -> Iterator[Found]:
    name = str(parameter.path[-1])
    if not patterns.matches(patterns.PARAMETER, name):
        fix = "write a-z, 0-9 and _, a letter first"
        yield Found(parameter.path, f"not a parameter name: {show(name)}", fix, key=True)
    elif name.rpartition("_")[2] in _PASSWORDS:
        fix = "leave it out here; write it to the secrets file, as `fence: {disk-a: 'PASSWORD'}`"
        yield Found(parameter.path, "a password in the cluster file", fix, key=True)
    value = parameter.value
    if isinstance(value, dict | list | None):
        return
    if not patterns.matches(patterns.PARAMETER_VALUE, str(value)):
        fix = "write one word of at most 255 of A-Z a-z 0-9 / _ . : , + = @ -"
        yield Found(parameter.path, f"not a parameter value: {show(value)}", fix)


@rule("SG-SPEC-074")
def reserved_parameter(draft: Draft) -> Iterator[Found]:
    """When and how a server is switched off is not a parameter

    Sanglier sets `action`, `delay` and everything that begins with `pcmk_` itself, because the
    order and the timeouts of the whole stack depend on them; `password_script` too, by which the
    agent gets the password of the secrets file. Some values would even report a
    server as dead that was never switched off (`action: status`, `pcmk_off_action`).
    """
    for device in _devices(draft):
        for parameter in device.parameters:
            name = str(parameter.path[-1])
            if name in _OURS or name.startswith("pcmk_"):
                what = "set by Sanglier"
                yield Found(parameter.path, what, "leave it out", key=True)


@rule("SG-SPEC-075")
def level_count(draft: Draft) -> Iterator[Found]:
    """There are at most nine fence levels

    Pacemaker's fencing topology has nine. Two are usual: the server's management controller,
    and the power strip for when the controller lost its power together with the server.
    """
    for server in draft.storage or ():
        if len(server.fence) > MAX_LEVELS:
            what = f"expected at most {MAX_LEVELS} devices, got {len(server.fence)}"
            yield Found((*server.name.path, "fence"), what, "leave out the last ones", key=True)


@rule("SG-SPEC-076")
def device_twice(draft: Draft) -> Iterator[Found]:
    """A fence device is written once

    Two devices with the same agent and the same parameters switch the same thing off. For two
    servers it is a mistake of copying that kills the one that should go on; for one server, a
    second level that fails whenever the first one does.
    """
    seen: dict[object, DraftFence] = {}
    for device in _devices(draft):
        agent = device.agent.value if device.agent else None
        identity = (agent, frozenset((str(p.path[-1]), str(p.value)) for p in device.parameters))
        first = seen.setdefault(identity, device)
        if agent and first is not device:
            what = f"the same device as {dotted(first.path)}"
            fix = "write what singles out this server, such as `ip:` of its own or `plug:`"
            yield Found(device.path, what, fix, key=True)


RULES = (
    fence_needed,
    management_needed,
    witness_needed,
    witness_address_needed,
    fence_parameters,
    reserved_parameter,
    level_count,
    device_twice,
)
