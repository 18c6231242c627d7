"""The QEMU back end: its command lines, what runs a guest here, its control socket."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.drill.workloads import LEAST_LOAD
from sanglier.lab import accelerator, daemon, life, process, qemu, qmp, topology
from sanglier.lab.accelerator import PROGRAM, Accelerator
from sanglier.lab.backend import Ground
from sanglier.lab.driver import State
from sanglier.lab.image import Image
from sanglier.lab.kernel import Kernel
from sanglier.lab.place import Place
from sanglier.lab.record import Wish

IMAGE = Image(
    key="full-1", directory=Path("/c/full-1"), kernel=Kernel(release="6.12", sock_def_readable=2)
)
PLACE = Place(name="lab", state=Path("/run/x/lab"), data=Path("/c/labs/lab"))
GROUND = Ground(place=PLACE, image=IMAGE, disk_bytes=1)
HOSTS = topology.build("lab", 1, qemu.BACKEND.memory_mib)
there = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason="no QEMU here")


def argv(host: str, how: Accelerator = Accelerator.TCG, disks: int = 1) -> tuple[str, ...]:
    return qemu.host_argv(HOSTS.host(host), IMAGE, PLACE, how, disks)


def after(words: tuple[str, ...], option: str) -> list[str]:
    return [value for name, value in itertools.pairwise(words) if name == option]


def test_a_host_gets_kernel_disks_cards_identity_and_a_control_socket() -> None:
    words = argv("disk-a")
    assert after(words, "-kernel") == ["/c/full-1/linux"]
    assert after(words, "-initrd") == ["/c/full-1/initrd"]
    assert "init=/usr/lib/sanglier-lab/init" in after(words, "-append")[0].split()
    assert "no_timer_check" in after(words, "-append")[0].split()
    assert after(words, "-smp") == ["2"] and after(words, "-m") == ["768M"]
    assert after(words, "-qmp") == ["unix:/run/x/lab/uml/disk-a.qmp,server=on,wait=off"]
    assert after(words, "-fw_cfg") == [
        "name=opt/sanglier/identity,file=/run/x/lab/identity/disk-a.tar"
    ]
    assert [card.split(",")[2] for card in after(words, "-netdev")] == [
        f"ifname=disk-a.{number}" for number in range(4)
    ]
    mac = HOSTS.host("disk-a").interfaces[0].mac
    assert f"virtio-net-pci,id=card0,netdev=net0,mac={mac},romfile=" in after(words, "-device")


def test_a_disk_is_called_by_its_name_in_the_lab_and_only_storage_has_any() -> None:
    def disks(host: str, count: int) -> list[str]:
        return after(argv(host, disks=count), "-blockdev")

    assert disks("disk-a", 2) == [
        "driver=qcow2,node-name=root,file.driver=file,file.filename=/c/labs/lab/disk-a.cow",
        "driver=raw,node-name=ubdb,file.driver=file,file.filename=/c/labs/lab/disk-a.disk",
        "driver=raw,node-name=ubdc,file.driver=file,file.filename=/c/labs/lab/disk-a.disk2",
    ]
    assert len(disks("disk-a", 1)) == 2 and len(disks("srv-a", 2)) == 1
    assert "virtio-blk-pci,id=ubdb,drive=ubdb,serial=ubdb" in argv("disk-a")


def test_a_reboot_stays_in_the_process_and_an_image_is_only_read() -> None:
    assert "-no-reboot" not in argv("disk-a")
    words = qemu.check_argv(Path("/out"), Accelerator.TCG)
    assert "read-only=on" in after(words, "-blockdev")[0] and "-netdev" not in words
    assert {"ro", "init=/usr/lib/sanglier-lab/kernel-check"} <= set(
        after(words, "-append")[0].split()
    )


def test_a_host_runs_by_kvm_or_is_emulated_by_several_threads() -> None:
    assert after(argv("srv-a"), "-accel") == ["tcg,thread=multi,tb-size=128"]
    assert after(argv("srv-a", Accelerator.KVM), "-accel") == ["kvm"]


def test_a_boot_sector_is_one() -> None:
    sector = accelerator.boot_sector()
    assert len(sector) == 512 and sector.endswith(b"\x55\xaa")


@there
def test_the_probe_sees_a_guest_that_runs() -> None:
    assert accelerator.runs(Accelerator.TCG, seconds=120)


@there
def test_a_guest_that_says_nothing_does_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "boot_sector", lambda: bytes(512))
    assert not accelerator.runs(Accelerator.TCG, seconds=3)


def test_a_device_that_is_not_there_is_not_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accelerator, "KVM_DEVICE", tmp_path / "kvm")
    monkeypatch.setattr(accelerator, "PROGRAM", "no-such-program")
    assert accelerator.find() is Accelerator.TCG


def test_what_runs_hosts_is_found_out_once_for_a_lab(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(name="lab", state=tmp_path, data=tmp_path)
    found = iter((Accelerator.KVM, Accelerator.TCG))
    monkeypatch.setattr(accelerator, "find", lambda: next(found))
    assert [accelerator.of(place), accelerator.of(place)] == [Accelerator.KVM] * 2
    driver = qemu.drive(Ground(place=place, image=IMAGE, disk_bytes=1))
    assert driver.title == f"QEMU (kvm), Linux {IMAGE.kernel.release}"
    assert (driver.boot_s, driver.pace, driver.pauses) == (180, 1, True)


def test_emulated_hosts_bear_a_part_of_a_drills_load(tmp_path: Path) -> None:
    place = Place(name="lab", state=tmp_path, data=tmp_path)
    place.accelerator.write_text(Accelerator.TCG)
    driver = qemu.drive(Ground(place=place, image=IMAGE, disk_bytes=1))
    assert driver.title.startswith("QEMU (tcg), Linux") and driver.pace == LEAST_LOAD


def test_an_identity_is_packed_as_roots_with_its_modes(tmp_path: Path) -> None:
    directory = tmp_path / "identity"
    (directory / "root" / ".ssh").mkdir(parents=True)
    (directory / "root").chmod(0o700)
    key = directory / "root" / ".ssh" / "authorized_keys"
    key.write_text("KEY")
    key.chmod(0o600)
    for _ in range(2):
        qemu.write_archive(directory, tmp_path / "identity.tar")
    with tarfile.open(tmp_path / "identity.tar") as packed:
        entries = {entry.name: entry for entry in packed}
    assert all((entry.uid, entry.uname) == (0, "root") for entry in entries.values())
    assert entries["root"].mode == 0o700
    assert entries["root/.ssh/authorized_keys"].mode == 0o600
    assert (tmp_path / "identity.tar").stat().st_mode & 0o077 == 0


def test_volatile_disks_are_refused_by_a_back_end_that_has_none() -> None:
    with pytest.raises(SanglierError, match="SG-LAB-038") as refused:
        life._check_wish("lab", qemu.BACKEND, Wish(volatile=True))
    assert refused.value.fix == "leave out --volatile, or make the lab with --driver uml"
    life._check_wish("lab", qemu.BACKEND, Wish())


@pytest.mark.parametrize(
    ("said", "state"),
    [("running", State.RUNNING), ("paused", State.PAUSED), ("io-error", State.PAUSED)],
)
def test_a_host_that_stands_still_is_seen_as_paused(
    monkeypatch: pytest.MonkeyPatch, said: str, state: State
) -> None:
    own = process.find(os.getpid())
    monkeypatch.setattr(daemon, "leader", lambda _place, _name: own)
    monkeypatch.setattr(qmp, "status", lambda _path: said)
    assert qemu.drive(GROUND).sight(HOSTS.host("disk-a")).state is state


def test_a_host_that_was_frozen_while_it_was_asked_is_seen_as_frozen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = process.find(os.getpid())
    assert own is not None
    looks = iter((own, replace(own, state="T")))
    monkeypatch.setattr(daemon, "leader", lambda _place, _name: next(looks))
    assert qemu.drive(GROUND).sight(HOSTS.host("disk-a")).state is State.FROZEN


def test_whether_a_host_lives_is_not_asked_of_its_control_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = process.find(os.getpid())
    monkeypatch.setattr(daemon, "leader", lambda _place, _name: own)
    monkeypatch.setattr(qmp, "ask", lambda *_words, **_options: pytest.fail("asked"))
    assert qemu.drive(GROUND).alive(HOSTS.host("disk-a"))


SILENT_PROBE = """\
from sanglier.lab import accelerator
accelerator.boot_sector = lambda: bytes(512)
accelerator.runs(accelerator.Accelerator.TCG, seconds=100)
"""


def naming(word: Path) -> list[str]:
    """Command lines of QEMUs of this machine in which a word is."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = entry.read_text()
            found += [line] if str(word) in line and PROGRAM in line else []
    return found


