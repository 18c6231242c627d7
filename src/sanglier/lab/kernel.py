"""What a lab's kernel is asked before any lab uses it: above all for the one known trap."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from sanglier.lab.command import CONTAINED, run
from sanglier.lab.errors import LabError, refuse

CHECK_LINE = re.compile(r"sanglier-kernel-check (\S+) ([0-9a-f]+)")
TRACE_LINE = re.compile(r"\s*$| \[<| [0-9a-f]{8} |Stack:|Call Trace:")
"""A kernel that panics prints a page of these after the line that matters."""

LAST_LINES = 12
TIMED_OUT = 124
"""Status of timeout(1) when it had to end the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """What the kernel said of itself when it was booted once."""

    release: str
    sock_def_readable: int
    """Address of that function, /proc/kallsyms."""


def ask(argv: tuple[str, ...], seconds: int, env: Mapping[str, str] | None = None) -> Kernel:
    """Boot a kernel whose first program is ``image/kernel-check``; SG-LAB-014 if it is silent."""
    reaped = ("timeout", "-k", "5", str(seconds), "sh", "-c", '"$@"; exit $?', "sh", *argv)
    done = run(
        (*CONTAINED, *reaped), check=False, timeout=seconds + 30, env=os.environ | (env or {})
    )
    kernel = parse_check(done.stdout)
    if kernel is None:
        raise dead(done.returncode, done.stdout + done.stderr, seconds)
    return kernel


def parse_check(console: str) -> Kernel | None:
    """Find the line that ``image/kernel-check`` prints on the console."""
    found = CHECK_LINE.search(console)
    if found is None:
        return None
    return Kernel(release=found[1], sock_def_readable=int(found[2], 16))


def dead(status: int, console: str, patience: int) -> LabError:
    """Describe a kernel that did not say what it was asked (SG-LAB-014): only what was seen."""
    lines = [line.rstrip() for line in console.splitlines() if not TRACE_LINE.match(line)]
    said = "\n       ".join(("it said last:", *lines[-LAST_LINES:]))
    return refuse(
        14, "the lab's kernel", f"did not boot: {_ending(status, patience)}",
        why=said if lines else "it said nothing",
        fix="`lab up` tries again; if it stays so, report these lines with those of lscpu(1)",
    )  # fmt: skip


def _ending(status: int, patience: int) -> str:
    """Tell how a command ended whose shell passes a signal N on as status 128+N."""
    if status == TIMED_OUT:
        return f"it had said nothing of itself after {patience} s"
    if status > 128 and status - 128 in {int(each) for each in signal.Signals}:
        return f"it was ended by {signal.Signals(status - 128).name}"
    return f"it ended with status {status}"


def refuse_unsafe(kernel: Kernel) -> None:
    """Refuse a kernel on which o2cb dies at its first connection (SG-LAB-013).

    o2cb keeps a function pointer in ``sk_user_data`` and the kernel takes bit 0
    of that field as a flag.  Where functions are not aligned (user-mode Linux) an
    odd ``sock_def_readable`` sends ``o2net_listen_data_ready`` into endless
    recursion.  Kernels built for real machines align functions to 16 bytes.
    """
    if kernel.sock_def_readable % 2 == 0:
        return
    raise refuse(
        13,
        f"the lab's kernel {kernel.release}",
        f"has sock_def_readable at the odd address {kernel.sock_def_readable:#x}",
        why="o2cb stores that pointer in sk_user_data, whose bit 0 the kernel takes as a flag: "
        "a node would die by endless recursion when its first peer connects",
        fix="use the kernel of Debian bookworm's user-mode-linux 6.1um4 (even, known to be good), "
        "or --driver qemu",
    )
