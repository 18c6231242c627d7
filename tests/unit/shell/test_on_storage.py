"""What packages, cluster and target run on a storage server, with a refusing and a passing case."""

from __future__ import annotations

from pathlib import Path

import pytest
from layers.goal import GOAL, VOLUME

from sanglier.layers.cluster import change, moves
from sanglier.layers.cluster.sides import SHUT
from sanglier.layers.packages.steps import INSTALL
from sanglier.layers.target import steps, teardown

from .host import Host

B = GOAL.cluster.storage[1]
ROOT = "/sys/kernel/config/target"
CORE = "core/iblock_0/data"


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    host.noting("apt-get", "systemctl", "sleep", "crm_attribute", "crm_mon", "cibadmin")
    host.noting("crm_resource", then="echo resource x is running on: disk-a")
    host.tool("timeout", 'shift; exec "$@"')
    host.put("/proc/uptime", "100.00 0.00\n")
    return host


# Packages.


ENGINE = "pacemaker.service corosync-qdevice.service corosync.service"
MASKED, UNMASKED = (f"systemctl --runtime -q {verb} {ENGINE}" for verb in ("mask", "unmask"))


def installed(host: Host, *packages: str) -> tuple[int, list[str]]:
    status, _ = host.run(INSTALL, *packages)
    return status, host.calls("apt-get", "systemctl")


def test_the_engine_cannot_start_by_itself_while_it_is_installed(host: Host) -> None:
    status, calls = installed(host, "pacemaker", "corosync", "drbd-utils")
    assert (status, calls[0], calls[-1]) == (0, MASKED, UNMASKED)
    assert "install -- pacemaker corosync drbd-utils" in calls[-2]


def test_it_is_unmasked_also_when_the_installation_fails(host: Host) -> None:
    host.noting("apt-get", then='case "$*" in *-s*) ;; *) exit 100 ;; esac')
    status, calls = installed(host, "corosync")
    assert (status, calls[-1]) == (100, UNMASKED)


def test_other_packages_leave_the_engine_alone(host: Host) -> None:
    status, calls = installed(host, "open-iscsi", "corosync-qnetd")
    assert status == 0
    assert [call.split()[0] for call in calls] == ["apt-get", "apt-get"]


def test_the_lists_are_fetched_only_where_they_lack_something(host: Host) -> None:
    host.noting("apt-get", then='case "$*" in *" -s "*) exit 100 ;; esac')
    _, calls = installed(host, "open-iscsi")
    assert [call.rsplit(" ", 1)[-1] for call in calls] == ["open-iscsi", "update", "open-iscsi"]


# Planned changes.


def move(host: Host, seconds: int = 2) -> tuple[int, str]:
    side, node, _, _ = change.move(VOLUME, B).args
    return host.run(change.MOVE, str(side), str(node), str(seconds), f"{host.place}/alua")


def words(host: Host) -> list[str]:
    """What crm_resource was told to do, in order."""
    return [call.split("--")[2].split()[0] for call in host.calls("crm_resource")]


def test_a_move_ends_when_the_side_is_open_and_not_before(host: Host) -> None:
    host.put("/alua", "2\n")
    host.step("sleep", ":", 4, f"echo 0 > {host.place}/alua")
    assert move(host) == (0, "")
    assert [call.split()[0] for call in host.calls()] == (
        ["crm_resource"] + ["sleep"] * 5 + ["crm_resource"]
    )
    assert words(host) == ["move", "clear"]


@pytest.mark.parametrize("state", ["2\n", "", None, "10\n"])
def test_a_side_that_does_not_open_is_a_failure_and_the_order_is_taken_back(
    host: Host, state: str | None
) -> None:
    if state is not None:
        host.put("/alua", state)
    status, told = move(host)
    assert (status, words(host)) == (1, ["move", "clear"])
    assert "data-open did not move to disk-b" in told
    assert len(host.calls("sleep")) == 10


def test_a_move_that_is_refused_is_one_at_once(host: Host) -> None:
    host.put("/alua", "0\n")
    host.noting("crm_resource", then="exit 6")
    assert move(host) == (1, "")
    assert words(host) == ["move"]


