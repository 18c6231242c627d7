"""Files and units of the cluster engine."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.cluster.cib import ALERT, password_path
from sanglier.layers.cluster.corosync import authkey_file, conf_file
from sanglier.layers.files import HEADER, UNIT_DIR, WantedFile
from sanglier.spec.cluster import StorageServer

QDEVICE_UNIT = "corosync-qdevice.service"
UNITS = ("corosync.service", QDEVICE_UNIT, "pacemaker.service")
"""In the order in which they start."""
QNETD_UNIT = "corosync-qnetd.service"
AGENTS = "/usr/lib/ocf/resource.d/sanglier"
REQUIRED = "Required"
"""TLS in force, in the words of corosync-qdevice-tool(8) and corosync-qnetd-tool(8)."""
OUTDATED = "/run/sanglier/qdevice-outdated"
"""Its quorum device has not taken a server's newest certificate yet; gone after a boot."""


AFTER_CRASH = "/usr/lib/sanglier/after-crash"
CRASH_LIMIT_S = 20
"""For all volumes; systemd gives Pacemaker 60 s to start, its own start among them."""
AGAIN_S = 20
"""Longer than Corosync needs to lose a server, and the others to kill it."""
BEFORE_QDEVICE = f"{UNIT_DIR}/{QDEVICE_UNIT}.d/sanglier.conf"
BEFORE_PACEMAKER = f"{UNIT_DIR}/pacemaker.service.d/sanglier.conf"


def crash_file() -> WantedFile:
    """Return Pacemaker's drop-in: what comes before its start, and when it is started again.

    Before it starts DRBD, a server tells it whose data counts.  Started again 1 s after Corosync
    has died, as Debian's unit does (and Corosync with it), the server would join anew while it is
    being killed: a kill that began before does not count, and it dies twice.
    """
    run = f"ExecStartPre=-/usr/bin/timeout {CRASH_LIMIT_S} /bin/sh {AFTER_CRASH}"
    text = f"{HEADER}[Service]\n{run}\nRestartSec={AGAIN_S}\n"
    return WantedFile(path=BEFORE_PACEMAKER, content=text)


def qdevice_file() -> WantedFile:
    """Return the drop-in by which the quorum device brings Corosync back no sooner than Pacemaker.

    Debian's unit does after 0.1 s: ``Restart=on-failure`` and ``Requires=corosync.service``.
    """
    text = f"{HEADER}[Service]\nRestartSec={AGAIN_S}\n"
    return WantedFile(path=BEFORE_QDEVICE, content=text)


def requiring_file() -> WantedFile:
    """Make corosync-qnetd refuse clients without TLS, whatever its options file says.

    Its man page calls the option ``-s required``; the program (3.0.3) knows ``req`` only.
    """
    text = (
        f"{HEADER}[Service]\nExecStart=\n"
        "ExecStart=/usr/bin/corosync-qnetd -f $COROSYNC_QNETD_OPTIONS -s req\n"
    )
    path = f"{UNIT_DIR}/{QNETD_UNIT}.d/sanglier.conf"
    return WantedFile(path=path, content=text)


@cache
def _program(name: str, path: str) -> WantedFile:
    """Give an agent; what it shares, or is a matter of its own, is put in: it needs no other."""
    agents = files("sanglier.layers.cluster").joinpath("agents")
    text = agents.joinpath(name).read_text()
    for part in ("alua", "boots", "record"):
        text = text.replace(f"@{part}@\n", f"\n{agents.joinpath(part).read_text()}")
    return WantedFile(path=path, content=text, mode=0o755)


def _password_files(goal: Goal) -> tuple[WantedFile, ...]:
    """Give one script per fence device; the password is in no argument and not in the CIB."""
    found = []
    for server in goal.cluster.storage:
        for device in server.fence:
            secret = goal.secrets.fence.get(device.secret_key(server.name))
            if secret is not None:
                text = f"#!/bin/sh\ncat <<'END'\n{secret.reveal()}\nEND\n"
                path = password_path(server, device)
                found.append(WantedFile(path=path, content=Secret(text), mode=0o700))
    return tuple(found)


def files_of(goal: Goal, server: StorageServer) -> tuple[WantedFile, ...]:
    """Every file of this layer on a storage server; the same on both."""
    del server
    return (
        conf_file(goal),
        authkey_file(goal),
        _program("side", f"{AGENTS}/side"),
        _program("target", f"{AGENTS}/target"),
        _program("node-alert", ALERT),
        _program("after-crash", AFTER_CRASH),
        crash_file(),
        qdevice_file(),
        *_password_files(goal),
    )
