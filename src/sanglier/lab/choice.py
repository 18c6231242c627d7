"""Which back ends there are."""

from __future__ import annotations

from sanglier.lab import qemu, uml
from sanglier.lab.backend import Backend
from sanglier.lab.errors import refuse

BACKENDS = {backend.name: backend for backend in (uml.BACKEND, qemu.BACKEND)}


def with_volatile() -> str:
    """Name those whose data disks can lose their cache."""
    return " or ".join(name for name, backend in BACKENDS.items() if backend.volatile)


def choose(name: str) -> Backend:
    """Find a back end; SG-LAB-039 if there is none of that name."""
    found = BACKENDS.get(name)
    if found is None:
        raise refuse(
            39,
            "lab",
            f"there is no back end called {name!r}",
            fix=f"--driver {' or '.join(BACKENDS)}",
        )
    return found
