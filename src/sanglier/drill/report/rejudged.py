"""Judge a kept drill by today's rules, as far as what it kept allows.

Until 2026-11-26 a drill kept when sides were open, and not what was seen in between; who might be
fenced added up over it.  Of such a drill a change of the open side is proven by the fencing of the
other server, or by the drill's own taking of its power, in between; else it is UNKNOWN.  Drills
that kept how often a side opened are left as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sanglier.drill.faults import FAULTS
from sanglier.drill.faults.hosts import FAULTS as OF_HOSTS
from sanglier.drill.permits import SIDES
from sanglier.drill.result import Campaign, Check, DrillRun, Moment, MomentKind, OpenSpan, Verdict
from sanglier.drill.scene import Role
from sanglier.drill.schedule import ITEM

NEWER = "handovers"
"""A number that the check ``both-open`` gives since then."""
KILLS = frozenset(f.name for f in OF_HOSTS if "killed" in f.name or "cycled" in f.name) | {
    "blackout"
}
SLACK_S = 0.5
"""Between the drill's clock and that of the samples, in one lab."""


def rejudged(campaign: Campaign) -> Campaign:
    """Judge every drill of a campaign again."""
    return replace(campaign, runs=tuple(map(_run, campaign.runs)))


def _run(run: DrillRun) -> DrillRun:
    if any(NEWER in check.numbers for check in run.checks):
        return run
    return replace(run, checks=tuple(_check(run, check) for check in run.checks))


def _check(run: DrillRun, check: Check) -> Check:
    if check.verdict is not Verdict.VALID:
        return check
    if check.name == "both-open" and (unproven := list(_unproven(run))):
        what = f"not kept: {unproven[0]}"
        return replace(check, verdict=Verdict.UNKNOWN, summary=what, details=tuple(unproven))
    if check.name == "fences" and _known(run) and (wrong := list(_wrong(run))):
        return replace(check, verdict=Verdict.INVALID, summary=wrong[0], details=tuple(wrong))
    return check


def _unproven(run: DrillRun) -> Iterator[str]:
    """Tell where a side opened, and nothing that was kept says that the other was shut."""
    for volume in dict.fromkeys(span.volume for span in run.open_spans):
        spans = [span for span in run.open_spans if span.volume == volume]
        for before, after in itertools.pairwise(spans):
            if before.host != after.host and not _dead_between(run, before, after):
                yield (
                    f"{volume}: whether {before.host} was seen shut before {after.host} was open "
                    f"at {after.from_s:.1f} s"
                )


def _dead_between(run: DrillRun, before: OpenSpan, after: OpenSpan) -> bool:
    return any(
        before.to_s - SLACK_S <= moment.at_s <= after.from_s and _kills(moment, before.host)
        for moment in run.moments
    )


def _kills(moment: Moment, host: str) -> bool:
    if moment.kind is MomentKind.FENCED:
        return moment.host == host
    fault = FAULTS.get(moment.text) if moment.kind is MomentKind.FAULT else None
    if fault is None or fault.name not in KILLS:
        return False
    return moment.host == host or fault.role is Role.ALL


def _wrong(run: DrillRun) -> Iterator[str]:
    """Tell who was fenced whom no fault of that moment allowed.

    A group of faults lasts until the next one strikes: when the cluster was whole was not kept.
    """
    groups = list(_groups(run))
    for moment in run.moments:
        if moment.kind is not MomentKind.FENCED:
            continue
        struck = [one for one in groups if one and one[0].at_s <= moment.at_s + SLACK_S]
        if moment.host not in _fenceable(struck[-1] if struck else (), _storage(run)):
            yield f"fenced without reason: {moment.host} at {moment.at_s:.1f} s"


def _known(run: DrillRun) -> bool:
    """Whether all its faults are of today's catalogue, so that they say whom they allow."""
    items = (item for word in run.schedule for item in word.split("&"))
    found = [ITEM.fullmatch(item) for item in items]
    return all(match is not None and match["name"] in FAULTS for match in found)


def _groups(run: DrillRun) -> Iterator[Sequence[Moment]]:
    """Give the moments of each group of faults, in order of time."""
    found = (m for m in run.moments if m.kind is MomentKind.FAULT and m.text in FAULTS)
    faults = iter(sorted(found, key=lambda moment: moment.at_s))
    for word in run.schedule:
        yield list(itertools.islice(faults, word.count("&") + 1))


def _storage(run: DrillRun) -> frozenset[str]:
    return frozenset(span.host for span in run.open_spans) | {
        moment.host for moment in run.moments if moment.kind is MomentKind.FENCED
    }


def _fenceable(group: Iterable[Moment], storage: frozenset[str]) -> Iterator[str]:
    """Give who might be fenced; where it cannot be told which server had a part, either."""
    for moment in group:
        fault = FAULTS[moment.text]
        for role in fault.fences:
            if role is fault.role:
                yield moment.host
            elif {role, fault.role} == SIDES:
                yield from storage - {moment.host}
            else:
                yield from storage
