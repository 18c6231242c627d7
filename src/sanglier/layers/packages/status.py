"""One line per host."""

from __future__ import annotations

from sanglier.core.facts import Facts
from sanglier.core.layer import StatusLine
from sanglier.layers.base import Goal
from sanglier.layers.packages.desired import modules_of, packages_of
from sanglier.layers.packages.facts import PackagesFacts


def _line(goal: Goal, host: str, now: PackagesFacts) -> StatusLine:
    wanted = packages_of(goal.cluster, host, now.release.packages)
    missing = [p for p in wanted if p not in now.installed]
    missing += [f"module {m}" for m in modules_of(goal.cluster, host) if m not in now.modules]
    text = "missing: " + ", ".join(missing) if missing else f"all installed, kernel {now.kernel}"
    if not now.release.proven:
        text = f"{now.release.name or 'unknown system'}, not proven; {text}"
    healthy = now.release.proven and not missing
    return StatusLine(host=host, layer="packages", subject="apt", healthy=healthy, text=text)


def status(goal: Goal, facts: Facts) -> tuple[StatusLine, ...]:
    """Tell what is missing."""
    return tuple(
        _line(goal, host.name, facts.of(host.name, PackagesFacts))
        for host in goal.cluster.hosts
        if facts.has(host.name, PackagesFacts)
    )
