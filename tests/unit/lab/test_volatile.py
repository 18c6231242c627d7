"""Disks that lose their cache: the library, preloaded into a process that writes a file."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import volatile
from sanglier.lab.image import Image
from sanglier.lab.kernel import Kernel
from sanglier.lab.place import Place

BLOCK, BLOCKS = 4096, 64
OLD, NEW = b"o" * BLOCK, b"n" * BLOCK
COMPILERS = [name for name in ("tcc", "cc") if volatile.compiler((name,))]


@pytest.fixture(scope="module", params=COMPILERS)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("volatile")
    volatile.build(folder / "volatile.so", volatile.compiler((request.param,)))
    return folder / "volatile.so"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    file = tmp_path / "disk"
    file.write_bytes(OLD * BLOCKS)
    return file


def play(
    library: Path, disk: Path, program: str, eagerness: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run some Python with ``f`` open on the disk, and ``put`` and ``get`` of whole blocks."""
    begin = (
        "import os, sys, random, signal\n"
        f"B = {BLOCK}\nOLD, NEW = b'o' * B, b'n' * B\n"
        "f = os.open(sys.argv[1], os.O_RDWR)\n"
        "put = lambda block, data=NEW: os.pwrite(f, data, block * B)\n"
        "get = lambda block: os.pread(f, B, block * B)\n"
        "die = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", begin + program, str(disk)], capture_output=True, text=True,
        check=False, timeout=60,
        env=os.environ | {
            "LD_PRELOAD": str(library), "SANGLIER_VOLATILE": str(disk),
            "SANGLIER_EAGERNESS": str(eagerness),
        },
    )  # fmt: skip


def written(disk: Path) -> set[int]:
    """The blocks that are new; none may be anything but old or new."""
    data = disk.read_bytes()
    pieces = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    assert all(piece in (OLD, NEW) for piece in pieces)
    return {number for number, piece in enumerate(pieces) if piece == NEW}


def test_what_was_not_flushed_is_lost_and_what_was_is_there(library: Path, disk: Path) -> None:
    play(library, disk, "put(1); put(2); os.fdatasync(f); put(3); put(1, OLD); die()")
    assert written(disk) == {1, 2}
    found = volatile.read(disk)
    assert found is not None
    assert (found.writes, found.flushes, found.held) == (4, 1, 2)


@pytest.mark.parametrize("flush", ["os.fsync(f)", "os.fdatasync(f)"])
def test_both_flushes_flush(library: Path, disk: Path, flush: str) -> None:
    play(library, disk, f"put(7); {flush}; die()")
    assert written(disk) == {7}


# What the block driver sends its thread: pointers to requests, one without pieces is a flush.
ASK = """
import ctypes, socket
class Request(ctypes.Structure):
    _fields_ = [("request", ctypes.c_void_p), ("files", ctypes.c_int * 2),
                ("offsets", ctypes.c_ulong * 2), ("offset", ctypes.c_ulonglong),
                ("sector_size", ctypes.c_int), ("error", ctypes.c_int), ("pieces", ctypes.c_int)]
here, there = socket.socketpair()
def ask(*pieces):
    asked = [Request(files=(f, f), pieces=n) for n in pieces]
    for one in asked: here.send(ctypes.addressof(one).to_bytes(8, sys.byteorder))
    assert len(os.read(there.fileno(), 512)) == 8 * len(asked)
"""


def test_a_request_without_pieces_flushes(library: Path, disk: Path) -> None:
    play(library, disk, f"{ASK}put(1); ask(1, 3); put(2); die()")
    assert written(disk) == set()
    play(library, disk, f"{ASK}put(1); ask(1, 0); put(2); die()")
    assert written(disk) == {1}


def test_the_host_reads_what_it_wrote(library: Path, disk: Path) -> None:
    done = play(library, disk, (
        "put(5); assert get(5) == NEW and get(4) == OLD\n"
        "os.pwrite(f, b'x' * 512, 5 * B + 1024)\n"
        "assert get(5) == NEW[:1024] + b'x' * 512 + NEW[1536:]\n"
        "assert os.pread(f, 3 * B, 4 * B) == OLD + get(5) + OLD\n"
        "assert os.pread(f, 700, 5 * B + 900) == (get(5))[900:1600]\n"
        "os.fsync(f); assert get(5)[1024:1536] == b'x' * 512\n"
        "print('good'); die()"
    ))  # fmt: skip
    assert done.stdout == "" or done.stdout == "good\n", done.stderr
    assert "Error" not in done.stderr


def test_an_eager_disk_loses_a_random_part_in_any_order(library: Path, disk: Path) -> None:
    """Put there early at each write: most of it is there, and something older is not."""
    kept = []
    for _ in range(12):
        disk.write_bytes(OLD * BLOCKS)
        play(library, disk, "[put(n) for n in range(40)]; die()", eagerness=200)
        kept.append(written(disk))
    assert all(0 < len(one) < 40 for one in kept)
    assert len({frozenset(one) for one in kept}) > 1
    assert any(min(set(range(40)) - one) < max(one) for one in kept)


