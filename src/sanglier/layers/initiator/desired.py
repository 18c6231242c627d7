"""Files and settings of open-iscsi, iscsid.conf(5) and open-iscsi's README section 8."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.files import HEADER, UNIT_DIR, WantedFile
from sanglier.layers.initiator.facts import Portal, Session
from sanglier.spec.cluster import ApplicationServer, Cluster, Timings, Volume

NAME_PATH = "/etc/iscsi/initiatorname.iscsi"
CONF_PATH = "/etc/iscsi/iscsid.conf"
UDEV_PATH = "/etc/udev/rules.d/60-sanglier-scsi.rules"
DAEMON, SOCKET, LOGIN = "iscsid.service", "iscsid.socket", "open-iscsi.service"
LOGIN_PATH = f"{UNIT_DIR}/{LOGIN}.d/sanglier.conf"
DAEMON_PATH = f"{UNIT_DIR}/{DAEMON}.d/sanglier-boot.conf"
BOOT_PATH = "/usr/lib/sanglier/initiator-boot"
ALIAS = "InitiatorAlias=sanglier."
"""What the line of the boot in the file of the name begins with; :func:`boot_file` keeps it."""
LOGIN_AGAIN_S = 10
"""Pause before logins that failed at boot are tried again, seconds."""
UNITS = (DAEMON, SOCKET, LOGIN)
AT_BOOT = (SOCKET, LOGIN)
"""Enabled: the login asks for the daemon through its socket, as Debian has it."""


def record_settings(timings: Timings) -> dict[str, str]:
    """Settings of every node record that are checked after discovery."""
    return {**_login_settings(timings), **_reset_settings(timings)}


def _reset_settings(timings: Timings) -> dict[str, str]:
    return {
        "node.session.err_timeo.lu_reset_timeout": str(timings.reset_timeout_s),
        "node.session.err_timeo.tgt_reset_timeout": str(timings.reset_timeout_s),
    }


def _login_settings(timings: Timings) -> dict[str, str]:
    return {
        "node.startup": "automatic",
        "node.session.timeo.replacement_timeout": str(timings.recovery_s),
        "node.session.err_timeo.abort_timeout": str(timings.abort_timeout_s),
        "node.conn[0].timeo.noop_out_interval": str(timings.noop_interval_s),
        "node.conn[0].timeo.noop_out_timeout": str(timings.noop_timeout_s),
        "node.session.auth.authmethod": "CHAP",
    }


RECOVERY = "recovery_tmo"
"""The one timeout that a live session takes over; the others are read-only in sysfs."""


def session_timeouts(timings: Timings) -> dict[str, int]:
    """Timeouts that every session must have in force, by their names in sysfs, seconds.

    ``recv_tmo`` is the silence after which a NOP is sent (noop_out_interval), ``ping_tmo`` how
    long its answer may take (noop_out_timeout), libiscsi.c.
    """
    return {
        RECOVERY: timings.recovery_s,
        "abort_tmo": timings.abort_timeout_s,
        "lu_reset_tmo": timings.reset_timeout_s,
        "tgt_reset_tmo": timings.reset_timeout_s,
        "recv_tmo": timings.noop_interval_s,
        "ping_tmo": timings.noop_timeout_s,
    }


def wrong_timeouts(timings: Timings, session: Session) -> dict[str, int]:
    """Timeouts in force that are not the wanted ones; what could not be read is none."""
    wanted = session_timeouts(timings)
    return {k: v for k, v in session.timeouts.items() if k in wanted and v != wanted[k]}


def _settings(goal: Goal, server: ApplicationServer) -> dict[str, str]:
    timings = goal.cluster.timings
    return {
        "iscsid.startup": "/bin/systemctl start iscsid.socket",
        **_login_settings(timings),
        "node.leading_login": "No",
        "node.session.auth.username": goal.cluster.initiator_iqn(server),
        "node.session.auth.password": goal.secrets.chap[server.name].reveal(),
        "node.conn[0].timeo.login_timeout": "15",
        "node.conn[0].timeo.logout_timeout": "15",
        **_reset_settings(timings),
        "node.session.initial_login_retry_max": "8",
        "node.session.cmds_max": "512",
        "node.session.queue_depth": "128",
        "node.session.xmit_thread_priority": "-20",
        "node.session.iscsi.InitialR2T": "No",
        "node.session.iscsi.ImmediateData": "Yes",
        "node.session.iscsi.FirstBurstLength": "262144",
        "node.session.iscsi.MaxBurstLength": "1048576",
        "node.conn[0].iscsi.MaxRecvDataSegmentLength": "262144",
        "node.session.nr_sessions": "1",
        "node.session.reopen_max": "0",
        "node.session.iscsi.FastAbort": "Yes",
        "node.session.scan": "auto",
    }


def conf_file(goal: Goal, server: ApplicationServer) -> WantedFile:
    """Build iscsid.conf; 0600, it holds the CHAP password."""
    lines = "".join(f"{key} = {value}\n" for key, value in _settings(goal, server).items())
    return WantedFile(path=CONF_PATH, content=Secret(HEADER + lines), mode=0o600)


def name_file(goal: Goal, server: ApplicationServer) -> WantedFile:
    """Build the file of the initiator's name."""
    name = goal.cluster.initiator_iqn(server)
    return WantedFile(path=NAME_PATH, content=f"{HEADER}InitiatorName={name}\n", mode=0o600)


