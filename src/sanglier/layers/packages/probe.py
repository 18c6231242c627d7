"""Ask dpkg, the kernel's module lists and os-release; no fork per package or module."""

from __future__ import annotations

from collections.abc import Iterable

from sanglier.core.action import Script
from sanglier.core.probe import Output, Outputs, Probe
from sanglier.layers.base import Goal
from sanglier.layers.packages.desired import modules_of, packages_of
from sanglier.layers.packages.facts import PROVEN, PackagesFacts, Release

INSTALLED = "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' -- \"$@\" 2>/dev/null; :"
MODULES = """
read -r release < /proc/sys/kernel/osrelease
printf 'kernel %s\\n' "$release"
grep -shoE "^([^: ]*/)?$1" "/lib/modules/$release/modules.dep" \\
    "/lib/modules/$release/modules.builtin"
:
"""
RELEASE_KEYS = ("ID", "VERSION_ID", "PRETTY_NAME")
OS_RELEASE = "/etc/os-release /usr/lib/os-release"
"""In the order of os-release(5); where both are, the first is a link to the second."""
SOURCES = (
    f"grep -rshE '^(deb |Types:.*deb|({'|'.join(RELEASE_KEYS)})=)' {OS_RELEASE} "
    "/etc/apt/sources.list /etc/apt/sources.list.d; :"
)
"""The release and what it is fed from, in one process."""


def probes(goal: Goal, host: str) -> tuple[Probe, ...]:
    """Packages by each release's names, modules, release and apt's sources."""
    named = (packages_of(goal.cluster, host, release) for release in reversed(PROVEN))
    wanted = tuple(dict.fromkeys(package for names in named for package in names))
    if not wanted:
        return ()
    names = "|".join(m.replace("_", "[_-]") for m in modules_of(goal.cluster, host)) or "none"
    return (
        Probe(name="installed", script=Script(text=INSTALLED, args=wanted), plain=True),
        Probe(name="modules", script=Script(text=MODULES, args=(f"({names})[.]ko",)), plain=True),
        Probe(name="sources", script=Script(text=SOURCES), plain=True),
    )


def _installed(output: Output) -> frozenset[str]:
    pairs = (line.split() for line in output.lines)
    return frozenset(pair[0] for pair in pairs if len(pair) == 2 and pair[1] == "installed")


def _release(lines: Iterable[str]) -> Release:
    """Read the lines of os-release; values are quoted as in a shell."""
    pairs = [line.partition("=") for line in lines]
    found = {key: value.strip().strip("\"'") for key, _, value in reversed(pairs)}
    system, version, title = (found.get(key, "") for key in RELEASE_KEYS)
    return Release(system=system, version=version, title=title)


def _is_of_release(line: str) -> bool:
    return line.partition("=")[0] in RELEASE_KEYS


def _module_name(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".ko", maxsplit=1)[0].replace("-", "_")


def parse(goal: Goal, host: str, outputs: Outputs) -> PackagesFacts:
    """Build the facts; a host without apt or dpkg has nothing installed."""
    lines = outputs["modules"].lines
    told = outputs["sources"].lines
    kernel = next((line[7:] for line in lines if line.startswith("kernel ")), "")
    return PackagesFacts(
        release=_release(line for line in told if _is_of_release(line)),
        installed=_installed(outputs["installed"]),
        modules=frozenset(_module_name(line) for line in lines if ".ko" in line),
        sources=any(not _is_of_release(line) for line in told),
        kernel=kernel,
    )
