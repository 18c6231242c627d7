"""The configfs tree that exports a volume, as ordered groups of nodes and values.

Sources: the kernel's Documentation/target/, drivers/target/target_core_configfs.c
and iscsi_target_configfs.c; the values' reasons are in docs/explanation/layers.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sanglier.core.secret import Secret
from sanglier.layers.base import Goal
from sanglier.layers.drbd.desired import RUN
from sanglier.layers.files import WantedFile
from sanglier.spec.budget import silence_s
from sanglier.spec.cluster import ApplicationServer, StorageServer, Volume

ROOT = "/sys/kernel/config/target"
RESTORE_UNIT = "rtslib-fb-targetctl.service"
GROUP = "sanglier"
OWN_GROUP = "default_tg_pt_gp"
"""LIO's own port group: a LUN that is in no other is in it, and it is born open."""
OPTIMIZED, STANDBY = "0", "2"
"""ALUA states, SPC-4 5.15.2."""
TAKES_IO = frozenset({"0", "1", "4"})
"""Those in which a target does I/O."""
PORTAL_PORT = 3260
RECORDS = "/var/lib/sanglier/open"
"""Of each volume, whether its data here counts after a crash of both servers; agents/record."""
BOOTS = "/var/lib/sanglier/initiators"
BOOT_ALIAS = "sanglier."
"""What the InitiatorAlias begins with that names a boot; its id follows."""

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
    born: Mapping[str, str] = field(default_factory=dict)
    """What is written once, right after the nodes and values are made."""
    safe: bool = False
    """Whether a difference can be mended at any time."""

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


def state_path(volume: Volume, group: str = GROUP) -> str:
    """Path of the attribute that opens (``0``) or shuts (``2``) this side."""
    return f"{core(volume)}/alua/{group}/alua_access_state"


def opened_path(volume: Volume) -> str:
    """Path of the file that says when this side was last open by nobody's order."""
    return f"{RUN}/opened-{volume.name}"


def boots_path(volume: Volume, initiator: str) -> str:
    """Path of the file that says which boots of an application server are shut out here."""
    return f"{BOOTS}/{volume.name}/{initiator}"


def state_file(volume: Volume) -> str:
    """Give the file of that attribute on a storage server."""
    return f"{ROOT}/{state_path(volume)}"


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


def _alua(goal: Goal, volume: Volume, server: StorageServer) -> Group:
    """Make the port group; who sets its state is the cluster, but in the article's mode we do."""
    path = f"{core(volume)}/alua/{GROUP}"
    values = {
        f"{path}/tg_pt_gp_id": group_id(server),
        f"{path}/alua_access_type": "1",
        f"{path}/preferred": "0",
        f"{path}/nonop_delay_msecs": "0",
    }
    if not goal.cluster.guarded:
        values[state_path(volume)] = OPTIMIZED
    return Group(
        subject=f"{volume.name}-alua",
        title=f"ALUA group {group_id(server)}",
        nodes=(path,),
        values=values,
        born={state_path(volume): STANDBY} if goal.cluster.guarded else {},
    )


def _own_group(volume: Volume) -> Group:
    """Shut LIO's own group, so that a LUN that falls out of ours falls shut.

    It is born open and lets initiators change its state (core_alua_allocate_tg_pt_gp()).
    """
    return Group(
        subject=f"{volume.name}-alua-default",
        title="LIO's own ALUA group in standby",
        values={
            f"{core(volume)}/alua/{OWN_GROUP}/alua_access_type": "1",
            state_path(volume, OWN_GROUP): STANDBY,
        },
        safe=True,
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


def admitted(goal: Goal, server: StorageServer) -> tuple[ApplicationServer, ...]:
    """Application servers that log in to ``server``."""
    cluster = goal.cluster
    return tuple(app for app in cluster.applications if server in cluster.target_servers(app))


def groups(goal: Goal, volume: Volume, server: StorageServer) -> tuple[Group, ...]:
    """List everything but the final enabling, in the order in which it is made."""
    acls = (_acl(goal, volume, server, app) for app in admitted(goal, server))
    return (
        _backstore(volume),
        *((_own_group(volume),) if goal.cluster.guarded else ()),
        _alua(goal, volume, server),
        _target(goal, volume, server),
        *acls,
    )


def lun_group(goal: Goal, volume: Volume, server: StorageServer) -> str:
    """Path of the attribute that names the port group of the LUN."""
    return f"{tpg(goal, volume, server)}/lun/lun_0/alua_tg_pt_gp"


def readable(attribute: str, value: str | Secret) -> str:
    """Predict what a probe reads back: secrets are read as their digest."""
    if isinstance(value, Secret):
        return value.digest()
    return value


def tree_path(volume: Volume) -> str:
    """Path of the file from which ocf:sanglier:target builds the tree."""
    return f"/etc/sanglier/targets/{volume.name}"


def tree_file(goal: Goal, volume: Volume, server: StorageServer) -> WantedFile:
    """Write down the whole tree, in the order in which it is made; holds CHAP passwords."""
    lines = [
        f"device {volume.drbd_device}",
        f"backstore {core(volume)}",
        f"group {tpg(goal, volume, server)}",
        f"state {state_path(volume)}",
        f"silence {silence_s(goal.cluster.timings):.0f}",
    ]
    for group in groups(goal, volume, server):
        lines += [f"node {path}" for path in group.nodes]
        lines += [f"link {path} {to}" for path, to in group.links.items()]
        values = {**group.values, **group.born}
        lines += [f"set {path} {_clear(value)}" for path, value in values.items()]
    return WantedFile(path=tree_path(volume), content=Secret("\n".join(lines) + "\n"), mode=0o600)


def _clear(value: str | Secret) -> str:
    return value if isinstance(value, str) else value.reveal()
