"""The forms of names and values, once, for the rules and for editors' JSON schema.

All are ASCII only and meant for ``re.fullmatch``: ``$`` alone would let a final
newline through, and ``\\d`` would take the digits of other scripts.
"""

from __future__ import annotations

import re

CLUSTER = r"[a-z][a-z0-9]{0,15}"
"""o2cb takes up to 16 alphanumeric characters, ocfs2.cluster.conf(5)."""

VOLUME = r"[a-z][a-z0-9-]{0,15}"
HOST = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""A label of RFC 1123, lower case because it becomes part of an IQN."""

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOSTNAME = rf"{_LABEL}(\.{_LABEL})*"

_NAMING_AUTHORITY = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
IQN = rf"iqn\.[0-9]{{4}}-(0[1-9]|1[0-2])\.{_NAMING_AUTHORITY}"

_SSH_USER = r"[A-Za-z0-9_][A-Za-z0-9._+@-]*@"
_SSH_NAME = r"[A-Za-z0-9_][A-Za-z0-9._+-]*"
_IPV6 = r"[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f.]*){2,8}"
_SSH_HOST = rf"(\[{_IPV6}\]|{_SSH_NAME})"
SSH = rf"(({_SSH_USER})?({_SSH_NAME}|{_IPV6})|ssh://({_SSH_USER})?{_SSH_HOST}(:[0-9]{{1,5}})?/?)"
"""What ssh(1) takes as destination, without the characters that a shell would read:
ssh hands user and host to the shell of ProxyCommand and ``Match exec``."""

DEVICE = r"/dev/[A-Za-z0-9._:+@/-]+"
MOUNT = r"/[A-Za-z0-9._:+@/-]+"
LABEL = r"[A-Za-z0-9][A-Za-z0-9._:+@-]*"
SERIAL = r"[0-9a-f]{32}"
AGENT = r"fence_[a-z0-9_]{1,40}"
PARAMETER = r"[a-z][a-z0-9_]{0,63}"
PARAMETER_VALUE = r"(?!.*\.\.)[A-Za-z0-9/_][A-Za-z0-9/_.:,+=@-]{0,254}"
"""Means the same in XML, in a shell and on the agent's standard input."""


def matches(pattern: str, text: str) -> bool:
    """Tell whether all of ``text`` has the form ``pattern``."""
    return re.fullmatch(pattern, text) is not None


def anchored(pattern: str) -> str:
    """Give ``pattern`` as JSON schema wants it."""
    return f"^{pattern}$"
