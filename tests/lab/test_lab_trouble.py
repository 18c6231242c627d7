"""Machines on which no lab can be, made of this one in namespaces of their own: what `up` says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanglier.lab import image, uml
from sanglier.lab.network import attempt
from sanglier.lab.recipe import Kind

pytestmark = pytest.mark.lab

UP = f'exec "$@" "{sys.executable}" -m sanglier.cli.main lab up --name t-trouble --only witness'
APART = "mkdir -p /run/netns; mount -t tmpfs none /run/netns"
ROOT_BYTES = 3 << 30
EMPTY = "mount -t tmpfs -o size=1m,{} none"


@pytest.fixture
def place() -> Iterator[Path]:
    """Keep a short path: sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/var/tmp") as directory:
        for name in ("cache", "run"):
            (Path(directory) / name).mkdir()
        yield Path(directory)


def keep_image(at: Path, size: int) -> None:
    """Put what looks like an image into the cache, its root filesystem of ``size`` bytes."""
    directory = at / "cache" / "images" / image.recipe(Kind.FULL, uml.BACKEND.kernel).key
    directory.mkdir(parents=True)
    root = directory / "root.ext4"
    root.touch()
    os.truncate(root, size)
    kernel = {"release": "6.1", "sock_def_readable": 2}
    manifest = {"kernel": kernel, "files": {root.name: ROOT_BYTES}}
    (directory / "manifest.json").write_text(json.dumps(manifest))


def up(before: str, *options: str, at: Path) -> str:
    """Run `lab up` in a mount namespace of its own, after ``before``; it must refuse, once."""
    done = subprocess.run(
        ["unshare", "--mount", *options, "sh", "-euc", f"{APART}\n{before}\n{UP}"],
        env=os.environ
        | {"SANGLIER_CACHE": str(at / "cache"), "SANGLIER_LAB_DIR": str(at / "run")},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr.count("[SG-") == 1, done.stderr
    assert "do:" in done.stderr and "Traceback" not in done.stderr
    return done.stderr


def kept(at: Path) -> list[str]:
    """Name what is there of a lab, beside empty directories and locks."""
    return [path.name for path in at.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.parametrize(
    ("hide", "why"),
    [
        ("", "No such file"),
        ("touch /dev/net/tun", "no device"),
        ("mknod /dev/net/tun c 10 200; mount -o remount,nodev /dev/net", "Permission denied"),
    ],
)
def test_without_a_tun_that_opens(hide: str, why: str, place: Path) -> None:
    said = up(f"{EMPTY.format('dev')} /dev/net\n{hide}", at=place)
    assert "SG-LAB-009" in said and why in said
    assert kept(place) == []


@pytest.mark.parametrize("lost", ["net_admin", "sys_admin", "sys_chroot"])
def test_in_a_container_without_a_capability(lost: str, place: Path) -> None:
    said = up(f"set -- setpriv --bounding-set=-{lost} --inh-caps=-{lost}", at=place)
    assert "SG-LAB-041" in said and f"CAP_{lost.upper()}" in said
    assert kept(place) == []


def test_as_root_of_a_user_namespace_of_one_user(place: Path) -> None:
    said = up(":", "--map-root-user", at=place)
    assert "SG-LAB-041" in said and "user namespace" in said


def test_what_is_refused_when_it_is_tried_is_told_in_the_system_s_words() -> None:
    program = "from sanglier.lab.network import attempt; print(attempt())"
    argv = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    done = subprocess.run(
        [*argv, sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "Operation not permitted" in done.stdout
    assert attempt() == ""


def test_on_a_processor_of_another_kind(place: Path) -> None:
    said = up("set -- setarch i686", at=place)
    assert "SG-LAB-042" in said and "i686" in said


@pytest.mark.parametrize(
    ("mount", "code"),
    [
        (EMPTY.format("dev"), "SG-LAB-012"),
        (EMPTY.format("ro"), "SG-LAB-044"),
        (EMPTY.format("noexec"), "SG-LAB-044"),
    ],
)
def test_with_a_cache_that_takes_no_image(mount: str, code: str, place: Path) -> None:
    said = up(f'{mount} "$SANGLIER_CACHE"', at=place)
    assert code in said and str(place / "cache") in said


def test_with_an_apt_that_has_never_read_its_archives(place: Path) -> None:
    said = up(f"{EMPTY.format('dev')} /var/lib/apt/lists", at=place)
    assert "SG-LAB-045" in said and "apt-get update" in said


def test_with_half_an_image(place: Path) -> None:
    keep_image(place, ROOT_BYTES // 2)
    said = up(":", at=place)
    assert "SG-LAB-043" in said and "root.ext4" in said


def test_without_room_for_memory_in_either_place(place: Path) -> None:
    keep_image(place, ROOT_BYTES)
    small = f"{EMPTY.format('dev')} /dev/shm"
    disk = 'mkdir "$SANGLIER_CACHE/labs"; mount -t tmpfs -o size=1060m none "$SANGLIER_CACHE/labs"'
    said = up(f"{small}\n{disk}", at=place)
    assert "SG-LAB-012" in said and "/dev/shm" in said