@there
def test_a_probe_goes_with_whoever_began_it(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    prober = subprocess.Popen((sys.executable, "-c", SILENT_PROBE), env=environment)
    deadline = time.monotonic() + 60
    while not naming(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert naming(tmp_path)
    prober.kill()
    prober.wait()
    while naming(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert naming(tmp_path) == []


@pytest.fixture(params=["none"])
def machine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Run a real QEMU that executes nothing, and give its socket."""
    path = tmp_path / "q"
    options = ("-machine", request.param, "-S", "-m", "16M", "-display", "none", "-nodefaults")
    running = subprocess.Popen((PROGRAM, *options, "-qmp", f"unix:{path},server=on,wait=off"))
    deadline = time.monotonic() + 60
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield path
    running.kill()
    running.wait()


@there
def test_a_machine_is_paused_and_goes_on(machine: Path) -> None:
    qmp.ask(machine, "cont")
    assert qmp.status(machine, timeout=60) == "running"
    qmp.ask(machine, "stop")
    assert qmp.status(machine, timeout=60) == "paused"
    qmp.ask(machine, "cont")
    assert qmp.status(machine, timeout=60) == "running"


@there
def test_what_qemu_refuses_is_told_in_its_words(machine: Path) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-031") as refused:
        qmp.ask(machine, "device_del", {"id": "ubdc"})
    assert "'ubdc' not found" in str(refused.value) and "refuses" in str(refused.value)
    assert "hangs" not in refused.value.fix


@there
def test_an_event_is_waited_for(machine: Path) -> None:
    qmp.ask(machine, "cont")
    qmp.ask(machine, "stop", event="STOP")
    with pytest.raises(SanglierError, match="SG-LAB-031"):
        qmp.ask(machine, "query-status", event="DEVICE_DELETED", timeout=0.5)


def test_a_socket_that_is_not_there_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-031"):
        qmp.ask(tmp_path / "none", "cont")


@there
@pytest.mark.parametrize("machine", ["pc"], indirect=True)
def test_a_disk_is_attached_once_however_often_it_is_asked_for(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu, "socket", lambda _place, _host: machine)
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    (tmp_path / "other").write_bytes(bytes(1 << 20))
    driver, host = qemu.drive(GROUND), HOSTS.host("disk-a")
    driver.detach_disk(host, "ubdd")
    for _ in range(2):
        driver.attach_disk(host, "ubdd", disk)
    with pytest.raises(SanglierError, match="SG-LAB-031"):
        driver.attach_disk(host, "ubdd", tmp_path / "other")
    assert "ubdd" in qmp.names(machine, "query-named-block-nodes", "node-name")
    assert "ubdd" in qmp.names(machine, "qom-list", "name", {"path": "/machine/peripheral"})
