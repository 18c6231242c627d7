"""The steps that give the witness's link its certificates, and that make both ends use them.

A storage server makes its own key and a request; the request, the certificate and the authority go
through this machine, all of them public: no private key ever leaves the host that made it.  The
tools end with 0 whatever certutil(1) said, so what they were to make is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sanglier.core.action import Action, Carried, Script, WriteFile
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.cluster.certificates import (
    AUTHORITY,
    CLIENT,
    SERVER,
    STORAGE_DATABASE,
    STORAGE_FOLDER,
    VALIDITY_S,
    WITNESS_DATABASE,
    Certificate,
)
from sanglier.layers.cluster.desired import (
    OUTDATED,
    QDEVICE_UNIT,
    QNETD_UNIT,
    REQUIRED,
    requiring_file,
)
from sanglier.layers.cluster.facts import ClusterFacts, WitnessFacts
from sanglier.layers.files import as_read
from sanglier.layers.services import STOPPED

# $1 seconds; the uptime, because a clock may jump.
WAIT = """
begin() { read -r up _ < /proc/uptime; end=$((${up%.*} + $1)); }
late() { sleep 1; read -r up _ < /proc/uptime; [ "${up%.*}" -ge "$end" ]; }
"""
# Of every client that is connected, of any cluster: whether it sees all of its cluster, and so does
# without the witness's vote for a moment; corosync-qnetd-tool(8).
CALM = """
calm() {
    configured=0
    clients=$(timeout 10 corosync-qnetd-tool -l -v 2>/dev/null) || clients=
    while IFS=: read -r key value; do
        set -- $value
        case $key in
            *"Configured node list") configured=$#;;
            *"Membership node list") [ "$#" -ge "$configured" ] || return 1;;
        esac
    done <<END
$clients
END
}
calm || {
    printf '%s\\n' "$clients"
    echo "a server of a cluster is missing: the others need the vote of this witness now"; return 1
}
"""
# $1 unit, $2 cluster, $3 database, $4 nickname.  Modes as Debian's corosync-qnetd.postinst.
MAKE_AUTHORITY = (
    CALM
    + """
while IFS=\\" read -r word name rest; do
    case $word in "Cluster ") [ "$name" = "$2" ] || {
        echo "cluster $name uses this authority, too, and would lose its vote: renew it by hand"
        return 1
    };; esac
done <<END
$clients
END
systemctl stop -- "$1"
rm -rf "$3"
said=$(corosync-qnetd-certutil -i -G 2>&1) || :
if certutil -V -d "$3" -u V -n "$4" >/dev/null 2>&1; then
    chgrp coroqnetd "$3" "$3/cert9.db" "$3/key4.db"
else
    printf '%s\\n' "$said"; echo "there is no certificate of qnetd in $3"; return 1
fi
"""
)
# $1 database, $2 nickname -> the authority, as one word.
HAND_OUT = """
text=$(certutil -L -d "$1" -n "$2" -a) || { printf '%s\\n' "$text"; return 1; }
printf '%s\\n' "$text" | base64 -w 0
"""
# $1 folder.  The tools know one place only, and what is in it must last until the new one is whole:
# it is put aside meanwhile, and comes back however the step ends.
ASIDE = """
net=$1 db=$1/nssdb
back() {
    [ ! -d "$db.was" ] || { rm -rf "$db"; mv "$db.was" "$db"; }
}
aside() {
    [ ! -d "$db" ] || mv "$db" "$db.was"
}
back
trap back EXIT
"""
# $2 cluster, $3 authority -> the request, as one word.
REQUEST = (
    ASIDE
    + """
umask 077
mkdir -p "$net"
rm -rf "$db.new"
printf '%s' "$3" | base64 -d > "$net/authority"
aside
said=$({
    corosync-qdevice-net-certutil -i -c "$net/authority"
    corosync-qdevice-net-certutil -r -n "$2"
} 2>&1) || :
rm -f "$net/authority"
[ -s "$db/qdevice-net-node.crq" ] || {
    printf '%s\\n' "$said"; rm -rf "$db"; echo "there is no request"; return 1
}
mv "$db" "$db.new"
base64 -w 0 "$db.new/qdevice-net-node.crq"
"""
)
# $1 database, $2 cluster, $3 request -> the certificate, as one word.
SIGN = """
request=$1/request made=$1/cluster-$2.crt
rm -f "$made"
printf '%s' "$3" | base64 -d > "$request"
said=$(corosync-qnetd-certutil -s -c "$request" -n "$2" 2>&1) || :
[ -s "$made" ] || { printf '%s\\n' "$said"; rm -f "$request" "$made"; return 1; }
base64 -w 0 "$made"
rm -f "$request" "$made"
"""
# $2 certificate, $3 nickname, $4 unit, $5 mark, $6 seconds.  A certificate is not valid yet where a
# clock is behind the witness's.
INSTALL = (
    WAIT
    + ASIDE
    + """
