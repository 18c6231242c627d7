"""Bare Debian servers to mounted filesystems, however often ``apply`` is cut on the way.

Every package comes from the lab's own mirror.  The file has another shape than the example:
two volumes, the witness on an application server, timeouts that are solved from a wish.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest
from cluster_site import DISK_BYTES, Site, cut, make_site, side

from sanglier.lab import life
from sanglier.lab.control import Lab
from sanglier.lab.recipe import Kind
from sanglier.lab.record import Wish

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

HOSTS = ("disk-a", "disk-b", "srv-a", "srv-b")
OWN_WITNESS = "witness:\n  ssh: witness\n  address: 10.77.0.31\n"
ON_SRV_B = "witness:\n  on: srv-b\n  address: 10.77.0.22\n"
MAIL = """
  mail:
    on: {disk-a: /dev/ubdc, disk-b: /dev/ubdc}
    prefer: disk-b
    filesystem: ocfs2
    label: MAIL
    mount: /mail
    for: small-files
"""
AGENTS = {"12": "fence-agents", "13": "fence-agents-ipmilan"}
"""Debian's release -> its package of the agent that the file names."""
STORAGE = "corosync, corosync-qdevice, {agents}, ipmitool, pacemaker, pacemaker-cli-utils"
INITIATOR = "multipath-tools, ocfs2-tools, open-iscsi"
ABSENT = "dpkg-query -W drbd-utils pacemaker ocfs2-tools corosync-qnetd 2>/dev/null || :"

WISH = "timings: {stall: 30s, fence: 20s}"
"""``fast`` is for fencing that was measured to kill within 8 s.  Beside another lab under load, on
two processors, not even this time sufficed: seven fencings in succession took longer."""
CUTS = (6, 30)
"""Steps that each run may begin: the first is cut behind the packages, one step on each host."""


def varied(text: str) -> str:
    """The example with a witness on srv-b, a second volume, and timeouts of its own."""
    for old, new in ((OWN_WITNESS, ON_SRV_B), ("timings: safe", WISH)):
        assert old in text
        text = text.replace(old, new)
    return text.rstrip() + MAIL


def opened(site: Site) -> dict[str, str]:
    """Volume -> the one storage server whose side of it is open."""
    found: dict[str, str] = {}
    for minor, volume in enumerate(("data", "mail")):
        read = f"cat {side(volume, minor)}"
        states = {host: site.on(host, read) for host in ("disk-a", "disk-b")}
        assert sorted(states.values()) == ["0", "2"], (volume, states)
        found[volume] = next(host for host, state in states.items() if state == "0")
    return found


@pytest.fixture(scope="module", params=["12", pytest.param("13", marks=pytest.mark.long)])
def release(request: pytest.FixtureRequest) -> str:
    """Debian's on the servers.  The shared labs of all other tests have 13."""
    return str(request.param)


@pytest.fixture(scope="module")
def bare(
    tmp_path_factory: pytest.TempPathFactory, module_lab: Callable[..., Lab], release: str
) -> Iterator[Site]:
    """Servers without a package of ours, each storage server with a second disk."""
    wish = Wish(kind=Kind.BARE, release=release, applications=2, only=HOSTS, disk_bytes=DISK_BYTES)
    lab = module_lab(wish=wish)
    for host in ("disk-a", "disk-b"):
        lab.attach_disk(host, "ubdc", DISK_BYTES)
    site = make_site(lab, tmp_path_factory.mktemp("bare"))
    site.file.write_text(varied(site.file.read_text()))
    yield site
    life.down(lab.place.name)


def test_apply_takes_bare_hosts_to_mounted_filesystems(bare: Site, release: str) -> None:
    for host in HOSTS:
        assert bare.on(host, ABSENT) == ""
    plan = bare.plan()
    installs = {step["host"]: step["summary"] for step in plan["steps"]
                if step["layer"] == "packages"}  # fmt: skip
    stack = STORAGE.format(agents=AGENTS[release])
    assert installs["disk-a"] == f"install drbd-utils, targetcli-fb, {stack}"
    assert installs["srv-a"] == f"install {INITIATOR}"
    assert installs["srv-b"] == f"install corosync-qnetd, {INITIATOR}"
    assert _times_cut(bare) == len(CUTS)
    bare.apply()
    bare.assert_whole()
    assert bare.on("disk-a", "systemctl is-enabled rtslib-fb-targetctl || :") == "disabled"
    assert "Nothing to do" in bare.apply()


def _times_cut(site: Site) -> int:
    """Cut ``apply`` by SIGKILL and SIGINT in turn, each time some steps further."""
    for number, steps in enumerate(CUTS):
        how = signal.SIGINT if number % 2 else signal.SIGKILL
        if not cut(site, steps, how, "apply"):
            return number
    return len(CUTS)


@pytest.mark.long
def test_two_volumes_are_open_on_different_servers_and_one_moves_alone(bare: Site) -> None:
    assert opened(bare) == {"data": "disk-a", "mail": "disk-b"}
    assert bare.on("srv-b", "systemctl is-active corosync-qnetd") == "active"
    bare.must("timings", "--check")
    bare.on("srv-a", "echo letter > /mail/box; echo row > /data/table; sync")
    bare.must("move", "mail", "--to", "disk-a")
    assert opened(bare) == {"data": "disk-a", "mail": "disk-a"}
    bare.must("move", "mail", "--to", "disk-b")


@pytest.mark.long
def test_the_witness_on_an_application_server_lets_the_survivor_open_both(bare: Site) -> None:
    bare.lab.kill("disk-b")
    bare.until("disk-a", "crm_resource -r mail-open --locate 2>/dev/null | grep -q disk-a")
    letters = bare.on("srv-b", "cat /mail/box /data/table; echo more > /mail/box; sync")
    assert letters == "letter\nrow"
    assert bare.on("srv-a", "cat /mail/box") == "more"
