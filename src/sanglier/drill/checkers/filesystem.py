"""``fsck.ocfs2 -fn``: its findings, not its exit status.

Asked to change nothing, it exits with 0 and says "All passes succeeded." whatever it found; only
the findings themselves, each with a code in brackets, fsck.ocfs2.checks(8), tell.
"""

from __future__ import annotations

import re

from sanglier.drill.result import Check, Verdict

FINDING = re.compile(r"^\[[A-Z0-9_]+\] .*", re.MULTILINE)
DAMAGE = "Bad magic number"
"""A block that should be the filesystem's is something else; fsck gives up."""
DONE = "All passes succeeded."
JOURNAL = "Skipping journal replay because -n was given"
"""A journal was left dirty: what fsck then sees is not what a mount would see."""
_DETAILS = 30


def findings(text: str) -> tuple[str, ...]:
    """Give what fsck found to be wrong."""
    bad = (line for line in text.splitlines() if DAMAGE in line)
    return (*FINDING.findall(text), *bad)


def check_filesystem(volume: str, status: int | None, text: str) -> Check:
    """Judge one run; ``status`` is ``None`` when it could not be run."""
    found = findings(text)
    if JOURNAL in text:
        verdict, summary = Verdict.UNKNOWN, "a journal is dirty: mount and unmount it, check again"
    elif found:
        verdict, summary = Verdict.INVALID, f"{len(found)} findings, first: {found[0]}"
    elif status != 0 or DONE not in text:
        last = (text.strip().splitlines() or ["nothing"])[-1]
        verdict, summary = Verdict.UNKNOWN, f"fsck did not finish (status {status}): {last}"
    else:
        verdict, summary = Verdict.VALID, "fsck.ocfs2 -fn finds nothing"
    return Check(
        name="fsck",
        subject=volume,
        verdict=verdict,
        summary=summary,
        details=found[:_DETAILS],
        numbers={"findings": len(found)},
    )