def test_a_program_that_ends_by_itself_loses_nothing(library: Path, disk: Path) -> None:
    play(library, disk, "put(1)")
    assert written(disk) == {1}
    play(
        library,
        disk,
        "ctypes = __import__('ctypes'); put(2)\n"
        "words = (ctypes.c_char_p * 2)(b'true', None); ctypes.CDLL(None).execvp(b'true', words)",
    )
    assert written(disk) == {1, 2}


def test_a_cache_that_is_full_lets_go(library: Path, tmp_path: Path) -> None:
    disk = tmp_path / "large"
    with disk.open("wb") as file:
        file.truncate(5000 * BLOCK)
    play(library, disk, "[put(n) for n in range(5000)]; die()")
    found = volatile.read(disk)
    assert found is not None
    assert (found.held, found.early) == (4096, 904)
    assert disk.read_bytes().count(NEW) >= 904


def test_closing_and_opening_the_file_flushes_nothing(library: Path, disk: Path) -> None:
    play(library, disk, (
        "put(1); os.close(f); f = os.open(sys.argv[1], os.O_RDWR)\n"
        "assert get(1) == NEW; put(2); os.fsync(f); put(3); die()"
    ))  # fmt: skip
    assert written(disk) == {1, 2}


def test_other_files_are_none_of_its_business(library: Path, disk: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(OLD)
    play(library, disk, f"f = os.open({str(other)!r}, os.O_RDWR); put(0); die()")
    assert written(other) == {0}


def test_a_discard_comes_after_what_was_written_before(library: Path, disk: Path) -> None:
    punch = "ctypes.CDLL(None).fallocate64(f, 3, ctypes.c_int64(0), ctypes.c_int64(B))"
    play(library, disk, f"import ctypes; put(0); put(1); assert {punch} == 0; die()")
    assert disk.read_bytes() == bytes(BLOCK) + NEW + OLD * (BLOCKS - 2)


def test_random_reads_and_writes_are_those_of_a_plain_file(library: Path, disk: Path) -> None:
    """Against a model in memory, with flushes now and then, sector by sector."""
    done = play(library, disk, (
        "r = random.Random(1); model = bytearray(OLD * 64)\n"
        "for n in range(4000):\n"
        "    at = r.randrange(64 * 8) * 512; size = min(r.randint(1, 20) * 512, len(model) - at)\n"
        "    if r.random() < 0.5:\n"
        "        data = r.randbytes(size); os.pwrite(f, data, at); model[at:at + size] = data\n"
        "    else: assert os.pread(f, size, at) == model[at:at + size], n\n"
        "    if r.random() < 0.02: os.fsync(f)\n"
        "os.fsync(f); open(sys.argv[1] + '.model', 'wb').write(model)\n"
        "print('same', flush=True)"
    ), eagerness=random.Random(2).randrange(256))  # fmt: skip
    assert done.stdout == "same\n", done.stderr
    assert disk.read_bytes() == disk.with_name("disk.model").read_bytes()


def test_nothing_is_known_of_a_disk_without_a_cache(disk: Path) -> None:
    assert volatile.read(disk) is None


def test_the_image_s_start_preloads_the_library_beside_its_own() -> None:
    boot = resources.files("sanglier.lab") / "image" / "boot"
    made = volatile.start_script(boot.read_text())
    preloaded = "LD_PRELOAD=${0%/*}/preload.so:${0%/*}/volatile.so exec "
    assert made.count(preloaded) == 1
    with pytest.raises(SanglierError, match="SG-LAB-090"):
        volatile.start_script(made)


@pytest.mark.skipif(not COMPILERS, reason="no C compiler here")
def test_what_boots_a_volatile_host_is_made_once_and_again(tmp_path: Path) -> None:
    place = Place(name="lab", state=tmp_path / "run", data=tmp_path)
    directory = tmp_path / "image"
    directory.mkdir()
    boot = resources.files("sanglier.lab") / "image" / "boot"
    (directory / "boot").write_text(boot.read_text())
    kernel = Kernel(release="6.1", sock_def_readable=2)
    image = Image(key="full-1", directory=directory, kernel=kernel)
    for _ in range(2):
        volatile.ensure(place, image)
    assert os.access(place.volatile / "boot", os.X_OK)
    assert (place.volatile / "linux").readlink() == directory / "linux"
    assert (place.volatile / "volatile.so").stat().st_size > 0


def test_without_a_compiler_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-035"):
        volatile.build(tmp_path / "x.so", volatile.compiler(("no-such-compiler",)))


def test_a_kernel_is_told_of_every_volatile_disk() -> None:
    told = volatile.environment((Path("/a/disk"), Path("/a/disk2")))
    assert told == {"SANGLIER_VOLATILE": "/a/disk:/a/disk2"}
