"""What an image is made of, and the key by which a cached one is found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from sanglier.lab.topology import GATEWAY

SUITE = "bookworm"
"""The release whose kernel is known to be good: see ``kernel.py``."""

FORMAT = 1
"""Raise it when image.py changes what it does with the same recipe."""

MIRROR_PORT = 8099
MIRROR_URL = f"http://{GATEWAY}:{MIRROR_PORT}"

BASE_PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "openssh-server", "sudo", "iproute2",
    "iputils-ping", "e2fsprogs", "netbase", "procps", "less", "psmisc", "python3",
    "initramfs-tools", "dmsetup",
)  # fmt: skip
"""What a freshly installed Debian server has, and what makes /dev/mapper/disk."""

STACK_PACKAGES = (
    "drbd-utils", "targetcli-fb", "open-iscsi", "multipath-tools", "ocfs2-tools", "fio",
    "ethtool", "pacemaker", "pacemaker-cli-utils", "corosync", "corosync-qdevice",
    "corosync-qnetd", "fence-agents", "ipmitool",
)  # fmt: skip
"""What `apply` installs on a bare host, and what the mirror holds."""

STACK_SERVICES = (
    "multipathd.service", "multipathd.socket", "multipath-tools.service",
    "rtslib-fb-targetctl.service", "ocfs2.service", "drbd.service",
    "corosync.service", "pacemaker.service", "corosync-qdevice.service", "corosync-qnetd.service",
)  # fmt: skip
"""Started by Debian at installation; disabled here, because `apply` is to enable them, or
because they cost boot time.  open-iscsi, iscsid.socket and o2cb stay as Debian leaves them:
they do nothing at boot until they are configured."""

PATH_EXCLUDES = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


class Kind(StrEnum):
    """Which image: with the stack's packages, or as a fresh server."""

    FULL = "full"
    BARE = "bare"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what an image holds."""

    kind: Kind
    scripts: tuple[tuple[str, str], ...]
    """(file name, text) of the image scripts."""
    suite: str = SUITE

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages that the image has installed."""
        return BASE_PACKAGES + (STACK_PACKAGES if self.kind is Kind.FULL else ())

    @property
    def key(self) -> str:
        """Name of the cached image: equal recipes have equal keys."""
        parts = (
            str(FORMAT), self.kind, self.suite, MIRROR_URL, *PATH_EXCLUDES, *BASE_PACKAGES,
            *STACK_PACKAGES, *STACK_SERVICES, *(part for script in self.scripts for part in script),
        )  # fmt: skip
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"{self.kind}-{digest[:12]}"


def mmdebstrap_argv(
    recipe: Recipe, *, root: str, hook: str, sources: tuple[str, ...]
) -> tuple[str, ...]:
    """Command that makes the root directory, mmdebstrap(1)."""
    excludes = tuple(f"--dpkgopt=path-exclude={pattern}" for pattern in PATH_EXCLUDES)
    return (
        "mmdebstrap", "--variant=minbase", "--format=directory", "--dpkgopt=force-unsafe-io",
        *excludes, f"--include={','.join(recipe.packages)}", f"--customize-hook={hook}",
        recipe.suite, root, *sources,
    )  # fmt: skip


def hook_environment(recipe: Recipe, *, scripts: str, out: str) -> dict[str, str]:
    """Variables that ``customize.sh`` reads."""
    return {
        "SANGLIER_KIND": recipe.kind.value,
        "SANGLIER_STACK": " ".join(STACK_PACKAGES),
        "SANGLIER_SERVICES": " ".join(STACK_SERVICES),
        "SANGLIER_SCRIPTS": scripts,
        "SANGLIER_OUT": out,
        "SANGLIER_MIRROR": MIRROR_URL,
    }


def parse_sources(text: str, suite: str) -> tuple[str, ...]:
    """Turn ``apt-get indextargets`` lines (URI CODENAME COMPONENT) into one-line sources.

    Keeps the suites of ``suite`` (``bookworm``, ``bookworm-updates``, ...), once each.
    """
    found: dict[tuple[str, str], list[str]] = {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) == 3 and (fields[1] == suite or fields[1].startswith(f"{suite}-")):
            components = found.setdefault((fields[0], fields[1]), [])
            if fields[2] not in components:
                components.append(fields[2])
    if not any(codename == suite for _, codename in found):
        return ()
    return tuple(f"deb {uri} {name} {' '.join(parts)}" for (uri, name), parts in found.items())
