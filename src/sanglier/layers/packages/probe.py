"""Ask dpkg and the kernel's module lists; no fork per package or module."""

from __future__ import annotations

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers.base import Goal
from sanglier.layers.packages.desired import modules_of, packages_of
from sanglier.layers.packages.facts import PackagesFacts

INSTALLED = "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' -- \"$@\" 2>/dev/null; :"
MODULES = """
read -r release < /proc/sys/kernel/osrelease
printf 'kernel %s\\n' "$release"
grep -shoE "^([^: ]*/)?$1" "/lib/modules/$release/modules.dep" \\
    "/lib/modules/$release/modules.builtin"
:
"""
SOURCES = "grep -rshE '^(deb |Types:.*deb)' /etc/apt/sources.list /etc/apt/sources.list.d; :"


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Packages, modules and apt sources of a host that has a role."""
    wanted = packages_of(goal.cluster, host)
    if not wanted:
        return ()
    names = "|".join(m.replace("_", "[_-]") for m in modules_of(goal.cluster, host)) or "none"
    return (
        Probe(name="installed", script=Script(text=INSTALLED, args=wanted), plain=True),
        Probe(name="modules", script=Script(text=MODULES, args=(f"({names})[.]ko",))),
        Probe(name="sources", script=Script(text=SOURCES), plain=True),
    )


def _installed(output: Output) -> frozenset[str]:
    pairs = (line.split() for line in output.lines)
    return frozenset(pair[0] for pair in pairs if len(pair) == 2 and pair[1] == "installed")


def _module_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko", maxsplit=1)[0].replace("-", "_")


def parse(goal: Goal, host: str, outputs: Outputs) -> PackagesFacts:
    """Build the facts; a host without apt or dpkg has nothing installed."""
    lines = outputs["modules"].lines
    kernel = next((line[7:] for line in lines if line.startswith("kernel ")), "")
    return PackagesFacts(
        installed=_installed(outputs["installed"]),
        modules=frozenset(_module_name(line) for line in lines if ".ko" in line),
        sources=bool(outputs["sources"].lines),
        kernel=kernel,
    )
