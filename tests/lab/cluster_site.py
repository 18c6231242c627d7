"""A cluster file of its own on the lab's hosts, and the verbs of the command line as processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sanglier.core.errors import SanglierError
from sanglier.lab.control import Lab

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "lab.yaml"
DISK = "/dev/mapper/disk"
WIPE = ("--allow", "wipe:disk-a/mapper/disk", "--allow", "wipe:disk-b/mapper/disk")
REUSE = ("--allow", "reuse:disk-a/mapper/disk", "--allow", "reuse:disk-b/mapper/disk")
DESTROY = ("--allow", "destroy:guiguiabloc")

IQN = "iqn.2009-02.fr.guiguiabloc:guiguiabloc"
TARGETS = "/sys/kernel/config/target"
DISK_BYTES = 512 << 20
"""Size of each data disk: what is copied, verified and checked whole in many tests."""

PATIENCE_S = 240.0
SEEN = """
uptime
timeout 20 crm_mon -1 -r -A -f
timeout 10 corosync-quorumtool -s
timeout 20 stonith_admin --history '*' --verbose
grep -A1 cs: /proc/drbd
journalctl -b --no-pager -n 60 -t sanglier-fence-peer -t pacemaker-controld -t pacemaker-fenced
"""


def side(volume: str, minor: int) -> str:
    """File on a storage server: 0 while its side of a volume is open, 2 in standby."""
    return f"{TARGETS}/core/iblock_{minor}/{volume}/alua/sanglier/alua_access_state"


SIDE = side("data", 0)


def tpg(host: str) -> str:
    """Directory of the target's portal group on a storage server."""
    return f"{TARGETS}/iscsi/{IQN}.data.{host}/tpgt_1"


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
    def secrets(self) -> Path:
        return self.directory / "lab.secrets"

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

    def run(self, verb: str, *words: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(verb, *words), capture_output=True, text=True, timeout=timeout,
            stdin=subprocess.DEVNULL, env=self.environment, check=False,
        )  # fmt: skip

    def start(self, verb: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(verb, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            stdin=subprocess.DEVNULL, env=self.environment,
        )  # fmt: skip

    def must(self, verb: str, *words: str, timeout: float = 600) -> str:
        """Run a verb, and insist that it went well."""
        done = self.run(verb, *words, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def refused(self, verb: str, *words: str, status: int = 3) -> str:
        """Run a verb, and insist that it ends with ``status``."""
        done = self.run(verb, *words)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def apply(self, *words: str) -> str:
        return self.must("apply", "--yes", *words)

    def plan(self, *words: str) -> dict[str, Any]:
        done = self.run("plan", "--json", *words)
        assert done.stdout.startswith("{"), done.stdout + done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def steps(self) -> list[str]:
        """What a plan would do, as ``host/layer/subject``."""
        return [step["address"] for step in self.plan()["steps"]]

    def on(self, host: str, script: str, timeout: float = 120) -> str:
        """Run a shell script as root on a host, and insist that it went well."""
        done = self.lab.run(host, "sh", "-ec", script, timeout=timeout)
        assert done.returncode == 0, f"{host}: {script}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def write(self, host: str, script: str) -> subprocess.Popen[str]:
        """Start a script whose lines are read while it runs."""
        argv = self.lab.ssh_argv(host, ("sh", "-c", script))
        return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def until(self, host: str, condition: str, seconds: float = PATIENCE_S) -> None:
        """Wait until a shell condition holds on a host, which may be booting meanwhile."""
        deadline = time.monotonic() + seconds
        while not self._holds(host, condition):
            if time.monotonic() > deadline:
                raise AssertionError(f"{host}: never came true: {condition}\n{self._seen()}")
            time.sleep(1)

    def _seen(self) -> str:
        """What the storage servers tell, for a failure that may not come again."""
        told = ""
        for host in ("disk-a", "disk-b"):
            try:
                done = self.lab.run(host, "sh", "-c", SEEN, timeout=60)
                told += f"{host}:\n{done.stdout}{done.stderr}"
            except (subprocess.TimeoutExpired, SanglierError) as error:
                told += f"{host}: {error}\n"
        return told

    def _holds(self, host: str, condition: str) -> bool:
        try:
            return self.lab.run(host, "sh", "-c", condition, timeout=15).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def open_on(self) -> str:
        """Tell the one storage server whose side is open, by what the targets themselves say."""
        read = f"cat {SIDE} 2>/dev/null || :"
        found = [host for host in ("disk-a", "disk-b") if self.on(host, read) == "0"]
        assert len(found) == 1, found
        return found[0]

    def assert_whole(self, seconds: float = PATIENCE_S) -> None:
        """Wait, touching nothing, until every layer is healthy and the plan is empty.

        On a busy machine the cluster's look at a power switch may take too long, and comes again
        only after two minutes; when that alone is lacking it is made to look again at once.
        """
        deadline = time.monotonic() + seconds
        while (done := self.run("status")).returncode != 0:
            assert time.monotonic() < deadline, done.stdout + done.stderr
            sick = [line for line in done.stdout.splitlines() if line.lstrip().startswith("✗")]
            if sick and all("DOES NOT ANSWER" in line for line in sick):
                self.on("disk-a", "crm_resource --cleanup >/dev/null 2>&1")
            time.sleep(2)
        for host in ("srv-a", "srv-b"):
            assert "/dev/mapper/sanglier-data on /data type ocfs2 (rw" in self.on(host, "mount")


def make_site(lab: Lab, directory: Path, example: Path = EXAMPLE) -> Site:
    """Put an example's file and the lab's secrets, those of its power switches, in a directory."""
    site = Site(lab=lab, directory=directory)
    shutil.copyfile(example, site.file)
    site.secrets.touch(mode=0o600)
    site.secrets.write_bytes(lab.secrets.read_bytes())
    return site


def cut(site: Site, steps: int, how: signal.Signals, verb: str, *words: str) -> bool:
    """Start a run, let ``steps`` steps begin, cut it; tell whether it was cut in time."""
    run = site.start(verb, "--yes", "--json-events", *words)
    assert run.stdout
    begun = 0
    for line in run.stdout:
        begun += "StepStarted" in line
        if begun >= steps:
            break
    run.send_signal(how)
    run.communicate(timeout=400)
    return begun >= steps
