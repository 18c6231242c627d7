"""Runs the machine's own commands for the lab: argv only, errors with their output."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sanglier.lab.errors import refuse

NO_SPACE = "No space left on device"
UNREACHABLE = "Failed to fetch"
UNKNOWN = re.compile("Unable to locate package|installation candidate|not have a Release file")
"""What apt-get says where an archive has not that package, or not that release."""

BOUND = ("setpriv", "--pdeathsig", "KILL")
"""Prefix: the command is killed when we are."""

CONTAINED = (*BOUND, "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
"""Prefix: every mount and process of the command goes when it does, or when we do."""


def run(
    argv: tuple[str, ...],
    *,
    text: str = "",
    check: bool = True,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end and return what it printed; SG-LAB-090 if it fails.

    ``timeout`` is in seconds, ``text`` is its standard input.
    """
    try:
        done = subprocess.run(
            argv, input=text, capture_output=True, text=True, timeout=timeout, env=env, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise refuse(
            90, argv[0], f"did not end within {timeout:.0f} s", why=" ".join(argv)
        ) from late
    if check and done.returncode != 0:
        raise failure(argv, done.returncode, done.stderr + done.stdout)
    return done


def failure(argv: tuple[str, ...], status: int, output: str) -> Exception:
    """Describe a failed command; a full disk has its own code (SG-LAB-012)."""
    tail = "\n".join(output.strip().splitlines()[-8:])
    if NO_SPACE in output:
        return refuse(
            12, argv[0], "ran out of disk space", why=tail,
            fix="free some space, or point SANGLIER_CACHE at a larger disk",
        )  # fmt: skip
    if UNREACHABLE in output:
        return refuse(
            16, argv[0], "could not fetch packages", why=tail,
            fix="building an image needs the Debian archive that this machine's apt uses: "
            "does `apt-get update` work?",
        )  # fmt: skip
    if UNKNOWN.search(output):
        return refuse(
            45, argv[0], "found packages of the lab in no archive", why=tail,
            fix="this machine's apt must know an archive of Debian that has the hosts' release "
            "and that of their kernel: see /etc/apt/sources.list.d",
        )  # fmt: skip
    return refuse(90, argv[0], f"failed with status {status}: {tail}", why=" ".join(argv)[:400])


def missing(commands: Mapping[str, str]) -> dict[str, str]:
    """Return those of the commands (command -> package) that are not there."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        command: package
        for command, package in commands.items()
        if shutil.which(command, path=path) is None
    }


def free_bytes(directory: Path) -> int:
    """Space left for new files under the nearest existing parent of ``directory``."""
    while not directory.exists():
        directory = directory.parent
    return shutil.disk_usage(directory).free
