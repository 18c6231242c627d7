"""Turn ssh's exit status and words into one clear error with a code.

ssh(1) exits with 255 for every failure of its own; only its words, which have
been stable for many releases, tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.run.channel import Ending, explain_plain, said
from sanglier.run.codes import Code
from sanglier.run.far_side import NO_SUDO, SUDO_ASKS

_OWN_FAILURE = 255


def explain_ssh(ending: Ending, config: Path | None = None) -> SanglierError:
    """Classify an ending; ``config`` is the ``ssh -F`` file, for the commands to type."""
    ssh = f"ssh -F {config} {ending.host.ssh}" if config else f"ssh {ending.host.ssh}"
    if NO_SUDO in ending.noise or SUDO_ASKS in ending.noise:
        return _no_root(ending, ssh)
    if ending.status == _OWN_FAILURE and ending.began:
        return _lost(ending, ssh)
    if ending.status is None or ending.status == _OWN_FAILURE:
        return _not_connected(ending, ssh)
    return explain_plain(ending)


def _not_connected(ending: Ending, ssh: str) -> SanglierError:
    for words, explain in _SIGNS:
        if re.search(words, ending.errors):
            return explain(ending, ssh)
    return _unreachable(ending, ssh)


def _error(ending: Ending, code: Code, what: str, why: str, fix: str) -> SanglierError:
    return SanglierError(code=code, subject=ending.host.name, what=what, why=why, fix=fix)


def _last_words(ending: Ending) -> str:
    lines = [line.strip() for line in ending.errors.splitlines() if line.strip()]
    return lines[-1] if lines else "ssh said nothing"


def _unreachable(ending: Ending, ssh: str) -> SanglierError:
    what = "ssh does not get through to the host"
    if ending.status is None:
        what = "the host takes the connection but no shell comes up"
    return _error(
        ending,
        Code.UNREACHABLE,
        what,
        _last_words(ending),
        f"is it on, is its address right, does sshd run there?  try: {ssh} true",
    )


def _key_unknown(ending: Ending, ssh: str) -> SanglierError:
    return _error(
        ending,
        Code.HOST_KEY_UNKNOWN,
        "its host key is not known here",
        "keys are always checked, and nobody has vouched for this one yet",
        "compare the fingerprint on its console "
        f"(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then accept it once: {ssh} true",
    )


def _key_changed(ending: Ending, ssh: str) -> SanglierError:
    found = re.search(r'ssh-keygen -f "?([^"\n]+)"? -R "?([^"\n]+)"?', ending.errors)
    offending = re.search(r"Offending \S+ key in (\S+?):(\d+)", ending.errors)
    line = f'ssh-keygen -f "{found[1]}" -R "{found[2]}"' if found else "ssh-keygen -R HOST"
    where = f" (the known key: {offending[1]} line {offending[2]})" if offending else ""
    return _error(
        ending,
        Code.HOST_KEY_CHANGED,
        "ITS HOST KEY HAS CHANGED; nothing was sent to it",
        "the host was installed anew, or another machine has its address, or someone listens in"
        + where,
        "find out which: compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` typed on "
        f"its own console; only when it is the same, forget the old key: {line}",
    )


def _not_admitted(ending: Ending, ssh: str) -> SanglierError:
    return _error(
        ending,
        Code.NOT_ADMITTED,
        "the host lets us in with none of our keys (it may ask for a password)",
        _last_words(ending),
        f"make `{ssh} true` work without a question: ssh-copy-id, an agent, or IdentityFile in the "
        "ssh_config",
    )


def _bad_client(ending: Ending, ssh: str) -> SanglierError:
    return _error(
        ending,
        Code.CLIENT,
        "the ssh client refuses its configuration",
        _last_words(ending),
        f"mend the ssh_config until `{ssh} true` works",
    )


def _no_root(ending: Ending, ssh: str) -> SanglierError:
    asks = SUDO_ASKS in ending.noise
    return _error(
        ending,
        Code.NO_ROOT,
        "logged in, but not as root and without a sudo that works",
        "sudo asks this user for a password" if asks else "sudo is not installed there",
        "log in as root (`ssh: root@…`), or let the user: "
        "echo 'USER ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/sanglier"
        if asks
        else "log in as root (`ssh: root@…`), or install sudo there and let the user use it",
    )


def _lost(ending: Ending, ssh: str) -> SanglierError:
    return _error(
        ending,
        Code.CONNECTION_LOST,
        "the connection was lost while a command ran there",
        "the host stopped answering (a crash, a reboot, a cut network), or its sshd ended the "
        f"session; {said(ending)}",
        "see to the host and its network, then run the same command again: it goes on from there",
    )


_SIGNS: tuple[tuple[str, Callable[[Ending, str], SanglierError]], ...] = (
    (r"REMOTE HOST IDENTIFICATION HAS CHANGED", _key_changed),
    (r"host key is known for .* strict checking|Host key verification failed", _key_unknown),
    (r"Permission denied \(|Too many authentication failures|No supported authent", _not_admitted),
    (r"[Bb]ad configuration option|Can't open user config|Bad owner or perm", _bad_client),
)
"""Most telling first."""
