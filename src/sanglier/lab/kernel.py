"""The one known trap of user-mode Linux kernels, checked before any lab uses one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sanglier.lab.errors import refuse

CHECK_LINE = re.compile(r"sanglier-kernel-check (\S+) ([0-9a-f]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """What the kernel said of itself when it was booted once."""

    release: str
    sock_def_readable: int
    """Address of that function, /proc/kallsyms."""


def parse_check(console: str) -> Kernel | None:
    """Find the line that ``image/kernel-check`` prints on the console."""
    found = CHECK_LINE.search(console)
    if found is None:
        return None
    return Kernel(release=found[1], sock_def_readable=int(found[2], 16))


def refuse_unsafe(kernel: Kernel) -> None:
    """Refuse a kernel on which o2cb dies at its first connection (SG-LAB-013).

    o2cb keeps a function pointer in ``sk_user_data`` and the kernel takes bit 0
    of that field as a flag.  User-mode Linux does not align functions, so an
    odd ``sock_def_readable`` sends ``o2net_listen_data_ready`` into endless
    recursion.  Kernels built for real machines align functions to 16 bytes.
    """
    if kernel.sock_def_readable % 2 == 0:
        return
    raise refuse(
        13,
        f"user-mode Linux {kernel.release}",
        f"has sock_def_readable at the odd address {kernel.sock_def_readable:#x}",
        why="o2cb stores that pointer in sk_user_data, whose bit 0 the kernel takes as a flag: "
        "a node would die by endless recursion when its first peer connects",
        fix="use the kernel of Debian bookworm's user-mode-linux 6.1um4 (even, known to be good)",
    )
