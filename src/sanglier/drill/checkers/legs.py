"""The two legs of a mirror are the same, byte for byte, read below DRBD.

The digests are of the data area alone (internal metadata lies behind it and differs), taken while
nothing writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sanglier.drill.result import Check, Verdict


def check_legs(volume: str, digests: Mapping[str, str | None]) -> Check:
    """Judge the digests of both backing devices; ``None`` for one that could not be read."""
    unread = sorted(host for host, digest in digests.items() if not digest)
    if len(digests) != 2 or unread:
        verdict, summary = Verdict.UNKNOWN, f"not read: {', '.join(unread) or 'two legs'}"
    elif len(set(digests.values())) > 1:
        verdict, summary = Verdict.INVALID, f"{' and '.join(sorted(digests))} differ"
    else:
        verdict, summary = Verdict.VALID, f"{' and '.join(sorted(digests))} are identical"
    return Check(
        name="legs",
        subject=volume,
        verdict=verdict,
        summary=summary,
        details=tuple(f"{host}: {digest or 'not read'}" for host, digest in digests.items()),
    )


def in_use(volume: str, hosts: Sequence[str]) -> tuple[Check, ...]:
    """Say that nothing can be told of a volume that is still mounted: o2cb writes to it."""
    summary = f"still mounted on {', '.join(hosts)}: it changes while it is read"
    return tuple(
        Check(name=name, subject=volume, verdict=Verdict.UNKNOWN, summary=summary)
        for name in ("fsck", "legs")
    )
