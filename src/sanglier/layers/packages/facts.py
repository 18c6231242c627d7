"""What is installed, and what the kernel can load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagesFacts:
    """Packages and kernel modules of one host."""

    installed: frozenset[str]
    modules: frozenset[str]
    """Needed modules that this kernel has, built in or loadable."""
    sources: bool
    """Whether apt has any package source, sources.list(5)."""
    kernel: str
    """Release of the running kernel, e.g. ``6.1.0-37-amd64``."""
