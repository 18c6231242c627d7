"""Whether a lab can be on this machine: `./test` asks before it begins, and so does pytest."""

from __future__ import annotations

import sys

from sanglier.core.errors import SanglierError
from sanglier.lab import life


def lack() -> str:
    """Say what keeps a lab from being here; empty if nothing does."""
    try:
        life.check()
    except SanglierError as refused:
        return f"the lab's tests cannot run here; `./test unit` can\n{refused}"
    return ""


if __name__ == "__main__":
    sys.exit(lack() or None)
