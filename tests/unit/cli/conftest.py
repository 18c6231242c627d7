"""A false ssh that runs everything in folders, and the command line as a process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from run.toy_stack import TEXT

from .warm import Warm

FALSE_SSH = r"""#!/bin/sh
# ssh [options] -- DESTINATION COMMAND: a shell in a folder instead of a host.
while [ $# -gt 0 ]; do
    case $1 in --) shift; break;; -O) exit 0;; esac
    shift
done
hosts=$FALSE_HOSTS
if [ -e "$hosts/$1.down" ]; then
    echo "ssh: connect to host $1 port 22: Connection refused" >&2
    exit 255
fi
echo 'Welcome!'
mkdir -p "$hosts/$1" && cd "$hosts/$1" || exit 255
sed -u "s#/run/sanglier#$PWD/run#g" | sh -s
"""


@dataclass(frozen=True)
class Site:
    """A cluster file, its false hosts, and the command line."""

    place: Path
    warm: Warm

    @property
    def file(self) -> Path:
        return self.place / "site.yaml"

    @property
    def secrets(self) -> Path:
        return self.place / "site.secrets"

    @property
    def hosts(self) -> Path:
        return self.place / "hosts"

    def things(self, host: str) -> set[str]:
        return {path.name for path in (self.hosts / host / "things").glob("*")}

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": f"{self.place / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.place / "home"),
            "SANGLIER_STATE": str(self.place / "state"),
            "FALSE_HOSTS": str(self.hosts),
            "TERM": "dumb",
            **more,
        }

    def start(
        self,
        *words: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        **more: str,
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("driver.py")), *words],
            env=self.environment(**more),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.warm.run(words, self.environment(**more))

    def apply(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.run("apply", str(self.file), "--yes", *words, **more)

    def wait_for(self, true: Callable[[], bool], limit: float = 20.0) -> None:
        deadline = time.monotonic() + limit
        while not true():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.02)

    def slow_step_runs(self) -> bool:
        journals = (path.read_text() for path in (self.place / "state").rglob("*.jsonl"))
        return any(
            '"StepStarted"' in line and "make slow" in line
            for text in journals
            for line in text.splitlines()
        )


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.end()


@pytest.fixture
def site(tmp_path: Path, warm: Warm) -> Site:
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "hosts").mkdir()
    ssh = tmp_path / "bin" / "ssh"
    ssh.write_text(FALSE_SSH)
    ssh.chmod(0o755)
    found = Site(tmp_path, warm)
    found.file.write_text(TEXT)
    return found