def udev_file(timings: Timings) -> WantedFile:
    """Build the rule that sets the SCSI command timeout of every LIO disk."""
    rule = (
        'ACTION=="add", SUBSYSTEM=="scsi", ENV{DEVTYPE}=="scsi_device", '
        f'ATTR{{vendor}}=="LIO-ORG*", ATTR{{timeout}}="{timings.sd_timeout_s}"\n'
    )
    return WantedFile(path=UDEV_PATH, content=HEADER + rule)


def login_file() -> WantedFile:
    """Build the drop-in by which logins that failed at boot are tried again, systemd.service(5).

    Debian's unit tries for two minutes and gives up for ever; storage servers may take longer.
    """
    content = (
        f"{HEADER}[Unit]\nStartLimitIntervalSec=0\n\n"
        f"[Service]\nRestart=on-failure\nRestartSec={LOGIN_AGAIN_S}\n"
        f"ExecStartPost=-/bin/sh {BOOT_PATH} luns\n"
    )
    return WantedFile(path=LOGIN_PATH, content=content)


def daemon_file() -> WantedFile:
    """Build the drop-in by which iscsid reads an alias that names this boot."""
    content = f"{HEADER}[Service]\nExecStartPre=-/bin/sh {BOOT_PATH} alias\n"
    return WantedFile(path=DAEMON_PATH, content=content)


@cache
def boot_file() -> WantedFile:
    """Build the program that names the boot, and waits for a LUN that is given late."""
    text = files("sanglier.layers.initiator").joinpath("initiator-boot").read_text()
    return WantedFile(path=BOOT_PATH, content=text, mode=0o755)


def files_of(goal: Goal, server: ApplicationServer) -> tuple[WantedFile, ...]:
    """List the files of this layer."""
    rule = udev_file(goal.cluster.timings)
    boot = (boot_file(), daemon_file(), login_file())
    return (*boot, name_file(goal, server), conf_file(goal, server), rule)


def fits(goal: Goal, server: ApplicationServer, session: Session) -> bool:
    """Whether a session would log in again as the file wants it."""
    return (
        session.initiator == goal.cluster.initiator_iqn(server)
        and session.password_digest == goal.secrets.chap[server.name].digest()
    )


def portals_of(cluster: Cluster, volume: Volume, app: ApplicationServer) -> tuple[Portal, ...]:
    """List every way of ``app`` to a volume: each storage server that it uses, each SAN."""
    return tuple(
        Portal(target=cluster.target_iqn(volume, server), address=address)
        for server in cluster.target_servers(app)
        if server.name in volume.devices
        for address in server.san
    )


def all_portals(cluster: Cluster, app: ApplicationServer) -> tuple[Portal, ...]:
    """List every way of ``app`` to every volume."""
    return tuple(p for volume in cluster.volumes for p in portals_of(cluster, volume, app))


def is_ours(cluster: Cluster, target: str) -> bool:
    """Whether a target's name is in this cluster's part of the name space."""
    return target.startswith(f"{cluster.iqn_prefix}:{cluster.name}.")
