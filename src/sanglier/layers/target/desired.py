"""The configfs tree that exports a volume, as ordered groups of nodes and values.

Sources: the kernel's Documentation/target/, drivers/target/target_core_configfs.c
and iscsi_target_configfs.c; the values' reasons are in docs/explanation/layers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.spec.cluster import ApplicationServer, StorageServer, Volume

ROOT = "/sys/kernel/config/target"
RESTORE_UNIT = "rtslib-fb-targetctl.service"
GROUP = "sanglier"
OPTIMIZED, NON_OPTIMIZED = "0", "1"
"""ALUA states, SPC-4 5.15.2."""
PORTAL_PORT = 3260

BACKSTORE_ATTRIBUTES = {"emulate_pr": "0", "emulate_caw": "0", "emulate_3pc": "0"}
TPG_ATTRIBUTES = {
    "authentication": "1",
    "generate_node_acls": "0",
    "demo_mode_write_protect": "1",
    "default_cmdsn_depth": "128",
}
TPG_PARAMETERS = {
    "InitialR2T": "No",
    "ImmediateData": "Yes",
    "FirstBurstLength": "262144",
    "MaxBurstLength": "1048576",
    "MaxRecvDataSegmentLength": "262144",
}


DROP_ACL = """
drop_acl() {
    for lun in "$1"/lun_*; do
        for link in "$lun"/*; do if [ -L "$link" ]; then rm -f "$link"; fi; done
        if [ -d "$lun" ]; then rmdir "$lun"; fi
    done
    rmdir "$1"
}
"""
"""Shell function that removes an initiator's access; its sessions end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A part of the tree that is made together: one step of a plan."""

    subject: str
    title: str
    nodes: tuple[str, ...] = ()
    """Directories to make, in order."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Link path -> what it points at, both below ROOT."""
    values: Mapping[str, str | Secret] = field(default_factory=dict)
    """Attribute -> value, written in order."""

    @property
    def made(self) -> tuple[str, ...]:
        """Everything that must exist."""
        return (*self.nodes, *self.links)


def core(volume: Volume) -> str:
    """Path of the backstore; the HBA number follows the minor, so volumes never share one."""
    return f"core/iblock_{volume.minor}/{volume.name}"


def tpg(goal: Goal, volume: Volume, server: StorageServer) -> str:
    """Path of the target portal group."""
    return f"iscsi/{goal.cluster.target_iqn(volume, server)}/tpgt_1"


def group_id(server: StorageServer) -> str:
    """ALUA group id: 10 and 20, for equal ids would merge both sides' states (scsi_dh_alua)."""
    return str(10 * (server.index + 1))


def alua_state(volume: Volume, server: StorageServer) -> str:
    """Preferred side optimized, the other non-optimized."""
    return OPTIMIZED if volume.prefer == server.name else NON_OPTIMIZED


def _backstore(volume: Volume) -> Group:
    path = core(volume)
    values = {
        f"{path}/wwn/vpd_unit_serial": volume.serial,
        **{f"{path}/attrib/{key}": value for key, value in BACKSTORE_ATTRIBUTES.items()},
    }
    return Group(
        subject=f"{volume.name}-backstore",
        title=f"backstore on {volume.drbd_device}, serial {volume.serial}",
        nodes=(path.rsplit("/", 1)[0], path),
        values=values,
    )


def _alua(volume: Volume, server: StorageServer) -> Group:
    path = f"{core(volume)}/alua/{GROUP}"
    preferred = volume.prefer == server.name
    return Group(
        subject=f"{volume.name}-alua",
        title=f"ALUA group {group_id(server)}, "
        + ("optimized (preferred side)" if preferred else "non-optimized"),
        nodes=(path,),
        values={
            f"{path}/tg_pt_gp_id": group_id(server),
            f"{path}/alua_access_type": "1",
            f"{path}/alua_access_state": alua_state(volume, server),
            f"{path}/preferred": "1" if preferred else "0",
            f"{path}/nonop_delay_msecs": "0",
        },
    )


def portal(address: str) -> str:
    """Name of a portal as configfs spells it."""
    return f"[{address}]:{PORTAL_PORT}" if ":" in address else f"{address}:{PORTAL_PORT}"


def _target(goal: Goal, volume: Volume, server: StorageServer) -> Group:
    path = tpg(goal, volume, server)
    lun = f"{path}/lun/lun_0"
    return Group(
        subject=f"{volume.name}-target",
        title=f"target {goal.cluster.target_iqn(volume, server)} on " + ", ".join(server.san),
        nodes=(
            path.rsplit("/", 1)[0],
            path,
            *(f"{path}/np/{portal(address)}" for address in server.san),
            lun,
        ),
        links={f"{lun}/{volume.name}": core(volume)},
        values={
            **{f"{path}/attrib/{key}": value for key, value in TPG_ATTRIBUTES.items()},
            **{f"{path}/param/{key}": value for key, value in TPG_PARAMETERS.items()},
            f"{lun}/alua_tg_pt_gp": GROUP,
        },
    )


def _acl(goal: Goal, volume: Volume, server: StorageServer, app: ApplicationServer) -> Group:
    iqn = goal.cluster.initiator_iqn(app)
    path = f"{tpg(goal, volume, server)}/acls/{iqn}"
    return Group(
        subject=f"{volume.name}-acl-{app.name}",
        title=f"access for {app.name} ({iqn}) with CHAP",
        nodes=(path, f"{path}/lun_0"),
        links={f"{path}/lun_0/{volume.name}": f"{tpg(goal, volume, server)}/lun/lun_0"},
        values={
            f"{path}/auth/userid": iqn,
            f"{path}/auth/password": goal.secrets.chap[app.name],
        },
    )


def groups(goal: Goal, volume: Volume, server: StorageServer) -> tuple[Group, ...]:
    """List everything but the final enabling, in the order in which it is made."""
    acls = (_acl(goal, volume, server, app) for app in goal.cluster.applications)
    return (
        _backstore(volume),
        _alua(volume, server),
        _target(goal, volume, server),
        *acls,
    )


def readable(attribute: str, value: str | Secret) -> str:
    """Predict what a probe reads back: secrets are read as their digest."""
    if isinstance(value, Secret):
        return value.digest()
    return value
