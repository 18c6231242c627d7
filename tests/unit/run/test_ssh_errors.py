"""Real words of OpenSSH 9.2, each with its one clear error."""

from __future__ import annotations

import pytest

from sanglier.run.channel import Ending
from sanglier.run.codes import Code
from sanglier.run.far_side import NO_SUDO, SUDO_ASKS
from sanglier.run.ssh_errors import explain_ssh
from sanglier.spec.cluster import Host

HOST = Host(name="disk-a", ssh="root@10.0.0.1", hostname="disk-a")
CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:0000000000000000000000000000000000000000000.
Please contact your system administrator.
Add correct host key in /home/u/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/u/.ssh/known_hosts:7
  remove with:
  ssh-keygen -f "/home/u/.ssh/known_hosts" -R "10.0.0.1"
Host key for 10.0.0.1 has changed and you have requested strict checking.
Host key verification failed.
"""
UNKNOWN = """\
No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.
Host key verification failed.
"""


def ending(
    errors: str = "", *, status: int | None = 255, began: bool = False, noise: str = ""
) -> Ending:
    return Ending(host=HOST, began=began, status=status, errors=errors, noise=noise, limit=60)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("ssh: connect to host 10.0.0.1 port 22: Connection refused", Code.UNREACHABLE),
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", Code.UNREACHABLE),
        ("ssh: connect to host 10.0.0.1 port 22: No route to host", Code.UNREACHABLE),
        ("ssh: Could not resolve hostname x: Name or service not known", Code.UNREACHABLE),
        ("Connection closed by UNKNOWN port 65535", Code.UNREACHABLE),
        (UNKNOWN, Code.HOST_KEY_UNKNOWN),
        (CHANGED, Code.HOST_KEY_CHANGED),
        ("root@10.0.0.1: Permission denied (publickey,password).", Code.NOT_ADMITTED),
        ("Received disconnect: 2: Too many authentication failures", Code.NOT_ADMITTED),
        ("/c: terminating, 1 bad configuration options", Code.CLIENT),
        ("Can't open user config file /c: No such file or directory", Code.CLIENT),
    ],
)
def test_ssh_words_have_a_code(words: str, code: Code) -> None:
    assert explain_ssh(ending(words)).code == code


def test_changed_host_key_gives_the_exact_line_to_forget_it() -> None:
    error = explain_ssh(ending(CHANGED))
    assert 'ssh-keygen -f "/home/u/.ssh/known_hosts" -R "10.0.0.1"' in error.fix
    assert "CHANGED" in error.what
    assert "/home/u/.ssh/known_hosts line 7" in error.why


@pytest.mark.parametrize("mark", [NO_SUDO, SUDO_ASKS])
def test_no_root_is_told_by_our_own_mark(mark: str) -> None:
    assert explain_ssh(ending(status=71, noise=f"\n{mark}\n")).code == Code.NO_ROOT


def test_break_in_the_middle_is_a_lost_connection() -> None:
    words = "Timeout, server 10.0.0.1 not responding."
    assert explain_ssh(ending(words, began=True)).code == Code.CONNECTION_LOST


def test_limit_of_the_far_side() -> None:
    assert explain_ssh(ending(began=True, status=124)).code == Code.TIME_LIMIT
    assert explain_ssh(ending(began=True, status=137)).code == Code.TIME_LIMIT


def test_hanging_login_is_unreachable() -> None:
    error = explain_ssh(ending(status=None))
    assert error.code == Code.UNREACHABLE
    assert "no shell comes up" in error.what


def test_every_error_says_what_why_and_what_to_do() -> None:
    for words in (UNKNOWN, CHANGED, "refused", "Permission denied (publickey)."):
        error = explain_ssh(ending(words))
        assert error.what
        assert error.why
        assert error.fix
