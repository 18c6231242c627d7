"""What is installed, and what the kernel can load."""

from __future__ import annotations

from dataclasses import dataclass

PROVEN = ("13", "12")
"""Releases of Debian on which the stack was proven, by their VERSION_ID."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a host's system calls itself, os-release(5); an empty string for what it leaves out."""

    system: str
    """ID, e.g. ``debian``."""
    version: str
    """VERSION_ID, e.g. ``12``; Debian's testing has none."""
    title: str
    """PRETTY_NAME, for people."""

    @property
    def proven(self) -> bool:
        """Whether the stack was proven on it."""
        return self.system == "debian" and self.version in PROVEN

    @property
    def packages(self) -> str:
        """The release by whose names packages are asked for: the first one for an unknown one."""
        return self.version if self.proven else PROVEN[0]

    @property
    def name(self) -> str:
        """The best name there is; empty when the host does not tell."""
        return self.title or f"{self.system} {self.version}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesFacts:
    """Packages and kernel modules of one host."""

    release: Release
    installed: frozenset[str]
    modules: frozenset[str]
    """Needed modules that this kernel has, built in or loadable."""
    sources: bool
    """Whether apt has any package source, sources.list(5)."""
    kernel: str
    """Release of the running kernel, e.g. ``6.1.0-37-amd64``."""
