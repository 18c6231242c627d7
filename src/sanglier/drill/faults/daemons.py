"""Daemons, agents and handlers that are killed, or stopped and let go on later (SIGSTOP, SIGCONT).

A process that is stopped looks alive to everybody who asks whether it is there.
"""

from __future__ import annotations

from dataclasses import dataclass

from sanglier.drill.faults.base import Deed, Fault, Took, every, in_turn, runs, shows
from sanglier.drill.faults.networks import cut_mirror, heal_mirror, replication_gone
from sanglier.drill.scene import Role, Scene
from sanglier.layers.drbd.desired import HANDLER
from sanglier.spec.cluster import Host

# $1 daemon, $2 signal.  All of that name, but for a child that has ended meanwhile.
TAKE = """
taken=
for pid in $(pidof "$1"); do
    if kill -"$2" "$pid" 2>/dev/null; then taken="$taken $pid"; fi
done
[ -n "$taken" ] || { echo "$1 does not run"; return 1; }
echo "$taken" > "/run/sanglier-drill-$1"
"""
OTHER = """
old=$(cat "/run/sanglier-drill-$1") && [ -n "$old" ] || return 2
rm -f "/run/sanglier-drill-$1"
for pid in $old; do if [ -e "/proc/$pid/exe" ]; then echo "$pid lives"; return 1; fi; done
"""
# The third word of /proc/PID/stat, proc(5): T is stopped.
STOPPED = """
old=$(cat "/run/sanglier-drill-$1") && [ -n "$old" ] || return 2
for pid in $old; do
    { read -r line < "/proc/$pid/stat"; } 2>/dev/null || { echo "$pid is gone"; return 1; }
    line=${line##*) }
    [ "${line%% *}" = T ] || { echo "$pid goes on"; return 1; }
done
"""
GO_ON = """
[ -e "/run/sanglier-drill-$1" ] || return 0
for pid in $(cat "/run/sanglier-drill-$1"); do kill -CONT "$pid" 2>/dev/null || :; done
rm -f "/run/sanglier-drill-$1"
"""
# $1 unit.  systemd brings some of them back by itself.
AGAIN = 'systemctl is-active -q "$1" || systemctl start "$1"'
# $1 how its command line ends, $2 signal, $3 most seconds, $4 name.  A look each 20 ms: an agent
# lives for a tenth of a second.  Of a shell and its own copies the first one is meant.  Ends with
# 1 when none came.
CATCH = r"""
perl -e '
    my ($words, $signal, $seconds) = (@ARGV);
    $words .= " ";
    sub first { open(my $file, "<", $_[0]) or return ""; <$file> // "" }
    for (1 .. $seconds * 50) {
        my %found;
        for my $pid (map { /([0-9]+)$/ } glob "/proc/[0-9]*") {
            next if substr(first("/proc/$pid/cmdline") =~ tr/\0/ /r, -length $words) ne $words;
            $found{$pid} = (split / /, first("/proc/$pid/stat") =~ s/.*\) //r)[1];
        }
        for my $pid (grep { !$found{$found{$_} // 0} } keys %found) {
            kill($signal, $pid) or next;
            print "$pid\n";
            exit 0;
        }
        select(undef, undef, undef, 0.02);
    }
    exit 1;
' "$1" "$2" "$3" > "/run/sanglier-drill-$4" || { echo "no $1 was seen"; return 1; }
"""
WAIT_S = 40
"""Until an agent or a handler that is due has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """How a process is taken out, and by which script one sees it."""

    signal: str
    evidence: str


KILLED = _How(signal="KILL", evidence=OTHER)
HALTED = _How(signal="STOP", evidence=STOPPED)


def _catch(words: str, how: _How, name: str) -> Deed:
    """Take out the one that is due, under a name of ours for it."""
    return runs(CATCH, words, how.signal, str(WAIT_S), name, limit=WAIT_S + 20)


def _daemon(
    name: str, role: Role, how: _How, daemon: str, unit: str, explains: str, *, hold_s: float = 6,
    fenced: bool = False,
) -> Fault:  # fmt: skip
    return Fault(
        name=name, role=role, hold_s=hold_s, explains=explains,
        inject=runs(TAKE, daemon, how.signal), took=shows(how.evidence, daemon),
        heal=in_turn(runs(GO_ON, daemon), runs(AGAIN, unit, limit=60)),
        prediction="daemon-killed", fences=frozenset({role}) if fenced else frozenset(),
    )  # fmt: skip


MONITOR = "/ocf/resource.d/sanglier/side monitor"
"""How the command line of the agent ends that looks at a side, in Pacemaker's executor."""
AGENT, CALLED = "agent", "handler"


