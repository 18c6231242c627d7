"""Each single move of open-iscsi, with its commands and its predicted effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sanglier.core.action import Action, Run, Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.files import WantedFile, as_read, write_step
from sanglier.layers.initiator.desired import (
    BOOT_PATH,
    CONF_PATH,
    DAEMON,
    LOGIN,
    RECOVERY,
    UDEV_PATH,
    record_settings,
    session_timeouts,
)
from sanglier.layers.initiator.facts import InitiatorFacts, Portal, Session
from sanglier.layers.services import RUNNING, Unit
from sanglier.spec.cluster import ApplicationServer, StorageServer

# A socket cannot be started while its service runs; sessions survive a moment without iscsid.
START = """
systemctl stop iscsid.service
systemctl start iscsid.socket
systemctl start iscsid.service
"""
# $@: addresses of one storage server; the first portal that answers is enough.
DISCOVER = """
for address in "$@"; do
    if iscsiadm -m discovery -t sendtargets -p "$address" -o new -o update; then return 0; fi
done
echo "no portal of this storage server answers a discovery"
return 1
"""
# $1 target, $2 portal.  15 is iscsiadm's "session exists", iscsiadm(8).  A new boot of this server
# may get its LUN some seconds later.
LOGIN_PORTAL = f"""
iscsiadm -m node -T "$1" -p "$2" --login || [ $? -eq 15 ]
if [ -e {BOOT_PATH} ]; then /bin/sh {BOOT_PATH} luns; fi
"""
# $1 target, $2 portal.  The live session keeps the password with which it was made, even over a
# restart of iscsid.  The next portal waits until this path works again.
LOGIN_AGAIN = """
ready() { multipathd show paths raw format '%T' 2>/dev/null | grep -cE '^(ready|ghost)'; }
before=$(ready) || :
iscsiadm -m node -T "$1" -p "$2" --logout || [ $? -eq 21 ]
iscsiadm -m node -T "$1" -p "$2" --login || [ $? -eq 15 ]
tries=100
while [ "$tries" -gt 0 ]; do
    after=$(ready) || :
    if [ "$after" -ge "$before" ]; then return 0; fi
    sleep 0.2; tries=$((tries - 1))
done
echo "only ${after:-0} of $before paths work again after 20 s; the other sessions are left alone"
return 1
"""
# $1 target.  21 is "no records or sessions found".
FORGET = """
iscsiadm -m node -T "$1" --logout || [ $? -eq 21 ]
iscsiadm -m node -T "$1" -o delete || [ $? -eq 21 ]
"""
# $1 seconds, $2... disks.  One whose session was made anew meanwhile may bear another name; the
# udev rule has set that one.
TIMEOUT = """
seconds=$1; shift
for disk in "$@"; do
    file=/sys/block/$disk/device/timeout
    [ ! -e "$file" ] || echo "$seconds" > "$file"
