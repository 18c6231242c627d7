"""Rules about access: what `guarded` needs, and devices that switch a server off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from sanglier.spec import patterns
from sanglier.spec.document import Tree
from sanglier.spec.draft import Draft, DraftFence, Placed
from sanglier.spec.mistake import Found, dotted, show
from sanglier.spec.rules.base import rule
from sanglier.spec.seconds import parse_seconds
from sanglier.spec.solve import default_fence_s
from sanglier.spec.timings import by_name

MAX_LEVELS = 9
"""Pacemaker's fencing topology has the levels 1 to 9, Pacemaker Explained."""
_PASSWORDS = ("passwd", "password", "secret", "token", "key")
_OURS = ("action", "delay", "password_script", "passwd_script")
_NO = ("0", "false", "no", "off")
_UNTRUE: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "method": lambda value: value != "onoff",
        "missing_as_off": lambda value: value not in _NO,
        "disable_timeout": lambda value: value not in _NO,
    }
)
"""Parameter -> whether a value of it makes "off" a word that nobody has verified."""
_TIMES = (
    "power_timeout", "power_wait", "login_timeout", "shell_timeout", "ipmitool_timeout",
    "stonith_status_sleep",
)  # fmt: skip
NO_KILLS = MappingProxyType(
    {
        "it cuts the server off a network or a storage network, and leaves it running": (
            "fence_brocade", "fence_cisco_mds", "fence_ifmib", "fence_mcdata", "fence_mpath",
            "fence_sanbox2", "fence_scsi", "fence_vixel",
        ),
        "it switches nothing off": (
            "fence_ack_manual", "fence_dummy", "fence_heuristics_ping", "fence_kdump",
            "fence_manual", "fence_pcmk", "fence_sbd", "fence_watchdog",
        ),
    }
)  # fmt: skip
"""What an agent does instead of killing -> agents of Debian's fence-agents and Pacemaker."""
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
        for level in server.fence:
            yield from level


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


@rule("SG-SPEC-077")
def unverified_off(draft: Draft) -> Iterator[Found]:
    """A kill is confirmed by what the device shows afterwards

    With `method: cycle` a fence agent orders a power cycle and never asks whether the server was
    off; with `missing_as_off` a server that the device does not know counts as off; with
    `disable_timeout` an agent waits for ever. The other side would open on a word that nobody has
    verified, or not at all.
    """
    for device in _devices(draft):
        for parameter in device.parameters:
            name, value = str(parameter.path[-1]), _written(parameter.value)
            if name in _UNTRUE and _UNTRUE[name](value):
                what = f"{name}: {show(parameter.value)} confirms what was not seen"
                yield Found(parameter.path, what, "leave it out")


@rule("SG-SPEC-078")
def no_kill(draft: Draft) -> Iterator[Found]:
    """A fence device takes the power from the server

    A storage server has disks of its own: cut off from a network it goes on writing to them, and
    comes back with them. An agent that closes a switch port, removes a reservation, or tells that
    somebody crashed is no kill, also not as a first level: Pacemaker would take its word.
    `fence_sbd` needs a daemon and a watchdog that Sanglier does not set up.
    """
    for device in _devices(draft):
        for instead, agents in NO_KILLS.items():
            if device.agent and device.agent.value in agents:
                what = f"{show(device.agent.value)} is no kill: {instead}"
                fix = "write a device that takes the server's power: its management controller, or"
                yield Found(device.agent.path, what, f"{fix} a switched power strip")


@rule("SG-SPEC-079")
def too_slow(draft: Draft) -> Iterator[Found]:
    """A fence agent ends within the time that it has

    Pacemaker gives up an agent after the time that the timings leave for fencing (`safe` 20 s,
    `fast` 8 s, or `fence:` of a wish); one that is told to wait longer is killed in the middle,
    perhaps after it has switched the server off and before it could say so.
    """
    most = _device_s(draft)
    for device in _devices(draft):
        for parameter in device.parameters:
            name = str(parameter.path[-1])
            seconds = _seconds(parameter.value) if name in _TIMES else None
            if seconds is not None and most is not None and seconds > most:
                what = f"{name} of {seconds:g} s is more than the {most} s of a fence device"
                fix = f"write at most {most}, or timings with a longer `fence:`"
                yield Found(parameter.path, what, fix)


def _written(value: Tree) -> str:
    return str(value).lower()


def _seconds(value: Tree) -> float | None:
    try:
        return float(str(value).removesuffix("s"))
    except ValueError:
        return None


def _device_s(draft: Draft) -> int | None:
    """Give the time of one device; ``None`` where the timings are wrong themselves."""
    try:
        if draft.stall is None:
            return by_name(draft.timings.value if draft.timings else "safe").fence_s
        if draft.stall_fence is not None:
            return parse_seconds(draft.stall_fence.value)
        return default_fence_s(parse_seconds(draft.stall.value), draft.fence_turns)
    except (KeyError, ValueError):
        return None


@rule("SG-SPEC-075")
def level_count(draft: Draft) -> Iterator[Found]:
    """There are at most nine fence levels, each with a device

    Pacemaker's fencing topology has nine. Two are usual: the server's management controller,
    and the power strip for when the controller lost its power together with the server. The
    devices of a level (a list in the list) must all succeed, as the strips of a server with two
    power supplies must.
    """
    for server in draft.storage or ():
        path = (*server.name.path, "fence")
        if len(server.fence) > MAX_LEVELS:
            what = f"expected at most {MAX_LEVELS} levels, got {len(server.fence)}"
            yield Found(path, what, "leave out the last ones", key=True)
        for number, level in enumerate(server.fence):
            if not level:
                yield Found((*path, number), "a level without a device", "leave it out")


@rule("SG-SPEC-076")
def device_twice(draft: Draft) -> Iterator[Found]:
    """A fence device is written once

    Two devices with the same agent and the same parameters switch the same thing off. For two
    servers it is a mistake of copying that kills the one that should go on; for one server, a
    second level that fails whenever the first one does, or a power supply that nobody cuts.
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
    unverified_off,
    no_kill,
    too_slow,
    level_count,
    device_twice,
)
