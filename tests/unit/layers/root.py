"""A host's files in a folder, for running scripts of ours without a host."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sanglier.core.action import Script
from sanglier.core.shell import render

PLACES = "etc|sys|proc|var"
ROOTS_PATH = "/usr/sbin:/sbin"
"""What a user's path lacks, and root's on a host has."""


@dataclass(frozen=True)
class Root:
    """A host's files in a folder, and tools of ours before the real ones."""

    place: Path
    places: str = PLACES
    """Top folders that are taken from there, as a regular expression."""

    def put(self, path: str, text: str = "") -> None:
        file = self.place / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def tool(self, name: str, text: str) -> None:
        self.put(f"bin/{name}", f"#!/bin/sh\n{text}\n")
        (self.place / "bin" / name).chmod(0o755)

    def rooted(self, text: str) -> str:
        """Give text with its paths led into the folder."""
        return re.sub(rf"(?<![\w.}}*-])/(?=(?:{self.places})/)", f"{self.place}/", text)

    def run(self, text: str, *args: str) -> tuple[int, str]:
        """Run a script under ``set -e``, as the far side does."""
        script = "set -e\n" + render(Script(text=self.rooted(text), args=args), reveal=True)
        return self.shell(script)

    def shell(self, script: str) -> tuple[int, str]:
        """Give the exit status of a shell, and what it printed."""
        done = subprocess.run(
            ["sh"], input=script, capture_output=True, text=True, check=False,
            env={"PATH": f"{self.place / 'bin'}:{os.environ['PATH']}:{ROOTS_PATH}"}, timeout=30,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr
