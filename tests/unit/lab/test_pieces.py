"""Small pure parts: control socket, mirror, paths, memory, kernel command line, lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import choice, life, lock, mconsole, mirror, place, preflight, topology, uml
from sanglier.lab.backend import Ground
from sanglier.lab.command import failure
from sanglier.lab.image import Image
from sanglier.lab.kernel import Kernel
from sanglier.lab.record import Wish

IMAGE = Image(
    key="full-1", directory=Path("/c/full-1"), kernel=Kernel(release="6.1", sock_def_readable=2)
)
PLACE = place.Place(name="lab", state=Path("/run/x/lab"), data=Path("/c/labs/lab"))


def test_a_control_request_has_the_shape_that_the_kernel_wants() -> None:
    data = mconsole.pack_request("cad")
    assert data[:16] == b"\xbe\xba\xfe\xca\x02\0\0\0\x03\0\0\0cad\0"
    assert len(data) == 524


def test_a_control_reply_is_read() -> None:
    reply = mconsole.REPLY.pack(0, 1, 3, b"OK\0")
    assert mconsole.parse_reply(reply) == (True, True, "OK")
    assert mconsole.parse_reply(mconsole.REPLY.pack(-22, 0, 4, b"bad\0"))[0] is False


def test_a_mirror_s_index_says_where_each_file_is() -> None:
    text = mirror.stanza("Package: fio\nVersion: 3\n", filename="f.deb", size=5, sha256="ab")
    assert text == "Package: fio\nVersion: 3\nFilename: ./f.deb\nSize: 5\nSHA256: ab\n"


def test_the_kernel_gets_its_disks_cards_and_memory() -> None:
    argv = uml.kernel_argv(topology.build("lab", 1).host("disk-a"), IMAGE, PLACE)
    assert argv[0] == "/c/full-1/boot"
    assert "ubda=/c/labs/lab/disk-a.cow,/c/full-1/root.ext4" in argv
    assert "ubdb=/c/labs/lab/disk-a.disk" in argv and "mem=768M" in argv
    assert sum(word.startswith("vec") for word in argv) == 4


def test_a_second_data_disk_is_there_where_it_was_wished_for_and_only_on_storage() -> None:
    hosts = topology.build("lab", 1)
    argv = uml.kernel_argv(hosts.host("disk-a"), IMAGE, PLACE, 2)
    assert "ubdc=/c/labs/lab/disk-a.disk2" in argv
    assert not [w for w in uml.kernel_argv(hosts.host("srv-a"), IMAGE, PLACE, 2) if "ubdb" in w]
    assert not [w for w in uml.kernel_argv(hosts.host("disk-a"), IMAGE, PLACE) if "ubdc" in w]


def test_a_volatile_disk_is_booted_through_the_library_and_no_other_host_is() -> None:
    hosts = topology.build("lab", 1)
    argv = uml.kernel_argv(hosts.host("disk-a"), IMAGE, PLACE, volatile=True)
    assert argv[0] == str(PLACE.volatile / "boot")
    assert uml.kernel_argv(hosts.host("srv-a"), IMAGE, PLACE, volatile=True)[0] == "/c/full-1/boot"


def test_neighbours_run_on_different_processors() -> None:
    hosts = topology.build("lab", 2).hosts
    if len(os.sched_getaffinity(0)) > 1:
        assert uml.processor(hosts[0]) != uml.processor(hosts[1])
        assert uml.processor(hosts[2]) != uml.processor(hosts[3])


@pytest.mark.parametrize("directory", ["/a b", "/a,b", "/a'b", "/a%h", "/" + "a" * 90])
def test_a_path_that_a_command_line_cannot_hold_is_refused(
    directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANGLIER_CACHE", directory)
    with pytest.raises(SanglierError, match="SG-LAB-003"):
        place.place("lab")


def test_a_full_disk_and_a_dead_archive_have_codes_of_their_own() -> None:
    assert "SG-LAB-012" in str(failure(("mke2fs",), 1, "write: No space left on device"))
    assert "SG-LAB-016" in str(failure(("mmdebstrap",), 25, "E: Failed to fetch http://x"))
    assert "SG-LAB-090" in str(failure(("ip",), 2, "RTNETLINK answers: x"))


def test_missing_packages_are_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    absent = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "ip": "iproute2"}
    monkeypatch.setattr(preflight, "missing", lambda _commands: absent)
    with pytest.raises(SanglierError, match="SG-LAB-008") as refused:
        preflight.check("lab up")
    assert "`lab up` cannot run here: this machine has no ssh, ssh-keygen, ip" in str(refused.value)
    assert refused.value.fix == "apt-get install iproute2 openssh-client"


def test_without_the_extra_a_lab_is_not_begun_and_all_else_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(preflight, "EXTRA_MODULE", "no_such_module")
    with pytest.raises(SanglierError, match=r"SG-LAB-017") as refused:
        life.up("lab", Wish())
    assert "sanglier[lab]" in str(refused.value)


def test_no_verb_imports_what_only_the_extra_brings() -> None:
    text = (
        "import sys; sys.modules['pyghmi'] = None; "
        "from sanglier.cli.main import application; application()"
    )
    subprocess.run([sys.executable, "-c", text], check=True)


def test_without_root_the_lab_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SanglierError, match="SG-LAB-007"):
        preflight.check("lab up")


def test_what_a_back_end_needs_of_the_machine_is_named_before_anything_is_made(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda command, path: None if "qemu" in command else path)
    monkeypatch.setenv("SANGLIER_CACHE", str(short_path))
    monkeypatch.setenv("SANGLIER_LAB_DIR", str(short_path))
    with pytest.raises(SanglierError, match="SG-LAB-008") as refused:
        life.up("lab", Wish(driver="qemu"))
    assert "`lab up --driver qemu` cannot run here" in str(refused.value)
    assert "no qemu-system-x86_64, qemu-img" in str(refused.value)
    assert refused.value.fix == "apt-get install qemu-system-x86 qemu-utils"
    assert list(short_path.iterdir()) == []


def test_too_little_memory_is_refused_with_both_figures() -> None:
    with pytest.raises(SanglierError, match=r"SG-LAB-010|needs about \d+ MiB"):
        preflight.check_memory(1 << 50)
    preflight.check_memory(1)


def test_an_unknown_back_end_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SanglierError, match="SG-LAB-039") as refused:
        choice.choose("xen")
    assert refused.value.fix == "--driver uml or qemu"


def test_user_mode_linux_cannot_pause_and_says_what_can() -> None:
    host = topology.build("lab", 0).host("disk-a")
    driver = uml.drive(Ground(place=PLACE, image=IMAGE, disk_bytes=1))
    for verb in (driver.pause, driver.resume):
        with pytest.raises(SanglierError, match="SG-LAB-038") as refused:
            verb(host)
        assert "--driver qemu" in refused.value.fix


def test_available_memory_is_read() -> None:
    assert preflight.available_bytes("MemTotal: 9 kB\nMemAvailable:   2048 kB\n") == 2 << 20
    assert preflight.available_bytes("") == 0


def test_a_lock_says_who_holds_it_and_goes_with_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lab.lock"
    with lock.whole(path, "lab up"):
        for second in (lock.whole(path, "lab down"), lock.shared(path, patience=0)):
            with pytest.raises(SanglierError, match=r"`lab up` of process \d+"), second:
                pass
    with lock.shared(path), lock.shared(path, patience=0):
        pass


def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "lab.lock"
    with lock.whole(path, "lab down"):
        path.unlink()
        with lock.whole(path, "lab up"):
            assert "lab up" in path.read_text()