[ -d "$db.new" ] || { echo "the key of the request is gone: run the same command again"; return 1; }
printf '%s' "$2" | base64 -d > "$db.new/signed"
aside
mv "$db.new" "$db"
said=$(corosync-qdevice-net-certutil -M -c "$db/signed" 2>&1) || :
rm -f "$db/signed" "$db/qdevice-net-node.crq" "$db/qdevice-net-node.p12"
begin "$6"
until why=$(certutil -V -d "$db" -u C -n "$3" 2>&1); do
    if late; then printf '%s\\n' "$said" "$why"; return 1; fi
done
if systemctl is-active -q "$4"; then mkdir -p "${5%/*}"; : > "$5"; fi
rm -rf "$db.was"
"""
)
# $1 unit, $2 servers, $3 seconds, $4 mark.  Without its quorum device a server is quorate while all
# are members.  It gives up a vote that it has only while the others have theirs; one that has none
# loses nothing.  corosync-quorumtool(8): A, V: the device is alive and votes.
RENEW = (
    WAIT
    + """
look() {
    members=0 mine= others=voting
    while read -r id votes rest; do
        case $id in 0 | '' | *[!0-9]*) continue;; esac
        members=$((members + 1))
        case $rest in
            A,V*"(local)") mine=voting;;
            *"(local)") mine=;;
            A,V*) ;;
            *) others=;;
        esac
    done <<END
$(timeout 10 corosync-quorumtool -s 2>/dev/null)
END
}
safe() {
    look
    [ "$members" -ge "$1" ] || return 1
    [ -z "$mine" ] || [ -n "$others" ]
}
linked() {
    look
    [ -n "$mine" ] || return 1
    timeout 10 corosync-qdevice-tool -s -v 2>/dev/null | grep -q '^TLS active:.*Yes'
}
begin "$3"
until safe "$2"; do
    if late; then
        corosync-quorumtool -s 2>&1 || :
        echo "not all are members, or the other server has no vote of the witness: nothing was done"
        return 1
    fi
done
systemctl reset-failed -- "$1" 2>/dev/null || :
systemctl restart -- "$1"
rm -f "$4"
begin "$3"
until linked; do
    if late; then
        corosync-qdevice-tool -s -v 2>&1 | tail -n 12
        journalctl -q -u "$1" -n 5 -o cat 2>&1 || :
        echo "this server has no vote of the witness over TLS: the other was left as it is"
        return 1
    fi
done
"""
)
# Nobody is to be locked out: also asked before the file is written.
NOBODY_PLAIN = (
    CALM
    + """
if printf '%s\\n' "$clients" | grep 'TLS active:[[:space:]]*No'; then
    echo "a client does without TLS, and would be refused"; return 1
fi
"""
)
# $1 unit, $2 seconds, $3 the file: as many clients must be back as there were, or it goes again.
REQUIRE = (
    WAIT
    + """
count() { timeout 10 corosync-qnetd-tool -l -v 2>/dev/null | grep -c 'TLS active:.*Yes'; }
before=$(count) || :
systemctl daemon-reload
systemctl restart -- "$1" || :
begin "$2"
until now=$(count) || :; [ "$now" -ge "$before" ] && systemctl is-active -q "$1"; do
    if late; then
        corosync-qnetd-tool -l -v 2>&1 || :
        rm -f "$3"; systemctl daemon-reload; systemctl restart -- "$1" || :
        echo "not all came back: it takes clients without TLS, as before"
        return 1
    fi
done
"""
)
# $1 folder, $2 mark.
FORGET = """
rm -rf "$1/nssdb" "$1/nssdb.new" "$1/nssdb.was" "$1/authority" "$2"
rmdir "$1" "${1%/*}" 2>/dev/null || :
"""
WAIT_S = 60


def _step(
    address: Address, phase: int, mark: Mark, summary: str, reason: str,
    actions: tuple[Action, ...], effect: Effect, risk: Risk = Risk.SAFE, limit: int = 60,
) -> Step:  # fmt: skip
    return Step(
        address=address, phase=phase, mark=mark, summary=summary, reason=reason, actions=actions,
        effect=effect, risk=risk, limit=limit,
    )  # fmt: skip


def _at(host: str, subject: str) -> Address:
    return Address(host=host, layer="cluster", subject=subject)


def _new(name: str, now: int) -> Certificate:
    return Certificate(name=name, fingerprint="made by this plan", ends=now + VALIDITY_S)


def make_authority(host: str, goal: Goal, reason: str, phase: int) -> Step:
    """Make the witness's authority and qnetd's certificate anew; qnetd is stopped for it."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, WitnessFacts)
        units = {**now.units, QNETD_UNIT: replace(now.units.get(QNETD_UNIT, STOPPED),
                                                  active="inactive")}  # fmt: skip
        made = replace(
            now, units=units, authority=_new(AUTHORITY, now.now), tls="", clients=(),
            certificate=_new("Qnetd Server", now.now),
        )  # fmt: skip
        return facts.with_(host, made)

    args = (QNETD_UNIT, goal.cluster.name, WITNESS_DATABASE, SERVER)
    return _step(
        _at(host, "authority"), phase, Mark.CREATE,
        "make the authority and the certificate of the witness's link", reason,
        (Script(text=MAKE_AUTHORITY, args=args),), effect, Risk.DISRUPTIVE, limit=120,
    )  # fmt: skip


