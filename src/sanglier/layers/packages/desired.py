"""Packages and kernel modules that each role needs, by Debian's names."""

from __future__ import annotations

from sanglier.layers.packages.agents import packages_for
from sanglier.spec.cluster import Cluster

STORAGE_PACKAGES = ("drbd-utils", "targetcli-fb")
ARBITER_PACKAGES = (
    "corosync",
    "corosync-qdevice",
    "pacemaker",
    "pacemaker-cli-utils",
)
WITNESS_PACKAGES = ("corosync-qnetd",)
APPLICATION_PACKAGES = ("multipath-tools", "ocfs2-tools", "open-iscsi")
STORAGE_MODULES = ("drbd", "iscsi_target_mod", "target_core_iblock", "target_core_mod")
APPLICATION_MODULES = (
    "dm_multipath",
    "dm_service_time",
    "iscsi_tcp",
    "ocfs2",
    "ocfs2_stack_o2cb",
    "sd_mod",
)


def _is_storage(cluster: Cluster, host: str) -> bool:
    return any(server.name == host for server in cluster.storage)


def _is_application(cluster: Cluster, host: str) -> bool:
    return any(server.name == host for server in cluster.applications)


def _arbiter_packages(cluster: Cluster, release: str) -> list[str]:
    """Any storage server may be told to use any device of the file."""
    agents = (device.agent for server in cluster.storage for device in server.fence)
    return sorted({*ARBITER_PACKAGES, *packages_for(agents, release)})


def packages_of(cluster: Cluster, host: str, release: str = "12") -> tuple[str, ...]:
    """Packages that ``host`` needs for its roles, by their names in a release of Debian."""
    wanted = [*STORAGE_PACKAGES] if _is_storage(cluster, host) else []
    if cluster.guarded and _is_storage(cluster, host):
        wanted += _arbiter_packages(cluster, release)
    if cluster.guarded and cluster.witness is not None and cluster.witness.name == host:
        wanted += WITNESS_PACKAGES
    if _is_application(cluster, host):
        wanted += APPLICATION_PACKAGES
    return tuple(wanted)


def modules_of(cluster: Cluster, host: str) -> tuple[str, ...]:
    """Kernel modules that ``host`` needs for its roles."""
    storage = STORAGE_MODULES if _is_storage(cluster, host) else ()
    application = APPLICATION_MODULES if _is_application(cluster, host) else ()
    return (*storage, *application)
