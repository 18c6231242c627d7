"""The secrets file is private, kept, and completed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.core.secret import mask
from sanglier.run.codes import Code
from sanglier.run.secrets import load_or_generate, save, secrets_path
from sanglier.spec.cluster import Cluster
from sanglier.spec.load import load_text

from .toy_stack import make_cluster

GUARDED = """
cluster: toy
storage:
  disk-a:
    ssh: disk-a
    replication: 10.7.1.11
    san: [10.7.2.11, 10.7.3.11]
    management: 10.7.0.11
    fence: {agent: fence_ipmilan, ip: 10.7.0.111}
  disk-b:
    ssh: disk-b
    replication: 10.7.1.12
    san: [10.7.2.12, 10.7.3.12]
    management: 10.7.0.12
    fence:
      - {agent: fence_ipmilan, ip: 10.7.0.112}
      - {agent: fence_apc_snmp, ip: 10.7.0.113, plug: 4}
applications:
  srv-a: {ssh: srv-a, san: [10.7.2.21, 10.7.3.21]}
witness: {on: srv-a}
volumes:
  data: {on: {disk-a: /dev/vdb, disk-b: /dev/vdb}, mount: /data}
"""
PASSWORDS = "fence: {disk-a: 'one-A!', disk-b: 'two$(x)', disk-b/2: 'three'}\n"


def guarded(*replacements: tuple[str, str]) -> Cluster:
    text = GUARDED
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return load_text(text, "toy.yaml")


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cluster.secrets"


def refused(path: Path, cluster: Cluster | None = None) -> SanglierError:
    with pytest.raises(SanglierError) as caught:
        load_or_generate(path, cluster or make_cluster())
    return caught.value


def test_missing_secrets_are_made_with_the_right_lengths(path: Path) -> None:
    secrets, missing = load_or_generate(path, make_cluster())
    assert missing
    assert not path.exists()
    assert {n: len(s.reveal()) for n, s in secrets.drbd.items()} == {"data": 32}
    assert {n: len(s.reveal()) for n, s in secrets.chap.items()} == {"srv-a": 16}
    assert re.fullmatch("[0-9a-f]{256}", secrets.corosync.reveal())
    assert dict(secrets.fence) == {}
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
        "corosync: topsecret",
        "corosync: {x: topsecretvalue}",
        f"corosync: '{'topsecret ' * 20}'",
        f"corosync: '{'topsecret' * 500}'",
        "fence: {disk-a: 12345}",
        "fence: {disk-a: ''}",
        "fence: {disk-a: topsecret<x/>}",
        "fence: {disk-a: 'topsecret&lt;'}",
        'fence: {disk-a: "topsecret\\nvalue"}',
        'fence: {disk-a: "topsecret\\0"}',
        "fence: {disk-a: 'topsecrét'}",
        f"fence: {{disk-a: {'topsecret' * 40}}}",
    ],
)
def test_malformed_file_is_refused_without_showing_its_text(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    error = refused(path)
    assert error.code == Code.SECRETS_MALFORMED
    assert "topsecret" not in str(error)


def test_fence_passwords_come_from_the_file_and_survive_a_round_trip(path: Path) -> None:
    write(path, PASSWORDS)
    secrets, missing = load_or_generate(path, guarded())
    assert missing
    assert {key: s.reveal() for key, s in secrets.fence.items()} == {
        "disk-a": "one-A!",
        "disk-b": "two$(x)",
        "disk-b/2": "three",
    }
    save(path, secrets)
    assert load_or_generate(path, guarded()) == (secrets, False)


def test_file_of_an_earlier_release_is_completed(path: Path) -> None:
    write(path, "drbd:\n  data: 'oldoldold'\nchap:\n  srv-a: 'oldoldoldold'\n" + PASSWORDS)
    secrets, missing = load_or_generate(path, guarded())
    assert missing
    assert secrets.drbd["data"].reveal() == "oldoldold"
    save(path, secrets)
    assert load_or_generate(path, guarded()) == (secrets, False)


def test_every_secret_is_masked(path: Path) -> None:
    write(path, PASSWORDS)
    secrets, _ = load_or_generate(path, guarded())
    everything = "\n".join(secret.reveal() for secret in secrets.all)
    assert set(mask(everything, secrets.all).splitlines()) == {"***"}
    assert {secrets.corosync, *secrets.fence.values()} <= set(secrets.all)
    assert "three" not in repr(secrets)


def test_fence_password_is_never_made_up(path: Path) -> None:
    error = refused(path, guarded())
    assert error.code == Code.FENCE_PASSWORD_MISSING
    assert error.subject == str(path)
    assert "disk-a and disk-b and disk-b/2" in error.what
    for key in ("disk-a", "disk-b", "disk-b/2"):
        assert f"{key}: 'PASSWORD'" in error.fix
    assert not path.exists()


def test_what_the_error_says_to_write_is_accepted(path: Path) -> None:
    (advice,) = re.findall("`(fence: .*?)`", refused(path, guarded()).fix)
    write(path, advice)
    secrets, _ = load_or_generate(path, guarded())
    assert {s.reveal() for s in secrets.fence.values()} == {"PASSWORD"}


def test_only_the_missing_password_is_named(path: Path) -> None:
    write(path, PASSWORDS.replace(", disk-b/2: 'three'", ""))
    error = refused(path, guarded())
    assert error.what == "no password for the fence device of disk-b/2"
    assert "one-A!" not in str(error)


def test_device_without_password_needs_none(path: Path) -> None:
    write(path, PASSWORDS.replace(", disk-b/2: 'three'", ""))
    secrets, _ = load_or_generate(path, guarded(("plug: 4", "plug: 4, no_password: true")))
    assert set(secrets.fence) == {"disk-a", "disk-b"}


def test_article_needs_no_fence_password(path: Path) -> None:
    article = guarded(("cluster: toy", "cluster: toy\naccess: article"))
    secrets, _ = load_or_generate(path, article)
    assert dict(secrets.fence) == {}


def test_unwritable_place_is_said(tmp_path: Path) -> None:
    secrets, _ = load_or_generate(tmp_path / "x", make_cluster())
    with pytest.raises(SanglierError) as caught:
        save(tmp_path / "no" / "folder" / "x.secrets", secrets)
    assert caught.value.code == Code.SECRETS_UNWRITABLE


def test_name_of_the_file() -> None:
    assert secrets_path(Path("/a/site.yaml")) == Path("/a/site.secrets")