done
"""
# $1 seconds, $2... sessions.  multipathd writes the same from its fast_io_fail_tmo.
RECOVER = """
seconds=$1; shift
for session in "$@"; do echo "$seconds" > "/sys/class/iscsi_session/$session/recovery_tmo"; done
"""
RELOADS: Mapping[str, tuple[Run, ...]] = {
    UDEV_PATH: (Run(argv=("udevadm", "control", "--reload")),),
}
"""What makes a file count, by its path."""


def _change(host: str, alter: Callable[[InitiatorFacts], InitiatorFacts]) -> Effect:
    def effect(facts: Facts) -> Facts:
        return facts.with_(host, alter(facts.of(host, InitiatorFacts)))

    return effect


def _step(
    host: str, subject: str, phase: int, mark: Mark, summary: str, reason: str,
    action: Action, alter: Callable[[InitiatorFacts], InitiatorFacts], risk: Risk = Risk.SAFE,
) -> Step:  # fmt: skip
    return Step(
        address=Address(host=host, layer="initiator", subject=subject),
        phase=phase,
        mark=mark,
        summary=summary,
        reason=reason,
        actions=(action,),
        effect=_change(host, alter),
        risk=risk,
        limit=120,
    )


def write(server: ApplicationServer, wanted: WantedFile, now: InitiatorFacts) -> Step:
    """Write one of the files."""
    subject = wanted.path.rsplit("/", 1)[-1]

    def written(facts: InitiatorFacts) -> InitiatorFacts:
        stale = frozenset(facts.records) if wanted.path == CONF_PATH else facts.stale_passwords
        files = {**facts.files, wanted.path: as_read(wanted)}
        return replace(facts, files=files, stale_passwords=stale)

    return write_step(
        Address(host=server.name, layer="initiator", subject=subject),
        wanted,
        now.files,
        _change(server.name, written),
        phase=0,
        then=RELOADS.get(wanted.path, ()),
    )


def _units(names: tuple[str, ...], state: Unit) -> Callable[[InitiatorFacts], InitiatorFacts]:
    return lambda facts: replace(facts, units={**facts.units, **dict.fromkeys(names, state)})


def start(server: ApplicationServer) -> Step:
    """Start the daemon; discovery and login need it."""
    return _step(
        server.name, "iscsid", 1, Mark.START, "start iscsid", "it does not run",
        Script(text=START), _units((DAEMON,), RUNNING),
    )  # fmt: skip


def restart(server: ApplicationServer, *, sessions: bool) -> Step:
    """Restart the daemon, which reads its own name once; it logs all sessions in again."""
    return _step(
        server.name, "iscsid", 3, Mark.CHANGE, "restart iscsid" if sessions else "start iscsid",
        "it is to bear another name", Script(text=START), _units((DAEMON,), RUNNING),
        Risk.DISRUPTIVE if sessions else Risk.SAFE,
    )  # fmt: skip


def enable(server: ApplicationServer, units: tuple[str, ...]) -> Step:
    """Have the login happen at boot."""
    return _step(
        server.name, "boot", 1, Mark.CHANGE, "log in at boot", ", ".join(units) + " not enabled",
        Run(argv=("systemctl", "enable", "-q", *units)),
        lambda f: replace(
            f, units={**f.units, **{u: replace(f.units.get(u, Unit()), enabled="enabled")
                                    for u in units}}
        ),
    )  # fmt: skip


def start_login(server: ApplicationServer) -> Step:
    """Tell systemd that the sessions are its own."""
    return _step(
        server.name, "login", 5, Mark.START, "hand the sessions to systemd",
        f"{LOGIN} is not active", Run(argv=("systemctl", "start", LOGIN)),
        lambda f: replace(
            f, units={**f.units, LOGIN: replace(f.units.get(LOGIN, Unit()), active="active")}
        ),
    )  # fmt: skip


def discover(
    goal: Goal, server: ApplicationServer, storage: StorageServer,
    portals: tuple[Portal, ...], known: Mapping[Portal, object],
) -> Step:  # fmt: skip
    """Ask a storage server for its targets and record them with the settings of iscsid.conf."""
    fresh = {portal: record_settings(goal.cluster.timings) for portal in portals}
    lacking = any(portal not in known for portal in portals)
    return _step(
        server.name, f"discovery-{storage.name}", 2, Mark.CREATE if lacking else Mark.CHANGE,
        f"discover the targets of {storage.name}",
        "not known yet" if lacking else "the recorded settings are not those of iscsid.conf",
        Script(text=DISCOVER, args=storage.san),
        lambda f: replace(
            f,
            records={**f.records, **fresh},
            stale_passwords=f.stale_passwords - frozenset(portals),
        ),
    )  # fmt: skip


def _session(goal: Goal, server: ApplicationServer, portal: Portal) -> Session:
    return Session(
        portal=portal,
        state="LOGGED_IN",
        initiator=goal.cluster.initiator_iqn(server),
        password_digest=goal.secrets.chap[server.name].digest(),
        timeouts=session_timeouts(goal.cluster.timings),
    )


def login(goal: Goal, server: ApplicationServer, portal: Portal) -> Step:
    """Log in over one portal."""
    session = _session(goal, server, portal)
    return _step(
        server.name, portal.address, 4, Mark.START,
        f"log in to {portal.target} at {portal.address}", "no session",
        Script(text=LOGIN_PORTAL, args=(portal.target, portal.address)),
        lambda f: replace(f, sessions=(*f.sessions, session)),
    )  # fmt: skip


def login_again(goal: Goal, server: ApplicationServer, portal: Portal, reason: str) -> Step:
    """Log out of one portal and in again; the other paths carry the I/O meanwhile."""
    session = _session(goal, server, portal)

    def alter(facts: InitiatorFacts) -> InitiatorFacts:
        others = tuple(s for s in facts.sessions if s.portal != portal)
        return replace(facts, sessions=(*others, session))

    return _step(
        server.name, portal.address, 4, Mark.CHANGE,
        f"log in anew to {portal.target} at {portal.address}",
        reason,
        Script(text=LOGIN_AGAIN, args=(portal.target, portal.address)), alter, Risk.DISRUPTIVE,
    )  # fmt: skip


def set_recovery(goal: Goal, server: ApplicationServer, wrong: Mapping[str, int]) -> Step:
    """Set the recovery timeout of live sessions, by their names in the kernel."""
    seconds = goal.cluster.timings.recovery_s

    def mended(session: Session) -> Session:
        if session.name not in wrong:
            return session
        return replace(session, timeouts={**session.timeouts, RECOVERY: seconds})

    return _step(
        server.name, "sessions", 5, Mark.CHANGE,
        f"set the recovery timeout of {', '.join(wrong)}",
        f"{RECOVERY} is {', '.join(str(now) for now in wrong.values())}, not {seconds}",
        Script(text=RECOVER, args=(str(seconds), *wrong)),
        lambda f: replace(f, sessions=tuple(mended(session) for session in f.sessions)),
    )  # fmt: skip


def set_timeouts(goal: Goal, server: ApplicationServer, wrong: Mapping[str, int]) -> Step:
    """Set the SCSI command timeout of disks that came before the udev rule."""
    seconds = goal.cluster.timings.sd_timeout_s
    disks = tuple(sorted(wrong))
    return _step(
        server.name, "disks", 5, Mark.CHANGE, f"set the SCSI timeout of {', '.join(disks)}",
        f"it is not {seconds} s", Script(text=TIMEOUT, args=(str(seconds), *disks)),
        lambda f: replace(f, disk_timeouts=dict.fromkeys(f.disk_timeouts, seconds)),
    )  # fmt: skip


def forget(server: ApplicationServer, target: str, reason: str, *, phase: int) -> Step:
    """Log out of a target and delete its records."""

    def alter(facts: InitiatorFacts) -> InitiatorFacts:
        return replace(
            facts,
            records={p: r for p, r in facts.records.items() if p.target != target},
            sessions=tuple(s for s in facts.sessions if s.portal.target != target),
        )

    return _step(
        server.name, target.rsplit(":", 1)[-1], phase, Mark.REMOVE,
        f"log out of {target} and forget it", reason,
        Script(text=FORGET, args=(target,)), alter, Risk.DISRUPTIVE,
    )  # fmt: skip
