"""What gives the witness's link its certificates, with a refusing and a passing case each.

The tools' words are those of Debian's, of 2026-11-27; certutil and the front ends are stand-ins.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from sanglier.layers.cluster import exchange, moves

from .host import Host

MEMBERS = """\
Quorate:          Yes

Votequorum information
----------------------
Total votes:      3
Flags:            Quorate Qdevice

Membership information
----------------------
    Nodeid      Votes    Qdevice Name
         1          1    {mine} disk-a (local)
         2          1    {other} disk-b
         0          1            Qdevice
"""
VOTES, SILENT, NONE = "A,V,NMW", "A,NV,NMW", "     NR"
ALONE = "\n".join(line for line in MEMBERS.splitlines() if "disk-b" not in line)
CLIENTS = """\
Cluster "{cluster}":
    Algorithm:		Fifty-Fifty split (KAP Tie-breaker)
    Node ID 1:
        Client address:		::ffff:10.77.0.11:49468
        Configured node list:	1, 2
        Membership node list:	{seen}
        TLS active:		{tls}
        Vote:			No change (ACK)
"""
YES = "Yes (client certificate verified)"
UNIT, MARK = "corosync-qdevice.service", "/var/outdated"
NET = "/etc/corosync/qdevice/net"


@pytest.fixture(name="host")
def fixture_host(tmp_path: Path) -> Host:
    host = Host(tmp_path)
    host.noting("systemctl", "corosync-qnetd-certutil")
    host.noting("journalctl", then="exit 127")
    host.tool("timeout", 'shift; exec "$@"')
    host.put("/proc/uptime", "100.00 0.00\n")
    uptime = tmp_path / "proc/uptime"
    host.noting(
        "sleep", then=f'read -r up _ < {uptime}; echo "$((${{up%.*}} + 10)).00 0" > {uptime}'
    )
    return host


def says(host: Host, tool: str, text: str) -> None:
    host.put(f"/said-{tool}", text)
    host.tool(tool, f"cat {host.place}/said-{tool}")


# A storage server connects anew.


def members(host: Host, mine: str, other: str) -> None:
    says(host, "corosync-quorumtool", MEMBERS.format(mine=mine, other=other))


def renewed(host: Host) -> tuple[int, str]:
    host.put(MARK)
    return host.run(exchange.RENEW, UNIT, "2", "60", f"{host.place}{MARK}")


def restarts(host: Host) -> list[str]:
    return [call for call in host.calls("systemctl") if " restart " in call]


@pytest.mark.parametrize(("mine", "other"), [(VOTES, VOTES), (NONE, VOTES), (NONE, NONE)])
def test_a_vote_is_given_up_only_while_the_other_lasts(host: Host, mine: str, other: str) -> None:
    members(host, mine, other)
    members_after = MEMBERS.format(mine=VOTES, other=other)
    host.noting(
        "systemctl",
        then=f'case $1 in restart) cat > {host.place}/said-corosync-quorumtool <<"END"\n'
        f"{members_after}END\n;; esac",
    )
    says(host, "corosync-qdevice-tool", f"TLS active:\t\t{YES}\n")
    assert renewed(host) == (0, "")
    assert restarts(host) == [f"systemctl restart -- {UNIT}"]
    assert not (host.place / MARK.lstrip("/")).exists()


@pytest.mark.parametrize("other", [NONE, SILENT, "NA,NV,NMW"])
def test_a_vote_is_not_given_up_when_the_other_has_none(host: Host, other: str) -> None:
    members(host, VOTES, other)
    status, told = renewed(host)
    assert status == 1
    assert "nothing was done" in told
    assert restarts(host) == []
    assert (host.place / MARK.lstrip("/")).exists()


@pytest.mark.parametrize("text", [ALONE.format(mine=VOTES), ALONE.format(mine=NONE), ""])
def test_a_server_that_is_alone_keeps_its_connection(host: Host, text: str) -> None:
    says(host, "corosync-quorumtool", text)
    assert renewed(host)[0] == 1
    assert restarts(host) == []


def test_a_vote_of_the_other_that_comes_back_is_waited_for(host: Host) -> None:
    members(host, VOTES, VOTES)
    good = host.place / "said-corosync-quorumtool"
    host.step("corosync-quorumtool", "echo", 3, f"cat {good}")
    says(host, "corosync-qdevice-tool", f"TLS active:\t\t{YES}\n")
    assert renewed(host)[0] == 0
    assert len(restarts(host)) == 1


def test_a_quorum_that_cannot_be_asked_is_told_of(host: Host) -> None:
    host.tool("corosync-quorumtool", "echo cannot connect to corosync; exit 1")
    status, told = renewed(host)
    assert (status, restarts(host)) == (1, [])
    assert "cannot connect" in told
    assert "nothing was done" in told


@pytest.mark.parametrize("text", ["TLS active:\t\tNo\n", "State:\t\t\tConnect failed\n", ""])
def test_a_connection_without_tls_is_a_failure(host: Host, text: str) -> None:
    members(host, VOTES, VOTES)
    says(host, "corosync-qdevice-tool", text)
    status, told = renewed(host)
    assert status == 1
    assert "the other was left as it is" in told


# The witness.


def clients(
    host: Host, *, cluster: str = "guiguiabloc", seen: str = "1, 2", tls: str = YES
) -> None:
    says(host, "corosync-qnetd-tool", CLIENTS.format(cluster=cluster, seen=seen, tls=tls))


def authority(host: Host) -> tuple[int, str]:
    database = f"{host.place}/etc/nssdb"
    host.put("/etc/nssdb/cert9.db")
    return host.run(
        exchange.MAKE_AUTHORITY, "corosync-qnetd.service", "guiguiabloc", database, "QNetd Cert"
    )


def test_the_authority_is_made_when_every_server_is_there(host: Host) -> None:
    clients(host)
    host.noting("certutil", "chgrp")
    assert authority(host) == (0, "")
    assert host.calls("corosync-qnetd-certutil") == ["corosync-qnetd-certutil -i -G"]
    assert host.calls("systemctl") == ["systemctl stop -- corosync-qnetd.service"]
    assert not (host.place / "etc/nssdb").exists()
    assert host.calls("chgrp")


def test_without_a_daemon_nobody_is_asked(host: Host) -> None:
    host.tool("corosync-qnetd-tool", "echo no socket; exit 3")
    host.noting("certutil", "chgrp")
    assert authority(host)[0] == 0


@pytest.mark.parametrize("values", [{"seen": "1"}, {"cluster": "other"}])
def test_the_authority_stays_while_others_need_it(host: Host, values: dict[str, str]) -> None:
    """CALM: a cluster of which a server is missing needs its vote."""
    clients(host, **values)
    assert authority(host)[0] == 1
    assert host.calls("systemctl") == []
    assert (host.place / "etc/nssdb").exists()


def test_an_authority_that_was_not_made_is_a_failure(host: Host) -> None:
    clients(host)
    host.noting("certutil", then="exit 255")
    host.noting("corosync-qnetd-certutil", then="echo no space left on device")
    status, told = authority(host)
    assert (status, "no space left" in told) == (1, True)


@pytest.mark.parametrize(
    ("values", "status"),
    [({}, 0), ({"tls": "No"}, 1), ({"seen": "1"}, 1), ({"cluster": "other", "tls": "No"}, 1)],
)
def test_tls_is_required_when_all_have_it(host: Host, values: dict[str, str], status: int) -> None:
    """Words like "Node" and "No change" are no answer about TLS."""
    clients(host, **values)
    assert host.run(exchange.NOBODY_PLAIN)[0] == status


def required(host: Host) -> int:
    host.put("/etc/sanglier.conf")
    name = f"{host.place}/etc/sanglier.conf"
    return host.run(exchange.REQUIRE, "corosync-qnetd.service", "60", name)[0]


def test_the_requirement_stays_when_all_come_back(host: Host) -> None:
    good = host.place / "said"
    good.write_text(CLIENTS.format(cluster="guiguiabloc", seen="1, 2", tls=YES))
    host.noting("corosync-qnetd-tool", then=f"cat {good}")
    assert required(host) == 0
    assert (host.place / "etc/sanglier.conf").exists()
    assert len(restarts(host)) == 1


@pytest.mark.parametrize("alive", ["exit 3", ":"])
def test_the_requirement_goes_again_when_not_all_come_back(host: Host, alive: str) -> None:
    clients(host)
    host.step("corosync-qnetd-tool", f"cat {host.place}/said-corosync-qnetd-tool", 1, "exit 3")
    host.noting("systemctl", then=f"case $1 in is-active) {alive};; esac")
    assert required(host) == 1
    assert not (host.place / "etc/sanglier.conf").exists()
    assert len(restarts(host)) == 2


def test_the_authority_is_handed_out_as_one_word(host: Host) -> None:
    host.tool("certutil", "echo PEM")
    assert host.run(exchange.HAND_OUT, "/db", "QNet CA") == (0, b64encode(b"PEM\n").decode())
    host.tool("certutil", "echo bad database; exit 255")
    assert host.run(exchange.HAND_OUT, "/db", "QNet CA")[0] == 1


@pytest.mark.parametrize(("made", "status"), [("signed", 0), ("", 1)])
def test_what_was_not_signed_is_a_failure(host: Host, made: str, status: int) -> None:
    """The tool ends with 0 and leaves an empty certificate."""
    folder = host.place / "etc"
    host.put("/etc/x")
    host.tool(
        "corosync-qnetd-certutil",
        f'[ "$(cat "$3")" = asked ] && printf "%s" "{made}" > {folder}/cluster-c.crt; '
        "echo bad certificate request",
    )
    word = b64encode(b"asked").decode()
    found, told = host.run(exchange.SIGN, str(folder), "c", word)
    assert (found, told) == (
        status,
        b64encode(b"signed").decode() if not status else "bad certificate request\n",
    )
    assert sorted(path.name for path in folder.iterdir()) == ["x"]


# A key and its certificate on a storage server.


def database(host: Host) -> Path:
    return host.place / f"{NET}/nssdb".lstrip("/")


def with_old(host: Host) -> None:
    host.put(f"{NET}/nssdb/cert9.db", "old")


def takes_requests(host: Host, request: str) -> None:
    """Give a front end that makes a database, and a request in it."""
    db = database(host)
    host.noting(
        "corosync-qdevice-net-certutil",
        then=f'[ "$1" != -i ] || {{ mkdir {db} && cp "$3" {db}/authority; }}\n'
        f'[ "$1" != -r ] || printf "%s" "{request}" > {db}/qdevice-net-node.crq',
    )


def asked(host: Host) -> tuple[int, str]:
    word = b64encode(b"PEM").decode()
    return host.run(exchange.REQUEST, f"{host.place}{NET}", "guiguiabloc", word)


@pytest.mark.parametrize("old", [True, False])
def test_a_key_is_made_beside_the_old_one(host: Host, old: bool) -> None:
    if old:
        with_old(host)
    takes_requests(host, "DER")
    assert asked(host) == (0, b64encode(b"DER").decode())
    assert (database(host) / "cert9.db").exists() is old
    new = database(host).with_name("nssdb.new")
    assert (new / "authority").read_text() == "PEM"
    assert sorted(p.name for p in new.parent.iterdir()) == (["nssdb"] * old) + ["nssdb.new"]


def test_a_key_that_was_not_made_leaves_the_old_one(host: Host) -> None:
    with_old(host)
    takes_requests(host, "")
    assert asked(host)[0] == 1
    assert (database(host) / "cert9.db").read_text() == "old"


def test_what_a_killed_step_put_aside_comes_back(host: Host) -> None:
    host.put(f"{NET}/nssdb.was/cert9.db", "old")
    host.put(f"{NET}/nssdb/cert9.db", "half")
    takes_requests(host, "DER")
    assert asked(host)[0] == 0
    assert (database(host) / "cert9.db").read_text() == "old"


def installed(host: Host) -> tuple[int, str]:
    mark, net = f"{host.place}{MARK}", f"{host.place}{NET}"
    word = b64encode(b"CRT").decode()
    return host.run(exchange.INSTALL, net, word, "Cluster Cert", UNIT, mark, "60")


def with_new(host: Host) -> None:
    with_old(host)
    host.put(f"{NET}/nssdb.new/cert9.db", "new")
    host.put(f"{NET}/nssdb.new/qdevice-net-node.crq", "DER")
    host.noting(
        "corosync-qdevice-net-certutil", then='cat "$3" > "${3%/*}/qdevice-net-node.p12"; echo said'
    )


@pytest.mark.parametrize("runs", [True, False])
def test_a_certificate_takes_the_place_of_the_old_one(host: Host, runs: bool) -> None:
    with_new(host)
    host.noting("certutil")
    host.noting("systemctl", then=f"exit {0 if runs else 3}")
    assert installed(host) == (0, "")
    assert (database(host) / "cert9.db").read_text() == "new"
    assert [p.name for p in database(host).iterdir()] == ["cert9.db"]
    assert [p.name for p in database(host).parent.iterdir()] == ["nssdb"]
    assert (host.place / MARK.lstrip("/")).exists() is runs


def test_a_certificate_is_valid_as_soon_as_a_clock_has_caught_up(host: Host) -> None:
    with_new(host)
    host.step("certutil", "exit 255", 3, ":")
    assert installed(host)[0] == 0
    assert len(host.calls("sleep")) == 3


def test_a_certificate_that_is_not_valid_leaves_the_old_one(host: Host) -> None:
    with_new(host)
    host.noting("certutil", then="echo certificate is invalid; exit 255")
    status, told = installed(host)
    assert (status, "certificate is invalid" in told) == (1, True)
    assert (database(host) / "cert9.db").read_text() == "old"
    assert not (host.place / MARK.lstrip("/")).exists()


def test_a_certificate_without_its_key_is_refused(host: Host) -> None:
    with_old(host)
    assert installed(host)[0] == 1
    assert (database(host) / "cert9.db").read_text() == "old"


def test_nothing_is_left_of_keys_and_certificates(host: Host) -> None:
    with_old(host)
    host.put(f"{NET}/nssdb.was/cert9.db")
    host.put(MARK)
    host.put("/etc/corosync/corosync.conf")
    assert host.run(exchange.FORGET, f"{host.place}{NET}", f"{host.place}{MARK}") == (0, "")
    assert [p.name for p in (host.place / "etc/corosync").iterdir()] == ["corosync.conf"]


@pytest.mark.parametrize("runs", [True, False])
def test_a_quorum_device_that_starts_takes_its_newest_certificate(host: Host, runs: bool) -> None:
    host.put(MARK)
    host.noting("systemctl", then=f'[ "$1" != is-active ] || exit {0 if runs else 3}')
    assert host.run(moves.START_ENGINE, UNIT, f"{host.place}{MARK}", "a", "b")[0] == 0
    assert (host.place / MARK.lstrip("/")).exists() is runs
    assert host.calls("systemctl")[-1] == "systemctl start -- a b"
