"""Install what is missing, and only that."""

from __future__ import annotations

from dataclasses import replace

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.facts import Facts
from sanglier.core.plan import Proposal
from sanglier.core.problem import Problem, Severity
from sanglier.core.step import Effect, Mark, Risk, Step
from sanglier.layers.base import Goal
from sanglier.layers.packages.desired import modules_of, packages_of
from sanglier.layers.packages.facts import PROVEN, PackagesFacts, Release

# Debian starts Corosync and Pacemaker with an example of a configuration as soon as they are there:
# a cluster of their own on every server.  Masked until the next boot, or until all is installed.
INSTALL = """
export DEBIAN_FRONTEND=noninteractive
install() {
    apt-get -qy -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confdef \\
        -o Dpkg::Options::=--force-confold --no-install-recommends install -- "$@"
}
engine() {
    systemctl --runtime -q "$1" pacemaker.service corosync-qdevice.service corosync.service \\
        2>/dev/null || :
}
case " $* " in *" corosync "*) trap 'engine unmask' EXIT; engine mask ;; esac
if ! apt-get -qq -s --no-install-recommends install -- "$@" >/dev/null 2>&1; then
    apt-get -q -o DPkg::Lock::Timeout=300 update
fi
install "$@"
"""


def _installed_effect(host: str, packages: tuple[str, ...]) -> Effect:
    def effect(facts: Facts) -> Facts:
        now = facts.of(host, PackagesFacts)
        return facts.with_(host, replace(now, installed=now.installed | set(packages)))

    return effect


def _install(host: str, missing: tuple[str, ...]) -> Step:
    return Step(
        address=Address(host=host, layer="packages", subject="apt"),
        phase=0,
        mark=Mark.CREATE,
        summary="install " + ", ".join(missing),
        reason="not installed",
        actions=(Script(text=INSTALL, args=missing),),
        effect=_installed_effect(host, missing),
        risk=Risk.SAFE,
        limit=900,
    )


def _no_source(host: str, missing: tuple[str, ...]) -> Problem:
    return Problem(
        code="SG-PKG-001",
        severity=Severity.BLOCKER,
        address=Address(host=host, layer="packages", subject="apt"),
        what="no package source is configured, and packages are missing: " + ", ".join(missing),
        why="/etc/apt/sources.list and /etc/apt/sources.list.d name no repository",
        fix="add Debian's repository (or your mirror) to apt's sources, or install them by hand",
    )


def _no_module(host: str, kernel: str, missing: tuple[str, ...]) -> Problem:
    return Problem(
        code="SG-PKG-002",
        severity=Severity.BLOCKER,
        address=Address(host=host, layer="packages", subject="kernel"),
        what=f"kernel {kernel or '(unknown)'} lacks the modules: " + ", ".join(missing),
        why="the stack runs on the kernel's own drivers; small 'cloud' kernels leave some out, "
        "and after a kernel upgrade without reboot /lib/modules no longer matches",
        fix="install linux-image-amd64 (not -cloud-) and reboot, then run again",
    )


def _not_proven(host: str, release: Release) -> Problem:
    return Problem(
        code="SG-PKG-003",
        severity=Severity.BLOCKER,
        address=Address(host=host, layer="packages", subject="release"),
        what=f"this is {release.name or 'an unknown system'}; "
        f"Debian {' or '.join(sorted(PROVEN))} is needed",
        why="by its /etc/os-release (os-release(5)); on other releases the same tools keep their "
        "files elsewhere and answer otherwise, and nothing here was proven on them",
        fix=f"install Debian {PROVEN[0]} on this host",
    )


def _one(goal: Goal, facts: Facts, host: str) -> Proposal:
    now = facts.of(host, PackagesFacts)
    if not now.release.proven:
        return Proposal(problems=(_not_proven(host, now.release),))
    missing = tuple(
        p for p in packages_of(goal.cluster, host, now.release.packages) if p not in now.installed
    )
    modules = tuple(m for m in modules_of(goal.cluster, host) if m not in now.modules)
    problems = (_no_module(host, now.kernel, modules),) if modules else ()
    if missing and not now.sources:
        return Proposal(problems=(*problems, _no_source(host, missing)))
    return Proposal(steps=(_install(host, missing),) if missing else (), problems=problems)


def propose(goal: Goal, facts: Facts) -> Proposal:
    """Propose one installation per host that lacks something; nothing on an unproven release."""
    proposal = Proposal()
    for host in goal.cluster.hosts:
        if facts.has(host.name, PackagesFacts):
            proposal += _one(goal, facts, host.name)
    return proposal
