"""What a lab needs of the machine, and what is said where it is missing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.lab import image, life, preflight, uml
from sanglier.lab.command import failure
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

MANIFEST = {"kernel": {"release": "6.1", "sock_def_readable": 2}}


def status(*missing: str) -> str:
    held = (1 << 41) - 1
    for name in missing:
        held &= ~(1 << preflight.CAPABILITIES[name])
    return f"Name:\tsanglier\nCapPrm:\t000001ffffffffff\nCapEff:\t{held:016x}\n"


def cached(directory: Path) -> Path:
    """Keep an image of two files as a build does."""
    directory.mkdir()
    (directory / "linux").write_bytes(b"kernel")
    (directory / "mirror").mkdir()
    (directory / "mirror" / "fio.deb").write_bytes(b"fio")
    files = image._sizes(directory)
    (directory / "manifest.json").write_text(json.dumps(MANIFEST | {"files": files}))
    return directory


def refused(directory: Path) -> SanglierError:
    with pytest.raises(SanglierError, match="SG-LAB-043") as error:
        found = image.load(directory)
        assert found is not None
        image.refuse_broken(found)
    assert str(directory) in str(error.value)
    assert "rm -r" in error.value.fix
    return error.value


def test_capabilities_that_root_of_a_container_lacks_are_all_named() -> None:
    assert preflight.lacking_capabilities(status()) == ()
    lacking = ("CAP_NET_ADMIN", "CAP_SYS_ADMIN")
    assert preflight.lacking_capabilities(status(*lacking)) == lacking


def test_users_of_a_user_namespace_are_counted() -> None:
    assert preflight.mapped("         0          0 4294967295\n") > preflight.USERS
    assert preflight.mapped("0 1000 1\n1 100000 65535\n") == preflight.USERS
    assert preflight.mapped("0 1000 1\n") == 1


@pytest.mark.parametrize("kind", ["none", "file", "locked"])
def test_a_tun_that_cannot_be_opened_is_refused_with_why(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "tun"
    if kind == "file":
        device.touch()
    elif kind == "locked":
        device.mkdir()
    monkeypatch.setattr(preflight, "TUN", device)
    with pytest.raises(SanglierError, match="SG-LAB-009") as error:
        preflight._check_tun()
    why = {"none": "No such file", "file": "it is no device", "locked": "Is a directory"}
    assert why[kind] in error.value.why
    assert "--device /dev/net/tun" in error.value.fix


@pytest.mark.parametrize("machine", ["aarch64", "i686"])
def test_another_architecture_is_refused(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    there = os.uname_result(("Linux", "host", "6.1", "#1", machine))
    monkeypatch.setattr(os, "uname", lambda: there)
    with pytest.raises(SanglierError, match="SG-LAB-042") as error:
        preflight.check_architecture()
    assert machine in error.value.what
    assert "./test unit" in error.value.fix


def test_a_directory_that_is_a_file_is_refused_and_a_new_one_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    preflight.check_directory(tmp_path / "a" / "b", "SANGLIER_CACHE", programs=True)
    assert list((tmp_path / "a" / "b").iterdir()) == []
    for bad, why in (("file", "no directory"), ("file/below", "Not a directory")):
        with pytest.raises(SanglierError, match="SG-LAB-044") as error:
            preflight.check_directory(tmp_path / bad, "SANGLIER_CACHE", programs=True)
        assert why in error.value.why
        assert "SANGLIER_CACHE" in error.value.fix


def test_too_little_space_is_told_with_what_it_is_for(tmp_path: Path) -> None:
    with pytest.raises(SanglierError, match="SG-LAB-012") as error:
        preflight.check_space(tmp_path / "later", 1 << 60, "hosts' disks are kept there")
    assert error.value.subject == "lab up"
    assert error.value.why == "hosts' disks are kept there"


def test_memory_that_shared_memory_cannot_take_is_counted_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uml, "SHARED_MEMORY", tmp_path / "none")
    assert uml.memory_on_disk(2 << 20, tmp_path) == 1 << 20
    monkeypatch.setattr(uml, "_shared_memory_fits", lambda _needed: True)
    assert uml.memory_on_disk(2 << 20, tmp_path) == 0


def test_a_whole_image_is_used_and_so_is_one_that_was_built_before_sizes_were_kept(
    tmp_path: Path,
) -> None:
    directory = cached(tmp_path / "full")
    found = image.load(directory)
    assert found is not None and dict(found.files) == {"linux": 6, "mirror/fio.deb": 3}
    image.refuse_broken(found)
    (directory / "manifest.json").write_text(json.dumps(MANIFEST))
    before = image.load(directory)
    assert before is not None
    image.refuse_broken(before)
    assert image.load(tmp_path / "absent") is None


def test_an_image_with_a_file_cut_short_or_missing_is_refused(tmp_path: Path) -> None:
    directory = cached(tmp_path / "full")
    os.truncate(directory / "linux", 3)
    assert refused(directory).why == "linux has 3 bytes of 6"
    (directory / "linux").write_bytes(b"kernel")
    (directory / "mirror" / "fio.deb").unlink()
    assert refused(directory).why == "mirror/fio.deb has 0 bytes of 3"


@pytest.mark.parametrize("text", ["", '{"kernel": {"rel', "{}", "[]", '{"kernel": {"x": 1}}'])
def test_an_image_with_half_a_manifest_is_refused(text: str, tmp_path: Path) -> None:
    directory = cached(tmp_path / "full")
    (directory / "manifest.json").write_text(text)
    assert "manifest.json" in refused(directory).why


def test_a_new_image_takes_the_place_of_one_that_was_half_removed(tmp_path: Path) -> None:
    left = tmp_path / "full"
    left.mkdir()
    (left / "root.ext4").touch()
    image.settle(cached(tmp_path / "out"), left)
    assert not (left / "root.ext4").exists()
    assert (left / "manifest.json").exists()


@pytest.mark.parametrize(
    "said",
    [
        "E: Unable to locate package user-mode-linux",
        "E: Package 'tcc' has no installation candidate",
        "E: The repository 'http://a bookworm Release' does not have a Release file.",
    ],
)
def test_an_archive_without_the_lab_s_packages_has_a_code_of_its_own(said: str) -> None:
    error = failure(("mmdebstrap",), 25, said)
    assert isinstance(error, SanglierError)
    assert error.code == "SG-LAB-045"
    assert said in error.why


def test_a_machine_whose_apt_knows_no_debian_is_refused_before_a_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image, "NEEDED_BYTES", 0)
    monkeypatch.setattr(image, "_sources", lambda _suite: ())
    with pytest.raises(SanglierError, match="SG-LAB-045") as error:
        image._check_build(image.recipe(Kind.FULL, uml.BACKEND.kernel), tmp_path)
    assert "apt-get update" in error.value.fix


def test_the_machine_is_looked_at_before_anything_is_made(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "MACHINE", "none")
    monkeypatch.setattr(life, "_prepare", lambda *_: pytest.fail("it has begun"))
    monkeypatch.setenv("SANGLIER_CACHE", f"{short_path}/cache")
    monkeypatch.setenv("SANGLIER_LAB_DIR", f"{short_path}/run")
    with pytest.raises(SanglierError, match="SG-LAB-042"):
        life.up("lab", Wish())
    assert list(short_path.iterdir()) == []
