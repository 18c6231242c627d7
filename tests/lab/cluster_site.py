"""A cluster file of its own on the lab's hosts, and the verbs of the command line as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sanglier.lab.control import Lab

EXAMPLE = Path(__file__).parents[2] / "examples" / "lab.yaml"
WIPE = ("--allow", "wipe:disk-a/ubdb", "--allow", "wipe:disk-b/ubdb")
REUSE = ("--allow", "reuse:disk-a/ubdb", "--allow", "reuse:disk-b/ubdb")
DESTROY = ("--allow", "destroy:guiguiabloc")


@dataclass(frozen=True, kw_only=True)
class Site:
    """What an administrator has: a file, a lab's ssh_config, and the command."""

    lab: Lab
    directory: Path
    ssh_config: Path = field(default=Path())

    @property
    def file(self) -> Path:
        return self.directory / "lab.yaml"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "SANGLIER_STATE": str(self.directory / "state"), "COLUMNS": "160"}

    def argv(self, verb: str, *words: str) -> list[str]:
        config = str(self.ssh_config or self.lab.ssh_config)
        if not self.ssh_config.is_file():
            config = self.lab.ssh_config
        options = () if verb == "log" else ("--ssh-config", config)
        return [
            sys.executable, "-m", "sanglier.cli.main", verb, str(self.file), *options, *words,
        ]  # fmt: skip

    def run(self, verb: str, *words: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(verb, *words), capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL, env=self.environment, check=False,
        )  # fmt: skip

    def start(self, verb: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(verb, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, env=self.environment,
        )  # fmt: skip

    def apply(self, *words: str) -> str:
        """Apply, and insist that it went well."""
        done = self.run("apply", "--yes", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def plan(self, *words: str) -> dict[str, Any]:
        done = self.run("plan", "--json", *words)
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def steps(self) -> list[str]:
        """What a plan would do, as ``host/layer/subject``."""
        return [step["address"] for step in self.plan()["steps"]]

    def on(self, host: str, script: str, timeout: float = 60) -> str:
        """Run a shell script as root on a host, and insist that it went well."""
        done = self.lab.run(host, "sh", "-ec", script, timeout=timeout)
        assert done.returncode == 0, f"{host}: {script}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def assert_converged(self) -> None:
        assert self.steps() == []
        for host in ("srv-a", "srv-b"):
            assert "/dev/mapper/sanglier-data on /data type ocfs2 (rw" in self.on(host, "mount")