def _agent(name: str, how: _How, explains: str) -> Fault:
    """Take out the monitor of the open side in the middle of its work."""
    return Fault(
        name=name, role=Role.OPEN, hold_s=20, explains=explains,
        inject=_catch(MONITOR, how, AGENT), took=shows(how.evidence, AGENT),
        heal=runs(GO_ON, AGENT), prediction="planned-move", alone=True,
    )  # fmt: skip


def _handler(name: str, how: _How, explains: str) -> Fault:
    """Cut the mirror, and take out the handler that DRBD then calls.

    Either server may die of it, and one only: the standby side need not hold its fire for ever.
    """
    taken = shows(how.evidence, CALLED)

    async def seen(scene: Scene, host: Host) -> Took:
        return every((await replication_gone(scene, host), await taken(scene, host)))

    return Fault(
        name=name, role=Role.OPEN, hold_s=25, needs_power=True, explains=explains,
        inject=in_turn(cut_mirror, _catch(f"sh {HANDLER}", how, CALLED)), took=seen,
        heal=in_turn(heal_mirror, runs(GO_ON, CALLED)), prediction="",
        fences=frozenset({Role.OPEN, Role.STANDBY}), alone=True,
    )  # fmt: skip


FAULTS = (
    _daemon(
        "iscsid-killed", Role.APPLICATION, KILLED, "iscsid", "iscsid.service",
        "the iSCSI daemon of an application server is killed",
    ),
    _daemon(
        "iscsid-stopped", Role.APPLICATION, HALTED, "iscsid", "iscsid.service",
        "the iSCSI daemon of an application server is stopped for a while, and looks alive",
        hold_s=20,
    ),
    _daemon(
        "multipathd-killed", Role.APPLICATION, KILLED, "multipathd", "multipathd.service",
        "the multipath daemon of an application server is killed",
    ),
    _daemon(
        "multipathd-stopped", Role.APPLICATION, HALTED, "multipathd", "multipathd.service",
        "the multipath daemon of an application server is stopped for a while, and looks alive",
        hold_s=20,
    ),
    _daemon(
        "corosync-killed", Role.OPEN, KILLED, "corosync", "corosync.service",
        "Corosync is killed on the open server: the other one must not open before it is dead",
        fenced=True, hold_s=20,
    ),
    _daemon(
        "corosync-stopped", Role.OPEN, HALTED, "corosync", "corosync.service",
        "Corosync is stopped on the open server and goes on later: the other one must not open "
        "before it is dead", fenced=True, hold_s=20,
    ),
    _daemon(
        "corosync-stopped-5", Role.OPEN, HALTED, "corosync", "corosync.service",
        "Corosync is stopped on the open server for about as long as the others wait for it",
        fenced=True, hold_s=5,
    ),
    _daemon(
        "pacemakerd-killed", Role.OPEN, KILLED, "pacemakerd", "pacemaker.service",
        "Pacemaker's master process is killed on the open server; systemd starts it again",
        fenced=True, hold_s=25,
    ),
    _daemon(
        "controller-killed", Role.OPEN, KILLED, "pacemaker-controld", "pacemaker.service",
        "Pacemaker's controller is killed on the open server", fenced=True,
    ),
    _daemon(
        "controller-stopped", Role.OPEN, HALTED, "pacemaker-controld", "pacemaker.service",
        "Pacemaker's controller is stopped on the open server for a while", fenced=True,
        hold_s=20,
    ),
    _daemon(
        "executor-killed", Role.OPEN, KILLED, "pacemaker-execd", "pacemaker.service",
        "Pacemaker's executor, which runs the agents, is killed on the open server", fenced=True,
    ),
    _daemon(
        "executor-stopped", Role.OPEN, HALTED, "pacemaker-execd", "pacemaker.service",
        "Pacemaker's executor, which runs the agents, is stopped on the open server for a while",
        fenced=True, hold_s=20,
    ),
    _daemon(
        "fencer-killed", Role.OPEN, KILLED, "pacemaker-fenced", "pacemaker.service",
        "Pacemaker's fencer is killed on the open server; nobody may die of it",
    ),
    _daemon(
        "standby-fencer-stopped", Role.STANDBY, HALTED, "pacemaker-fenced", "pacemaker.service",
        "Pacemaker's fencer is stopped on the standby server for a while: it can kill nobody",
        hold_s=20,
    ),
    _agent(
        "agent-killed", KILLED,
        "the agent that looks at the open side is killed in the middle of it",
    ),
    _agent(
        "agent-stopped", HALTED,
        "the agent that looks at the open side is stopped in the middle of it and never ends",
    ),
    _handler(
        "handler-killed", KILLED,
        "the replication link is cut, and DRBD's handler on the open server is killed while it "
        "works: the side must not stay frozen for ever",
    ),
    _handler(
        "handler-stopped", HALTED,
        "the replication link is cut, and DRBD's handler on the open server is stopped until the "
        "link is back",
    ),
)  # fmt: skip
