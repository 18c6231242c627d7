"""Sockets of ssh's master connections: private, short, and used again only while alive."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.run.codes import Code
from sanglier.run.sockets import kept, of_this_run
from sanglier.run.ssh import SshTransport
from sanglier.spec.cluster import Host

NOWHERE = "Host *\n  HostName 127.0.0.1\n  Port 1\n  IdentityFile /dev/null\n"
"""Nothing listens there, tcpmux is long gone."""
HOST = Host(name="x", ssh="x", hostname="x")


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be a user whose session has a directory, of a short name, for what ends with it."""
    with tempfile.TemporaryDirectory(prefix="sg-", dir="/tmp") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield Path(directory)


def test_kept_ones_are_in_the_users_own_directory_and_stay(runtime: Path) -> None:
    sockets = kept(60)
    assert (sockets.kept, sockets.persist_s) == (True, 60)
    assert sockets.directory == runtime / "sanglier-ssh"
    assert sockets.directory.stat().st_mode & 0o777 == 0o700
    sockets.remove()
    assert kept(60).directory.exists()


@pytest.mark.parametrize("how", ["open to others", "a link"])
def test_a_directory_that_others_could_reach_is_not_used(runtime: Path, how: str) -> None:
    place = runtime / "sanglier-ssh"
    if how == "a link":
        (runtime / "elsewhere").mkdir(mode=0o700)
        place.symlink_to(runtime / "elsewhere")
    else:
        place.mkdir()
        place.chmod(0o750)
    assert kept(60).directory != place


def test_for_no_second_they_go_with_the_run(runtime: Path) -> None:
    sockets = kept(0)
    assert not sockets.kept
    sockets.remove()
    assert not sockets.directory.exists()
    assert list(runtime.iterdir()) == []


def test_another_configuration_is_another_connection(runtime: Path, tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("User a\n")
    first = kept(60).path("x", config)
    assert kept(60).path("x", config) == first
    config.write_text("User b\n")
    assert kept(60).path("x", config) != first
    assert len(os.fsencode(first)) + 17 < 108


def test_where_the_path_would_be_too_long_there_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert long not in kept(60).directory.parents


def test_those_of_one_run_are_numbered() -> None:
    sockets = of_this_run()
    assert [sockets.path(name, None).name for name in ("a", "b", "a")] == ["0", "1", "0"]
    sockets.remove()


async def test_a_master_that_nobody_answers_through_is_let_go(runtime: Path) -> None:
    config = runtime / "ssh_config"
    config.write_text(NOWHERE)
    transport = SshTransport(config=config, sockets=kept(60))
    left = transport.sockets.path(HOST.ssh, config)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(left))
        listener.listen()
        with pytest.raises(SanglierError) as refused:
            await transport.run(HOST, "true", limit=5)
    assert refused.value.code == Code.UNREACHABLE
    assert not left.exists()
    await transport.close()
