"""A lab of an ordinary user, by the commands that such a user types, on a machine that allows it.

The machine is this one in a mount namespace: /dev/net/tun opens to all, and `nobody` is lent users.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanglier.lab import image, uml
from sanglier.lab.recipe import Kind
from sanglier.lab.rootless import COMMANDS

NOBODY = 65534
ROOT = Path(__file__).parents[2]
PACKAGES = Path(pytest.__file__).parents[1]
UNUSED = ("*mypy*", "pip*", "setuptools*", "hypothesis*", "ruff*", "*.pth", "__pycache__")
"""Packages that are large and that no verb needs, and what leads to folders of root's."""
ALLOWED = f"""
mknod -m 666 "$HOME/tun" c 10 200
mount --bind "$HOME/tun" /dev/net/tun
echo nobody:200000:65536 > "$HOME/lent"
for file in /etc/subuid /etc/subgid; do
    [ -e "$file" ] || continue
    mount --bind "$HOME/lent" "$file"
done
exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups sh -euc "$1"
"""
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        any(shutil.which(command) is None for command in COMMANDS), reason="uidmap is missing"
    ),
    pytest.mark.skipif(
        not Path("/etc/subuid").exists(), reason="no /etc/subuid to put another one over"
    ),
]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """Make a home of nobody's, with this machine's image in its cache and a copy of our package."""
    kept = image.ensure(Kind.FULL, "13", uml.BACKEND.kernel, lambda _subject, _what: None)
    with tempfile.TemporaryDirectory(prefix="n-", dir="/var/tmp") as directory:
        there = Path(directory)
        images = there / "cache" / "images"
        images.mkdir(parents=True)
        subprocess.run(["cp", "-a", "--sparse=always", kept.directory, images], check=True)
        _install(there)
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", directory], check=True)
        try:
            yield there
        finally:
            typed(there, "sanglier lab down --name t-user")


def _install(there: Path) -> None:
    """Make an environment of Python's with our package, and with what ours needs."""
    shutil.copytree(ROOT / "src", there / "src")
    subprocess.run([python(), "-m", "venv", "--without-pip", there / "venv"], check=True)
    (folder,) = (there / "venv" / "lib").glob("python*/site-packages")
    shutil.copytree(PACKAGES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*UNUSED))
    (folder / "ours.pth").write_text(f"{there / 'src'}\n")


def python() -> str:
    """Find an interpreter of this version that nobody can run: ours may be in root's home."""
    ours = [str(number) for number in sys.version_info[:2]]
    as_nobody = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
    for found in (sys.executable, "/usr/bin/python3"):
        asked = (
            *as_nobody,
            "sh",
            "-c",
            'exec "$0" -VV',
            found,
        )  # setpriv itself may still read all
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.split()[1].split(".")[:2] == ours:
            return found
    pytest.skip("no Python of this version that an ordinary user can run")


def typed(home: Path, text: str, *, allowed: bool = True) -> tuple[int, str]:
    """Run what a user types; `sanglier` is our command."""
    words = f'sanglier() {{ "$HOME/venv/bin/python" -m sanglier.cli.main "$@"; }}\n{text}'
    environment = {
        "HOME": str(home), "PATH": os.environ["PATH"], "SANGLIER_CACHE": str(home / "cache"),
    }  # fmt: skip
    prepared = ALLOWED if allowed else ALLOWED.replace("-m 666", "-m 600")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-euc", prepared, "sh", words],
        env=environment, capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    (home / "tun").unlink(missing_ok=True)
    return done.returncode, done.stdout + done.stderr


def test_a_user_has_a_lab_reaches_its_host_and_takes_it_down(home: Path) -> None:
    config = home / "cache/run/t-user/ssh_config"
    status, told = typed(
        home,
        "sanglier lab up --name t-user --only witness; sanglier lab status --name t-user\n"
        f"ssh -F {config} witness 'echo here: $(uname -n)'; sanglier lab down --name t-user",
    )
    assert status == 0, told
    assert "here: witness" in told
    assert "is down: no process" in told
    _assert_nothing_is_left(home)


def test_a_lab_whose_keeper_was_killed_is_taken_down_too(home: Path) -> None:
    status, told = typed(
        home,
        "sanglier lab up --name t-user --only witness\n"
        "read -r keeper _ < $HOME/cache/run/keeper; kill -9 $keeper\n"
        "sanglier lab status --name t-user; sanglier lab down --name t-user",
    )
    assert status == 0, told
    assert "witness  running" in told
    assert "is down: no process" in told
    _assert_nothing_is_left(home)


def _assert_nothing_is_left(home: Path) -> None:
    assert {path.name for path in (home / "cache/run").iterdir()} == {"keeper.lock"}
    assert not [path for path in Path("/proc").glob("[0-9]*/environ") if _is_of(path, home)]


def _is_of(environ: Path, home: Path) -> bool:
    """Whether a process was started from there."""
    try:
        return f"HOME={home}\0".encode() in environ.read_bytes()
    except OSError:
        return False


def test_a_machine_that_does_not_allow_it_says_what_is_missing(home: Path) -> None:
    status, told = typed(home, "sanglier lab up --name t-user", allowed=False)
    assert status != 0
    assert "SG-LAB-007" in told and "/dev/net/tun is not open to users" in told
    assert not (home / "cache/run/t-user").exists()
