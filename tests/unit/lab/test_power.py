"""Passwords, secrets and the log of the power switches."""

from __future__ import annotations

import stat
from pathlib import Path

from ruamel.yaml import YAML

from sanglier.lab import power, topology
from sanglier.lab.place import Place
from sanglier.lab.power import Action, PowerEvent

LAB = topology.build("lab", 1)
UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 1135: 6F004D0A:026F 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9 2 0 0
"""


def place(directory: Path) -> Place:
    return Place(name="lab", state=directory, data=directory)


def event(host: str, *, done: bool = True) -> PowerEvent:
    return PowerEvent(
        at=1795411992.986, host=host, action=Action.OFF, requester="10.77.0.12", done=done
    )


def test_the_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    log = tmp_path / "power.jsonl"
    assert power.read(log) == ()
    events = (event("disk-a"), event("disk-b", done=False))
    for each in events:
        power.note(log, each)
    assert power.read(log) == events
    assert '"at": 1795411992986' in log.read_text()


def test_the_password_and_the_secrets_are_made_once_and_for_us_only(tmp_path: Path) -> None:
    where = place(tmp_path)
    power.ensure(where, LAB)
    made = where.bmc_password.read_text()
    where.secrets.write_text("kept")
    power.ensure(where, LAB)
    assert (where.bmc_password.read_text(), where.secrets.read_text()) == (made, "kept")
    assert len(made) <= 20, "IPMI takes no longer one"
    for file in (where.bmc_password, where.secrets):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_labs_have_other_passwords(tmp_path: Path) -> None:
    places = [place(tmp_path / name) for name in ("one", "two")]
    for each in places:
        each.state.mkdir()
        power.ensure(each, LAB)
    assert power.password(places[0]) != power.password(places[1])


def test_the_secrets_file_has_the_password_of_each_storage_server() -> None:
    found = YAML(typ="safe", pure=True).load(power.render_secrets(LAB, "s3cret"))
    assert found == {"fence": {"disk-a": "s3cret", "disk-b": "s3cret"}}


def test_a_switch_without_a_socket_is_found() -> None:
    assert power.unbound(UDP, ("10.77.0.111", "10.77.0.112")) == ("10.77.0.112",)
    assert power.unbound("", ("10.77.0.111",)) == ("10.77.0.111",)