def _unchanged(facts: Facts) -> Facts:
    return facts


def hand_out(host: str, phase: int) -> Step:
    """Read the authority for the storage servers."""
    return _step(
        _at(host, "authority-copy"), phase, Mark.START, "hand out the authority of the link",
        "a storage server is to get a certificate",
        (Script(text=HAND_OUT, args=(WITNESS_DATABASE, AUTHORITY)),), _unchanged,
    )  # fmt: skip


def certify(host: str, witness: str, goal: Goal, reason: str, phase: int) -> Iterator[Step]:
    """Give a storage server a key and a certificate, in three steps on two hosts."""
    cluster = goal.cluster.name
    request, signed = _at(host, "request"), _at(witness, f"certificate-of-{host}")
    yield _step(
        request, phase, Mark.CREATE, "make a key for the link to the witness", reason,
        (Script(text=REQUEST, args=(STORAGE_FOLDER, cluster,
                                    Carried(source=_at(witness, "authority-copy")))),),
        _unchanged,
    )  # fmt: skip
    yield _step(
        signed, phase + 1, Mark.CREATE, f"sign the certificate of {host}", reason,
        (Script(text=SIGN, args=(WITNESS_DATABASE, cluster, Carried(source=request))),),
        _unchanged,
    )  # fmt: skip
    args = (STORAGE_FOLDER, Carried(source=signed), CLIENT, QDEVICE_UNIT, OUTDATED, str(WAIT_S))
    yield _step(
        _at(host, "certificate"), phase + 2, Mark.CREATE,
        "take the certificate for the link to the witness", reason,
        (Script(text=INSTALL, args=args),), _certified(host, witness, cluster), limit=90,
    )  # fmt: skip


def _certified(host: str, witness: str, cluster: str) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, ClusterFacts)
        link = replace(
            now.link, database=True, authority=facts.of(witness, WitnessFacts).authority,
            certificate=_new(cluster, now.link.now), outdated=bool(now.link.tls),
        )  # fmt: skip
        return facts.with_(host, replace(now, link=link))

    return effect


def renew(host: str, goal: Goal, reason: str, phase: int) -> Step:
    """Start the quorum device of one server anew, while the vote of the other lasts."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, ClusterFacts)
        link = replace(now.link, tls=REQUIRED, encrypted=True, outdated=False)
        return facts.with_(host, replace(now, link=link, device_votes=True))

    args = (QDEVICE_UNIT, str(len(goal.cluster.storage)), str(WAIT_S), OUTDATED)
    return _step(
        _at(host, "link"), phase, Mark.CHANGE, "connect to the witness anew, with TLS", reason,
        (Script(text=RENEW, args=args),), effect, Risk.DISRUPTIVE, limit=180,
    )  # fmt: skip


def require(host: str, reason: str, phase: int) -> Step:
    """Make the witness take clients with TLS only."""
    wanted = requiring_file()

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, WitnessFacts)
        files = {**now.files, wanted.path: as_read(wanted)}
        units = {**now.units, QNETD_UNIT: replace(now.units.get(QNETD_UNIT, STOPPED),
                                                  active="active")}  # fmt: skip
        return facts.with_(host, replace(now, files=files, units=units, tls=REQUIRED))

    write = WriteFile(path=wanted.path, content=wanted.content, mode=wanted.mode)
    actions = (Script(text=NOBODY_PLAIN), write,
               Script(text=REQUIRE, args=(QNETD_UNIT, str(WAIT_S), wanted.path)))  # fmt: skip
    return _step(
        _at(host, "encryption"), phase, Mark.CHANGE, "make corosync-qnetd require TLS", reason,
        actions, effect, Risk.DISRUPTIVE, limit=120,
    )  # fmt: skip


def forget(host: str) -> Step:
    """Remove a storage server's key and certificate."""

    def effect(facts: Facts) -> Facts:
        now = facts.of(host, ClusterFacts)
        link = replace(now.link, database=False, authority=None, certificate=None, outdated=False)
        return facts.with_(host, replace(now, link=link))

    return _step(
        _at(host, "certificate"), 2, Mark.REMOVE, f"remove {STORAGE_DATABASE}",
        "the cluster is being taken down",
        (Script(text=FORGET, args=(STORAGE_FOLDER, OUTDATED)),), effect,
    )  # fmt: skip
