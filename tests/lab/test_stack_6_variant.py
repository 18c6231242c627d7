"""Another shape of the file: two volumes, the witness on an application server, `timings: fast`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_site import TARGETS, Site, make_site

from sanglier.lab.control import Lab

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]

HOSTS = ("disk-a", "disk-b", "srv-a", "srv-b")
SECOND_DISK = 1 << 30
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


def varied(text: str) -> str:
    """The example with a witness on srv-b, a second volume, and fast timings."""
    for old, new in ((OWN_WITNESS, ON_SRV_B), ("timings: safe", "timings: fast")):
        assert old in text
        text = text.replace(old, new)
    return text.rstrip() + MAIL


def opened(site: Site) -> dict[str, str]:
    """Volume -> the one storage server whose side of it is open."""
    found: dict[str, str] = {}
    for minor, volume in enumerate(("data", "mail")):
        path = f"{TARGETS}/core/iblock_{minor}/{volume}/alua/sanglier/alua_access_state"
        states = {host: site.on(host, f"cat {path}") for host in ("disk-a", "disk-b")}
        assert sorted(states.values()) == ["0", "2"], (volume, states)
        found[volume] = next(host for host, state in states.items() if state == "0")
    return found


def test_two_volumes_are_open_on_different_servers_with_the_witness_on_an_application_server(
    small_lab: Callable[..., Lab], tmp_path: Path
) -> None:
    lab = small_lab(*HOSTS)
    for host in ("disk-a", "disk-b"):
        lab.attach_disk(host, "ubdc", SECOND_DISK)
    site = make_site(lab, tmp_path)
    site.file.write_text(varied(site.file.read_text()))
    site.apply()
    site.assert_whole()
    assert "Nothing to do" in site.apply()
    assert opened(site) == {"data": "disk-a", "mail": "disk-b"}
    assert site.on("srv-b", "systemctl is-active corosync-qnetd") == "active"
    site.must("timings", "--check")

    site.on("srv-a", "echo letter > /mail/box; echo row > /data/table; sync")
    site.must("move", "mail", "--to", "disk-a")
    assert opened(site) == {"data": "disk-a", "mail": "disk-a"}
    site.must("move", "mail", "--to", "disk-b")

    site.lab.kill("disk-b")
    site.until("disk-a", "crm_resource -r mail-open --locate 2>/dev/null | grep -q disk-a")
    assert (
        site.on("srv-b", "cat /mail/box /data/table; echo more > /mail/box; sync") == "letter\nrow"
    )
    assert site.on("srv-a", "cat /mail/box") == "more"
