"""The witness's link: TLS, taken over from a cluster without it, and renewed; nobody dies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from cluster_site import Site

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

STORAGE = ("disk-a", "disk-b")
DEVICE = "corosync-qdevice"
VOTES = "corosync-quorumtool -s | grep -Eq '^ +0 +1 +Qdevice'"
WATCH = """
for second in $(seq 3000); do
    corosync-quorumtool -s | grep '^Quorate:'; sleep 0.2
done > /run/votes 2>&1 </dev/null &
echo $! > /run/votes.pid
"""
WITHOUT_TLS = f"""
sed -i 's/tls: required/tls: off/' /etc/corosync/corosync.conf
corosync-cfgtool -R
rm -rf /etc/corosync/qdevice
systemctl restart {DEVICE}
"""
DROP_IN = "/etc/systemd/system/corosync-qnetd.service.d/sanglier.conf"
TAKES_ALL = f"rm -f {DROP_IN}; systemctl daemon-reload; systemctl restart corosync-qnetd"
TOOL = "/usr/bin/corosync-qnetd-certutil"


def boots(site: Site) -> dict[str, str]:
    return {host: site.on(host, "cat /proc/sys/kernel/random/boot_id") for host in STORAGE}


def told(site: Site, host: str, command: str) -> str:
    """What a command says, one space between words."""
    return " ".join(site.on(host, command).split())


@pytest.fixture(autouse=True)
def unharmed(site: Site) -> Iterator[None]:
    """Nobody is fenced and nobody is without quorum for a moment; the link is TLS at the end."""
    before = boots(site)
    for host in STORAGE:
        site.until(host, VOTES)
        site.on(host, WATCH)
    yield
    for host in STORAGE:
        site.on(host, "kill $(cat /run/votes.pid)")
        assert set(site.on(host, "cat /run/votes").splitlines()) == {"Quorate:          Yes"}
        assert "TLS active: Yes" in told(site, host, f"{DEVICE}-tool -s -v")
    assert "TLS: Required" in told(site, "witness", "corosync-qnetd-tool -s")
    assert boots(site) == before
    assert site.steps() == []
    site.assert_whole()


def test_status_tells_until_when(site: Site) -> None:
    assert site.must("status").count("TLS, certificate until 2") == len(STORAGE)


@pytest.mark.long  # three minutes
def test_a_cluster_without_tls_is_taken_over(site: Site) -> None:
    site.on("witness", TAKES_ALL)
    for host in STORAGE:
        site.on(host, WITHOUT_TLS)
        site.until(host, VOTES)
    assert "NOT ENCRYPTED, no certificate" in site.run("status").stdout
    steps = [step for step in site.steps() if step.endswith(("/link", "/encryption"))]
    assert steps == ["disk-a/cluster/link", "disk-b/cluster/link", "witness/cluster/encryption"]
    site.apply()


@pytest.mark.long  # two minutes
def test_a_certificate_that_ends_in_a_month_is_renewed(site: Site) -> None:
    site.on("witness", f"sed -i.was 's/^CRT_VALIDITY=.*/CRT_VALIDITY=1/' {TOOL}")
    site.on("disk-b", "rm -r /etc/corosync/qdevice/net/nssdb")
    try:
        said = site.run("apply", "--yes").stdout
    finally:
        site.on("witness", f"mv {TOOL}.was {TOOL}")
    assert "SG-CLU-011" in said
    assert "disk-b/cluster/request" in site.steps()
    site.apply()


@pytest.mark.long
def test_a_new_authority_gives_all_new_certificates(site: Site) -> None:
    site.on("witness", "rm -r /etc/corosync/qnetd/nssdb")
    assert site.steps()[0] == "witness/cluster/authority"
    site.apply()
