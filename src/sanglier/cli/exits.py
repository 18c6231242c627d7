"""Exit statuses, stable: scripts may rely on them."""

from __future__ import annotations

from sanglier.run.codes import HOSTS_OUT_OF_REACH, REFUSALS, Code

OK = 0
FAILED = 1
BAD_INPUT = 2
"""A bad file or a bad command line."""
REFUSED = 3
"""Nothing was done, on purpose: a blocker, a missing consent, a lock, a no."""
OUT_OF_REACH = 4
"""A host cannot be worked on."""
INTERRUPTED = 130

_BAD_FILES = frozenset(
    {
        Code.SECRETS_EXPOSED,
        Code.SECRETS_MALFORMED,
        Code.FENCE_PASSWORD_MISSING,
        Code.NO_SUCH_THING,
    }
)


def exit_status(code: str) -> int:
    """Give the exit status for an error's code; 0 for none."""
    if not code:
        return OK
    if code.startswith("SG-MOVE"):
        return REFUSED
    if code.startswith("SG-SPEC") or code in _BAD_FILES:
        return BAD_INPUT
    if code in HOSTS_OUT_OF_REACH:
        return OUT_OF_REACH
    if code in REFUSALS:
        return REFUSED
    return INTERRUPTED if code == Code.INTERRUPTED else FAILED
