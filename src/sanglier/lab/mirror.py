"""The small package mirror from which a bare host installs the stack.

A flat repository (apt's ``deb URI ./``): the .deb files that a full image has
and a bare one lacks, and a Packages index.  It is served inside the lab's
namespace only.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from sanglier.lab.command import run
from sanglier.lab.recipe import MIRROR_PORT
from sanglier.lab.topology import GATEWAY

DATE = "Thu, 01 Jan 1970 00:00:00 UTC"
"""apt wants one; it says nothing here."""


def stanza(control: str, *, filename: str, size: int, sha256: str) -> str:
    """Render one entry of a Packages index: the control fields, then where the file is."""
    return f"{control.strip()}\nFilename: ./{filename}\nSize: {size}\nSHA256: {sha256}\n"


def write_index(directory: Path) -> None:
    """Write ``Packages`` over the .deb files of ``directory``."""
    entries = []
    for file in sorted(directory.glob("*.deb")):
        data = file.read_bytes()
        entries.append(
            stanza(
                run(("dpkg-deb", "--field", str(file))).stdout,
                filename=file.name,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
        )
    index = "\n".join(entries)
    (directory / "Packages").write_text(index)
    (directory / "Release").write_text(release(index))


def release(index: str) -> str:
    """Render a Release file: it tells apt which forms of the index exist, so that it asks once."""
    data = index.encode()
    digest = hashlib.sha256(data).hexdigest()
    return f"Suite: lab\nDate: {DATE}\nSHA256:\n {digest} {len(data)} Packages\n"


def serve_argv(directory: Path) -> tuple[str, ...]:
    """Command that serves the mirror on the lab's own management address."""
    return (
        sys.executable, "-I", "-m", "http.server", str(MIRROR_PORT), "--bind", GATEWAY,
        "--directory", str(directory),
    )  # fmt: skip
