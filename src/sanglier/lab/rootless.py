"""Labs of ordinary users: root of a user namespace of their own, where the machine lets users.

A keeper is a process that holds two namespaces, of users and of mounts; in the second /run is
private.  Every command that makes or changes a lab enters both (user_namespaces(7), nsenter(1)) and
is root there.  Nothing that a lab is made of knows of it, but for its ssh_config: ssh(1) comes from
outside.  The keeper ends with the last lab.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path

from sanglier.lab import process
from sanglier.lab.errors import refuse
from sanglier.lab.place import cache_dir

KEEPER = "SANGLIER_LAB_KEEPER"
"""Where it is set, a command is inside: the process that holds the namespaces."""
RUN = "SANGLIER_LAB_DIR"
COMMANDS = {"unshare": "util-linux", "nsenter": "util-linux", "newuidmap": "uidmap"}
AS_ROOT = ("unshare", "--user", "--map-root-user", "--map-auto", "--mount")
"""All users of a Debian system are needed, not root alone: subuid(5)."""
TAP = ("--net", "ip", "tuntap", "add", "dev", "tap", "mode", "tap")
START_SECONDS = 10.0
KNOWN, READY, LOG, MOUNT = "keeper", "keeper.up", "keeper.log", "keeper.run"
FILES = (KNOWN, READY, LOG)


def lack() -> str:
    """Tell what keeps an ordinary user from a lab here, found out by doing it; "" if nothing."""
    absent = [package for command, package in COMMANDS.items() if shutil.which(command) is None]
    if absent:
        return f"{absent[0]} is not installed"
    users = _refusal((*AS_ROOT, "true"))
    if users:
        return f"user namespaces are not open to users, or too small (subuid(5)): {users}"
    taps = _refusal((*AS_ROOT, *TAP))
    return f"/dev/net/tun is not open to users: {taps}" if taps else ""


def _refusal(argv: Sequence[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else " ".join(done.stderr.split()) or "it failed"


def run_dir(environment: Mapping[str, str]) -> Path:
    """Where the state of a user's labs is: as seen from inside and from outside."""
    own, runtime = environment.get(RUN), environment.get("XDG_RUNTIME_DIR", "")
    if own:
        return Path(own).absolute()
    if runtime.startswith("/") and os.access(runtime, os.W_OK):
        return Path(runtime) / "sanglier" / "lab"
    return cache_dir() / "run"


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (directory / "keeper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def find(directory: Path) -> int | None:
    """Find the keeper; ``None`` if it does not live."""
    try:
        pid, started = (int(word) for word in (directory / KNOWN).read_text().split())
    except (OSError, ValueError):
        return None
    return pid if process.find_started(pid, started) else None


def survivor(directory: Path) -> int | None:
    """Find a process of a lab: where the keeper was killed, it still has the namespaces."""
    for record in directory.glob("*/*.process"):
        with suppress(OSError, ValueError, KeyError):
            known = json.loads(record.read_text())
            if there := process.find_started(known["pid"], known["started"]):
                return there.pid
    return None


def keep(directory: Path) -> int:
    """Find the keeper, or start one; SG-LAB-046 if it does not come up."""
    with _locked(directory):
        there = find(directory)
        return _start(directory) if there is None else there


def _start(directory: Path) -> int:
    mount, ready, log = (directory / name for name in (MOUNT, READY, LOG))
    mount.mkdir(exist_ok=True)
    ready.unlink(missing_ok=True)
    then = ("sh", "-c", ': > "$1"; exec sleep infinity', "keeper", str(ready))
    with log.open("w") as said:
        keeper = subprocess.Popen(
            (*AS_ROOT, "sh", "-c", _prepare(), "keeper", str(mount), *then),
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, cwd="/",
        )  # fmt: skip
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if keeper.poll() is not None or time.monotonic() > deadline:
            keeper.kill()
            raise refuse(
                46, "lab", "an ordinary user's namespaces do not come up",
                why=log.read_text().strip()[-300:] or f"nothing for {START_SECONDS:.0f} s",
                fix="run it as root, or with sudo",
            )  # fmt: skip
        time.sleep(0.02)
    there = process.find(keeper.pid)
    (directory / KNOWN).write_text(f"{keeper.pid} {there.started if there else 0}\n")
    return keeper.pid


def _prepare() -> str:
    return resources.files("sanglier.lab").joinpath("rootless.sh").read_text()


def _has_labs(directory: Path) -> bool:
    """Whether there are labs, or what is left of them."""
    return any(directory.glob("*/lab.json"))


def end_if_idle() -> None:
    """End the keeper that this command is inside of, if no lab is left."""
    pid = os.environ.get(KEEPER, "")
    directory = run_dir(os.environ)
    if not pid.isdecimal() or _has_labs(directory):
        return
    with _locked(directory):
        keeper = find(directory)
        if keeper not in {None, int(pid)}:
            return
        for name in FILES:
            (directory / name).unlink(missing_ok=True)
        if keeper is not None:
            process.send(keeper, signal.SIGTERM)
        with suppress(OSError):
            (directory / MOUNT).rmdir()


def inside(pid: int, argv: Sequence[str]) -> tuple[str, ...]:
    """Build the command that runs ``argv`` inside, in the same folder."""
    go = ("sh", "-c", 'cd "$1" && shift && exec "$@"', "inside", str(Path.cwd()), *argv)
    return (*_through(pid), *go)


def _through(pid: int) -> tuple[str, ...]:
    """Build the words before a command that enters the namespaces of a process."""
    return ("nsenter", f"--target={pid}", "--user", "--mount", "--preserve-credentials")


def entrance(namespace: Path) -> str:
    """Write the script that runs its words inside the network ``namespace``; "" if none is needed.

    An ordinary user's is reached through the keeper, but for who is inside already.
    """
    pid = os.environ.get(KEEPER, "")
    if not pid.isdecimal():
        return ""
    return f"""\
#!/bin/sh
# Runs a command in the network of this lab.  Written by `sanglier lab up`.
if [ "$(readlink /proc/self/ns/user)" = "$(readlink /proc/{pid}/ns/user)" ]; then
    exec nsenter --net='{namespace}' "$@"
fi
exec {" ".join(_through(int(pid)))} \\
    nsenter --net='{namespace}' "$@"
"""


def concerns(words: Sequence[str]) -> bool:
    """Whether a command line of ours makes, changes or looks at labs."""
    if not words or "--help" in words:
        return False
    on_lab = any(word == "--lab" or word.startswith("--lab=") for word in words)
    return words[0] in {"lab", "demo"} or (words[0] == "drill" and on_lab)


def begins(words: Sequence[str]) -> bool:
    """Whether it may make the first lab."""
    return list(words[:1]) == ["demo"] or list(words[:2]) == ["lab", "up"]


def go_inside(words: Sequence[str]) -> None:
    """Run the command inside instead of here; return where it must go on here."""
    if os.geteuid() == 0 or KEEPER in os.environ or not concerns(words):
        return
    directory = run_dir(os.environ)
    pid = find(directory) or survivor(directory)
    if pid is None and (begins(words) or _has_labs(directory)) and not lack():
        pid = keep(directory)
    if pid is None:
        return
    environment = {**os.environ, RUN: str(directory), KEEPER: str(pid)}
    argv = inside(pid, (sys.executable, "-m", "sanglier.cli.main", *words))
    os.execvpe(argv[0], argv, environment)


def main() -> None:
    """Run a command inside namespaces that end with it; without words, tell what is lacking."""
    words = sys.argv[1:]
    if not words:
        sys.exit(lack() or None)
    directory = cache_dir() / "run" / str(os.getpid())
    mount = directory / "mount"
    mount.mkdir(parents=True)
    environment = {**os.environ, RUN: str(directory), KEEPER: "this"}
    argv = (*AS_ROOT, "sh", "-c", _prepare(), "rootless", str(mount), *words)
    try:
        status = subprocess.run(argv, env=environment, check=False).returncode
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