def test_a_server_is_empty_when_nothing_is_left_to_do(host: Host) -> None:
    assert host.run(change.EMPTY, "disk-b", "240")[0] == 0
    assert host.calls("crm_attribute") == ["crm_attribute --node disk-b --name standby --update on"]
    host.noting("crm_resource", then="exit 124")
    assert host.run(change.EMPTY, "disk-b", "240")[0] == 1
    host.noting("crm_attribute", then="exit 6")
    assert host.run(change.EMPTY, "disk-b", "240")[0] == 1


GOOD = " 0: cs:Connected ro:Primary/Primary ds:UpToDate/UpToDate C r-----\n"


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (GOOD, 0),
        (GOOD.replace("Primary/Primary", "Secondary/Primary"), 1),
        (GOOD.replace("UpToDate/UpToDate", "Inconsistent/UpToDate"), 1),
        (GOOD.replace("cs:Connected", "cs:SyncTarget"), 1),
        ("", 1),
    ],
)
def test_a_server_is_back_when_its_mirrors_are(host: Host, state: str, status: int) -> None:
    host.put("/proc/drbd", state)
    assert host.run(change.FILL, "disk-b", "3", "0")[0] == status


# The engine.


def check_device(host: Host, answer: str, agent: str = "fence_x") -> tuple[int, str]:
    host.tool("fence_x", f"cat > {host.place}/options\n{answer}")
    return host.run(moves.CHECK, agent, "/etc/pw", "ip", "10.0.0.1")


def test_a_fence_device_that_answers_passes_and_its_options_come_on_its_input(host: Host) -> None:
    assert check_device(host, ":")[0] == 0
    options = (host.place / "options").read_text()
    assert options == "action=status\npassword_script=/etc/pw\nip=10.0.0.1\n"


@pytest.mark.parametrize(
    ("answer", "agent", "told"),
    [
        ("echo no route; exit 1", "fence_x", "no route\nthe fence device does not answer"),
        (":", "fence_none", "there is no agent fence_none"),
    ],
)
def test_a_fence_device_that_does_not_is_a_failure(
    host: Host, answer: str, agent: str, told: str
) -> None:
    status, said = check_device(host, answer, agent)
    assert status == 1
    assert told in said


AGREED = (
    '<current_dc present="true" name="disk-a" with_quorum="true"/>\n'
    '<node name="disk-a" id="1" online="true" standby="false" pending="false"/>\n'
    '<node name="disk-b" id="2" online="true" standby="false" pending="false"/>\n'
)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (AGREED, 0),
        (AGREED.replace('with_quorum="true"', 'with_quorum="false"'), 1),
        (AGREED.replace('present="true"', 'present="false"'), 1),
        (AGREED.replace('pending="false"', 'pending="true"', 1), 1),
        (AGREED.replace('online="true"', 'online="false"', 1), 1),
        ("", 1),
    ],
)
def test_the_servers_have_gathered_when_all_are_members_with_quorum(
    host: Host, seen: str, status: int
) -> None:
    host.put("/seen", seen)
    host.tool("crm_mon", f"cat {host.place}/seen")
    assert host.run(moves.GATHER, "3", "2")[0] == status


def test_the_sides_have_settled_when_each_runs_somewhere(host: Host) -> None:
    assert host.run(moves.SETTLE, "3", "data-open")[0] == 0
    host.noting("crm_resource", then="echo resource data-open is NOT running")
    status, told = host.run(moves.SETTLE, "3", "data-open")
    assert status == 1
    assert "data-open does not start" in told


def test_the_engine_is_not_disabled_where_pacemaker_does_not_stop(host: Host) -> None:
    host.put("/var/lib/pacemaker/cib/cib.xml")
    host.noting("systemctl", then='case "$*" in "stop pacemaker"*) exit 1 ;; esac')
    assert host.run(moves.DISABLE, "corosync.service")[0] == 1
    assert host.calls("systemctl") == ["systemctl stop pacemaker.service"]
    assert (host.place / "var/lib/pacemaker/cib/cib.xml").exists()
    host.noting("systemctl")
    assert host.run(moves.DISABLE, "corosync.service")[0] == 0
    assert not (host.place / "var/lib/pacemaker/cib/cib.xml").exists()


