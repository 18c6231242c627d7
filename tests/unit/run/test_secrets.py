"""The secrets file is private, kept, and completed."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.run.codes import Code
from sanglier.run.secrets import load_or_generate, save, secrets_path

from .toy_stack import make_cluster


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cluster.secrets"


def refused(path: Path) -> SanglierError:
    with pytest.raises(SanglierError) as caught:
        load_or_generate(path, make_cluster())
    return caught.value


def test_missing_secrets_are_made_with_the_right_lengths(path: Path) -> None:
    secrets, missing = load_or_generate(path, make_cluster())
    assert missing
    assert not path.exists()
    assert {n: len(s.reveal()) for n, s in secrets.drbd.items()} == {"data": 32}
    assert {n: len(s.reveal()) for n, s in secrets.chap.items()} == {"srv-a": 16}
    assert all(s.reveal().isalnum() for s in secrets.all)


def test_saved_secrets_come_back_and_are_private(path: Path) -> None:
    secrets, _ = load_or_generate(path, make_cluster())
    save(path, secrets)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_or_generate(path, make_cluster()) == (secrets, False)


def test_new_servers_get_secrets_and_old_ones_keep_theirs(path: Path) -> None:
    path.write_text("drbd:\n  data: 'oldoldold'\n  gone: 'goneGone'\n")
    path.chmod(0o600)
    secrets, missing = load_or_generate(path, make_cluster())
    assert missing
    assert secrets.drbd["data"].reveal() == "oldoldold"
    assert secrets.drbd["gone"].reveal() == "goneGone"
    assert len(secrets.chap["srv-a"].reveal()) == 16


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_file_that_others_can_read_is_refused(path: Path, mode: int) -> None:
    save(path, load_or_generate(path, make_cluster())[0])
    path.chmod(mode)
    error = refused(path)
    assert error.code == Code.SECRETS_EXPOSED
    assert f"chmod 600 {path}" in error.fix


@pytest.mark.parametrize(
    "text",
    [
        "just words",
        "- a\n- b",
        "drbd: [topsecretvalue]",
        "drbd: {data: 12345}",
        "chap: {srv-a: topsecretv}",
        "chap: {srv-a: topsecretvalue12345}",
        "drbd: {data: 'topsecret value'}",
        "drbd: {data: 'topsecret\"value'}",
        "other: {x: topsecretvalue}",
        "drbd: {data: 'topsecretvalue",
        "\x00",
    ],
)
def test_malformed_file_is_refused_without_showing_its_text(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    error = refused(path)
    assert error.code == Code.SECRETS_MALFORMED
    assert "topsecret" not in str(error)


def test_unwritable_place_is_said(tmp_path: Path) -> None:
    secrets, _ = load_or_generate(tmp_path / "x", make_cluster())
    with pytest.raises(SanglierError) as caught:
        save(tmp_path / "no" / "folder" / "x.secrets", secrets)
    assert caught.value.code == Code.SECRETS_UNWRITABLE


def test_name_of_the_file() -> None:
    assert secrets_path(Path("/a/site.yaml")) == Path("/a/site.secrets")
