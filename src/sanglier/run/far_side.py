"""The shell that runs on a host around everything that we send.  Constant text only.

The remote command becomes root and limits the time; the script itself comes
through standard input, so that nothing of it shows in any process list.
"""

from __future__ import annotations

from sanglier.run.frames import Marker

NO_SUDO = "@sanglier no-sudo@"
SUDO_ASKS = "@sanglier sudo-asks@"
LIMIT_STATUSES = frozenset({124, 137})
"""What timeout(1) exits with: 124 after SIGTERM, 128+9 after SIGKILL."""
BUSY_STATUS = 75
"""A batch or gathering could not get the step lock (EX_TEMPFAIL of sysexits.h)."""
LOCK_WAIT_S = 120
"""How long to wait for the steps of an earlier, killed run to end."""

_PRELUDE = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
    "LC_ALL=C\nexport PATH LC_ALL\nunset LANGUAGE CDPATH ENV\numask 022\n"
)


def remote_command(limit: int) -> str:
    """Give the command line for sshd: root, a limit of ``limit`` seconds, sh on stdin.

    ``exec sh -c '…'`` means the same in every login shell (also csh and fish).
    """
    shell = f"timeout -k 5 {limit:d} sh -s"
    return (
        "exec sh -c '"
        f"if [ -O /proc/1 ]; then exec {shell}; fi; "
        f'command -v sudo >/dev/null 2>&1 || {{ echo; echo "{NO_SUDO}"; exit 71; }}; '
        f'sudo -n true </dev/null >/dev/null 2>&1 || {{ echo; echo "{SUDO_ASKS}"; exit 72; }}; '
        f"exec sudo -n {shell}'"
    )


def envelope(marker: Marker, body: str) -> str:
    """Wrap ``body`` so that sh has read all of it before it runs the first word.

    One brace group is parsed whole (sh(1), POSIX 2.9.4); a script that is cut
    off in the middle by a dying connection does therefore nothing at all.
    """
    return (
        "{\n" + _PRELUDE + f"printf '\\n%s\\n' '{marker.word} begin all'\n"
        f"(\n{body}\n) 2>&1\n"
        f"printf '\\n%s\\n' \"{marker.word} end all $?\"\nexit 0\n}}\n"
    )


def step_lock(state_dir: str, *, shared: bool) -> str:
    """Take the lock that steps run under, in file descriptor 9; exit 75 when it stays taken.

    The steps of a run that was killed may go on until they write to their
    closed channel; the next run must not overlap with them.  flock(1).
    """
    how = "-s" if shared else "-x"
    return (
        f"mkdir -p {state_dir} && exec 9>>{state_dir}/step.lock "
        f"&& flock {how} -w {LOCK_WAIT_S} 9 || exit {BUSY_STATUS}"
    )
