"""The program that names this server's boot to the storage servers, and waits for a late LUN."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.core.probe import Output
from sanglier.layers.files import differs
from sanglier.layers.initiator.desired import ALIAS, NAME_PATH, boot_file, daemon_file, name_file
from sanglier.layers.initiator.probe import parse
from sanglier.layers.target.desired import BOOT_ALIAS

from .goal import GOAL
from .recordings import outputs_of
from .root import Root

APP = GOAL.cluster.applications[0]
FIRST, SECOND = "c0c3f0ad-4f8c-4d5a-9a3c-000000000001", "c0c3f0ad-4f8c-4d5a-9a3c-000000000002"
SESSION = "/sys/class/iscsi_session/session1"
DISK = "device/target2:0:0/2:0:0:0/block/sdb"


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Root:
    root = Root(tmp_path)
    root.put(NAME_PATH, name_file(GOAL, APP).text)
    root.tool("iscsiadm", f'echo "$*" >> {tmp_path}/scans')
    root.tool("sleep", f"echo x >> {tmp_path}/slept")
    return root


def run(root: Root, verb: str) -> None:
    assert root.run(f"set -- {verb}\n{boot_file().text}") == (0, "")


def named(root: Root, boot: str) -> str:
    root.put("/proc/sys/kernel/random/boot_id", f"{boot}\n")
    run(root, "alias")
    return (root.place / NAME_PATH.lstrip("/")).read_text()


def scans(root: Root) -> list[str]:
    file = root.place / "scans"
    return file.read_text().splitlines() if file.exists() else []


def test_each_boot_names_itself_and_nothing_else_changes(root: Root) -> None:
    wanted = name_file(GOAL, APP).text
    assert named(root, FIRST) == f"{wanted}{ALIAS}{FIRST}\n"
    assert named(root, SECOND) == f"{wanted}{ALIAS}{SECOND}\n"
    assert (root.place / NAME_PATH.lstrip("/")).stat().st_mode & 0o777 == 0o600


def test_without_a_name_there_is_no_alias(root: Root) -> None:
    root.put(NAME_PATH, "")
    root.put("/proc/sys/kernel/random/boot_id", f"{FIRST}\n")
    status, told = root.run(f"set -- alias\n{boot_file().text}")
    assert (status, "is not named" in told) == (0, True)
    assert (root.place / NAME_PATH.lstrip("/")).read_text() == ""


def test_a_named_boot_is_no_drift(root: Root) -> None:
    text = named(root, FIRST)
    answers = outputs_of("converged", APP.name, "initiator")
    old = name_file(GOAL, APP).text
    assert old in answers["files"].text
    files = Output(status=0, text=answers["files"].text.replace(old, text))
    found = parse(GOAL, APP.name, {**answers, "files": files})
    assert not differs(name_file(GOAL, APP), found.files)
    other = Output(status=0, text=files.text.replace(ALIAS, "InitiatorAlias=other."))
    found = parse(GOAL, APP.name, {**answers, "files": other})
    assert differs(name_file(GOAL, APP), found.files)


def test_the_storage_servers_know_the_alias_by_the_same_beginning() -> None:
    assert f"InitiatorAlias={BOOT_ALIAS}" == ALIAS
    assert f"{ALIAS}%s" in boot_file().text


def test_iscsid_starts_although_the_boot_cannot_be_named() -> None:
    assert "ExecStartPre=-/bin/sh /usr/lib/sanglier/initiator-boot alias\n" in daemon_file().text


def test_a_session_without_a_disk_is_scanned_until_it_has_one(root: Root) -> None:
    root.put(f"{SESSION}/state", "LOGGED_IN\n")
    root.tool(
        "iscsiadm",
        f"""
echo "$*" >> {root.place}/scans
[ "$(wc -l < {root.place}/scans)" -lt 3 ] || mkdir -p {root.place}{SESSION}/{DISK}""",
    )
    run(root, "luns")
    assert scans(root) == ["-m session -r 1 --rescan"] * 3


def test_it_is_given_up_after_twenty_looks(root: Root) -> None:
    root.put(f"{SESSION}/state", "LOGGED_IN\n")
    run(root, "luns")
    assert len(scans(root)) == 20


@pytest.mark.parametrize(("state", "disk"), [("LOGGED_IN", True), ("FAILED", False)])
def test_what_has_a_disk_or_is_not_logged_in_is_not_scanned(
    root: Root, state: str, *, disk: bool
) -> None:
    root.put(f"{SESSION}/state", f"{state}\n")
    if disk:
        root.put(f"{SESSION}/{DISK}/size", "8\n")
    run(root, "luns")
    assert scans(root) == []
