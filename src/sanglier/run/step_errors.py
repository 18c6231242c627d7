"""What a failed step means, read from its output: the few causes that have one name."""

from __future__ import annotations

import re
from collections.abc import Callable

from sanglier.core.errors import SanglierError
from sanglier.core.step import Step
from sanglier.run.codes import Code

_AGAIN = "then run the same command again: it goes on from there"
_LINES_SHOWN = 8


def step_error(step: Step, status: int, output: str) -> SanglierError:
    """Name the cause of a failed step; ``output`` must be masked already."""
    for words, explain in _SIGNS:
        found = re.search(words, output)
        if found:
            return explain(step, found, output)
    return _plain(step, status, output)


def _tail(output: str) -> str:
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    return "\n       ".join(lines[-_LINES_SHOWN:]) or "(it said nothing)"


def _error(step: Step, code: Code, what: str, why: str, fix: str) -> SanglierError:
    return SanglierError(code=code, subject=str(step.address), what=what, why=why, fix=fix)


def _plain(step: Step, status: int, output: str) -> SanglierError:
    return _error(
        step,
        Code.STEP_FAILED,
        f"could not {step.summary} (exit status {status})",
        _tail(output),
        f"mend the cause on {step.address.host}, {_AGAIN}",
    )


def _disk_full(step: Step, found: re.Match[str], output: str) -> SanglierError:
    host = step.address.host
    return _error(
        step,
        Code.DISK_FULL,
        f"could not {step.summary}: the disk of {host} is full",
        _tail(output),
        f"make room on {host} (df -h; df -i), {_AGAIN}",
    )


def _no_module(step: Step, found: re.Match[str], output: str) -> SanglierError:
    module = found.group("module")
    return _error(
        step,
        Code.MODULE_MISSING,
        f"could not {step.summary}: the kernel has no module {module}",
        _tail(output),
        f"on {step.address.host}: install the kernel's full package (linux-image-amd64, not "
        f"-cloud-), reboot when /lib/modules has no folder of `uname -r`, {_AGAIN}",
    )


def _no_command(step: Step, found: re.Match[str], output: str) -> SanglierError:
    command = found.group("command")
    return _error(
        step,
        Code.COMMAND_MISSING,
        f"could not {step.summary}: there is no command {command}",
        _tail(output),
        f"install the package that brings {command} on {step.address.host} "
        f"(dpkg -S / apt-file search {command}), {_AGAIN}",
    )


def _read_only(step: Step, found: re.Match[str], output: str) -> SanglierError:
    return _error(
        step,
        Code.READ_ONLY,
        f"could not {step.summary}: a filesystem is mounted read-only",
        _tail(output),
        f"on {step.address.host}: see `dmesg | tail` for why (often a disk error), mend it, "
        f"{_AGAIN}",
    )


_SIGNS: tuple[tuple[str, Callable[[Step, re.Match[str], str], SanglierError]], ...] = (
    (r"No space left on device|Disk quota exceeded", _disk_full),
    (r"modprobe: FATAL: Module (?P<module>\S+) not found", _no_module),
    (r"Read-only file system", _read_only),
    (r"(?m)^\S*sh: \d+: (?P<command>\S+): not found$", _no_command),
)
