"""systemd units as systemd reads them: what a boot after a blackout rests on."""

from __future__ import annotations

from collections.abc import Iterator

from sanglier.layers.files import UNIT_DIR, WantedFile
from sanglier.layers.initiator.desired import BOOT_PATH, daemon_file, login_file
from sanglier.layers.ocfs2.desired import (
    AGAIN,
    AGAIN_S,
    CLUSTER_PATH,
    MOUNT_S,
    again_file,
    files_of,
    heard_unit,
    mount_file,
    o2cb_unit,
    unit_name,
)

from .goal import GOAL, VOLUME


def lines(wanted: WantedFile) -> Iterator[tuple[str, str, str]]:
    """(Section, key, value) of every line."""
    section = ""
    for line in wanted.text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, sign, value = line.partition("=")
            assert sign, line
            yield section, key, value


def words(wanted: WantedFile, section: str, key: str) -> set[str]:
    return {w for s, k, value in lines(wanted) if (s, k) == (section, key) for w in value.split()}


def value(wanted: WantedFile, section: str, key: str) -> str:
    (found,) = [v for s, k, v in lines(wanted) if (s, k) == (section, key)]
    return found


MOUNT = mount_file(VOLUME)


def test_a_mount_unit_mounts_the_map_where_its_name_says() -> None:
    """systemd.mount(5): a unit whose Where= is not its name is refused."""
    assert value(MOUNT, "Mount", "What") == VOLUME.map_device
    assert value(MOUNT, "Mount", "Where") == VOLUME.mount
    assert value(MOUNT, "Mount", "Type") == "ocfs2"
    assert MOUNT.path == f"{UNIT_DIR}/{unit_name(VOLUME.mount)}"


def test_a_mount_comes_up_after_o2cb_and_only_with_it() -> None:
    needed = {"o2cb.service", heard_unit(VOLUME.mount)}
    assert words(MOUNT, "Unit", "Requires") >= needed
    assert words(MOUNT, "Unit", "After") >= needed
    for daemon in ("multipathd.service", "iscsid.service", "open-iscsi.service"):
        assert daemon in words(MOUNT, "Unit", "After") & words(MOUNT, "Unit", "Wants")


def test_a_mount_is_part_of_the_boot_and_goes_before_the_network_does() -> None:
    assert words(MOUNT, "Unit", "Before") == {"remote-fs.target"}
    assert words(MOUNT, "Install", "WantedBy") == {"remote-fs.target"}
    assert "_netdev" in value(MOUNT, "Mount", "Options").split(",")


def test_o2cb_that_fails_is_tried_for_ever_and_is_up_only_when_it_is_online() -> None:
    unit = o2cb_unit()
    assert unit.path == f"{UNIT_DIR}/o2cb.service"
    assert value(unit, "Service", "ExecStart") == f"/bin/sh {CLUSTER_PATH} online"
    assert value(unit, "Service", "Restart") == "on-failure"
    assert value(unit, "Unit", "StartLimitIntervalSec") == "0"


def test_a_mount_that_fails_or_hangs_is_tried_again() -> None:
    assert value(MOUNT, "Mount", "TimeoutSec") == str(MOUNT_S)
    assert value(MOUNT, "Unit", "OnFailure") == f"{AGAIN}@%p.service"
    again = again_file()
    assert again.path == f"{UNIT_DIR}/{AGAIN}@.service"
    assert value(again, "Service", "Type") == "oneshot"
    assert [v for s, k, v in lines(again) if (s, k) == ("Service", "ExecStartPre")] == [
        f"/bin/sleep {AGAIN_S}",
        f"-/bin/sh {CLUSTER_PATH} again",
        f"-/bin/sh {BOOT_PATH} luns",
    ]
    assert value(again, "Service", "ExecStart") == "/bin/systemctl start --no-block %i.mount"


def test_a_login_that_fails_at_boot_is_tried_for_ever() -> None:
    login = login_file()
    assert value(login, "Service", "Restart") == "on-failure"
    assert int(value(login, "Service", "RestartSec")) > 0
    assert value(login, "Unit", "StartLimitIntervalSec") == "0"
    assert value(login, "Service", "ExecStartPost") == f"-/bin/sh {BOOT_PATH} luns"
    assert login.path == f"{UNIT_DIR}/open-iscsi.service.d/sanglier.conf"


def test_every_unit_that_is_written_has_sections_and_keys_only() -> None:
    units = [f for f in files_of(GOAL.cluster) if f.path.startswith(UNIT_DIR)]
    assert len(units) >= 4
    for unit in (*units, login_file(), daemon_file()):
        assert all(section and key for section, key, _ in lines(unit)), unit.path
