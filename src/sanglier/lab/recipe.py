"""What an image is made of, and the key by which a cached one is found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sanglier.lab.kernel import Kernel
from sanglier.lab.topology import GATEWAY
from sanglier.layers.packages.agents import packages_for

SUITES = {"12": "bookworm", "13": "trixie"}
"""Debian's releases that hosts can be of, and their code names."""

RELEASE = "13"
"""The release of hosts where nobody asks for one."""

FORMAT = 3
"""Raise it when image.py changes what it does with the same recipe."""

MIRROR_PORT = 8099
MIRROR_URL = f"http://{GATEWAY}:{MIRROR_PORT}"

BASE_PACKAGES = (
    "systemd", "systemd-sysv", "udev", "dbus", "kmod", "openssh-server", "sudo", "iproute2",
    "iputils-ping", "e2fsprogs", "netbase", "procps", "less", "psmisc", "python3",
    "initramfs-tools", "dmsetup",
)  # fmt: skip
"""What a freshly installed Debian server has, and what makes /dev/mapper/disk."""

COMMON_PACKAGES = (
    "drbd-utils", "targetcli-fb", "open-iscsi", "multipath-tools", "ocfs2-tools", "fio",
    "ethtool", "pacemaker", "pacemaker-cli-utils", "corosync", "corosync-qdevice",
    "corosync-qnetd",
)  # fmt: skip
LAB_AGENT = "fence_ipmilan"
"""The agent by which the lab's power switches are reached."""

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
class KernelSource:
    """Where the kernel of an image comes from: what of an image depends on the back end."""

    driver: str
    """Name of the back end."""
    scripts: tuple[str, ...]
    """Image scripts of this back end only; the first one brings the kernel."""
    ask: Callable[[Path], Kernel]
    """Boots a directory's kernel on its root once, and asks it what it must be asked."""
    suite: str = ""
    """Code name of the release that it is of; empty: the hosts' own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides what an image holds."""

    kind: Kind
    kernel: KernelSource
    scripts: tuple[tuple[str, str], ...]
    """(file name, text) of the image scripts."""
    release: str = RELEASE

    @property
    def suite(self) -> str:
        """Code name of the hosts' release."""
        return SUITES[self.release]

    @property
    def kernel_suite(self) -> str:
        """Code name of the release that the kernel is of."""
        return self.kernel.suite or self.suite

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages that the image has installed."""
        return BASE_PACKAGES + (stack_packages(self.release) if self.kind is Kind.FULL else ())

    @property
    def key(self) -> str:
        """Name of the cached image: equal recipes have equal keys."""
        parts = (
            str(FORMAT), self.kernel.driver, self.kind, self.suite, self.kernel_suite, MIRROR_URL,
            *PATH_EXCLUDES,
            *BASE_PACKAGES, *stack_packages(self.release), *STACK_SERVICES,
            *(part for script in self.scripts for part in script),
        )  # fmt: skip
        digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return f"{self.kind}-{self.release}-{self.kernel.driver}-{digest[:12]}"


def stack_packages(release: str) -> tuple[str, ...]:
    """List what `apply` installs on a bare host, and what the mirror holds."""
    return (*COMMON_PACKAGES, *sorted(packages_for((LAB_AGENT,), release)))


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


def hook_environment(
    recipe: Recipe, *, scripts: str, out: str, kernel_sources: tuple[str, ...]
) -> dict[str, str]:
    """Variables that ``customize.sh`` reads."""
    return {
        "SANGLIER_KIND": recipe.kind.value,
        "SANGLIER_STACK": " ".join(stack_packages(recipe.release)),
        "SANGLIER_KERNEL": recipe.kernel.scripts[0],
        "SANGLIER_KERNEL_SOURCES": "".join(f"{source}\n" for source in kernel_sources),
        "SANGLIER_SERVICES": " ".join(STACK_SERVICES),
        "SANGLIER_SCRIPTS": scripts,
        "SANGLIER_OUT": out,
        "SANGLIER_MIRROR": MIRROR_URL,
    }


def parse_sources(text: str, suite: str) -> tuple[str, ...]:
    """Turn ``apt-get indextargets`` lines (URI CODENAME COMPONENT) into one-line sources.

    Keeps the suites of ``suite`` (``bookworm``, ``bookworm-updates``, ...), once each.  A machine
    that has none of them gives those of its own release under the other name: an archive has
    all of them.
    """
    targets = [fields for line in text.splitlines() if len(fields := line.split()) == 3]
    there = {name for _, name, _ in targets}
    known = next((name for name in (suite, *SUITES.values()) if name in there), None)
    if known is None:
        return ()
    found: dict[tuple[str, str], list[str]] = {}
    for uri, name, component in targets:
        if name == known or name.startswith(f"{known}-"):
            components = found.setdefault((uri, suite + name.removeprefix(known)), [])
            if component not in components:
                components.append(component)
    return tuple(f"deb {uri} {name} {' '.join(parts)}" for (uri, name), parts in found.items())