def test_the_configuration_is_loaded_with_the_cluster_s_own_nodes(host: Host) -> None:
    for found, nodes in (("echo '<nodes><a/></nodes>'", "<nodes><a/></nodes>"), ("exit 1", None)):
        host.noting("cibadmin", then=(
            f'case "$*" in *--query*) {found} ;; *) cat > {host.place}/in ;; esac'
        ))  # fmt: skip
        assert host.run(moves.LOAD, "<configuration><nodes /><x /></configuration>")[0] == 0
        loaded = f"<configuration>{nodes or '<nodes/>'}<x /></configuration>"
        assert (host.place / "in").read_text() == loaded


# The target.


def group(host: Host, name: str, state: str) -> None:
    host.put(f"{ROOT}/{CORE}/alua/{name}/alua_access_state", f"{state}\n")


def state(host: Host, name: str) -> str:
    path = host.place / f"{ROOT}/{CORE}/alua/{name}/alua_access_state".lstrip("/")
    return path.read_text().strip()


def shut(host: Host, node: str) -> tuple[int, str]:
    return host.run(SHUT, CORE, "data-open", node, f"{host.place}/mark")


def test_what_nobody_opened_is_shut_in_every_group(host: Host) -> None:
    host.put("/mark", "boot\n")
    for name, open_state in (("default_tg_pt_gp", "0"), ("sanglier", "1"), ("other", "2")):
        group(host, name, open_state)
    assert shut(host, "disk-b") == (0, "")
    assert {state(host, name) for name in ("default_tg_pt_gp", "sanglier", "other")} == {"2"}
    assert (host.place / "mark").read_text() == ""


def test_what_pacemaker_opened_here_meanwhile_stays(host: Host) -> None:
    group(host, "sanglier", "0")
    assert shut(host, "disk-a") == (0, "")
    assert state(host, "sanglier") == "0"


def test_values_are_set_and_one_that_cannot_be_is_a_failure(host: Host) -> None:
    host.put(f"{ROOT}/a")
    assert host.run(steps.SET, "a", "1", "b", "2") == (0, "")
    assert (host.place / f"{ROOT}/b".lstrip("/")).read_text() == "2"
    status, told = host.run(steps.SET, "none/x", "1", "c", "2")
    assert status == 1
    assert "cannot set none/x" in told
    assert not (host.place / f"{ROOT}/c".lstrip("/")).exists()


@pytest.mark.parametrize(("on", "bound"), [("0", True), ("1", False)])
def test_a_backstore_is_bound_once(host: Host, on: str, *, bound: bool) -> None:
    host.put(f"{ROOT}/{CORE}/enable", f"{on}\n")
    assert host.run(steps.BIND, CORE, "/dev/drbd0") == (0, "")
    assert (host.place / f"{ROOT}/{CORE}/control".lstrip("/")).exists() is bound


def test_a_target_is_disabled_before_anything_of_it_goes(host: Host) -> None:
    base = host.place / ROOT.lstrip("/")
    (base / "iscsi/iqn.x/tpgt_1/lun/lun_0").mkdir(parents=True)
    (base / "iscsi/iqn.x/tpgt_1/np/10.0.0.1").mkdir(parents=True)
    (base / CORE / "alua/sanglier").mkdir(parents=True)
    tpg = "iscsi/iqn.x/tpgt_1"
    host.noting("rmdir", then='/usr/bin/rmdir --ignore-fail-on-non-empty "$@"')
    host.put(f"{ROOT}/{tpg}/enable", "1\n")
    host.run(teardown.REMOVE, CORE, tpg)
    assert (base / tpg / "enable").read_text() == "0\n"
    assert not (base / tpg / "lun/lun_0").exists()
    assert host.run(teardown.REMOVE, "core/iblock_1/none", "iscsi/none/tpgt_1")[0] == 0
