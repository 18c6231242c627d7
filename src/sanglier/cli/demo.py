"""``sanglier demo``: the main job, shown in a lab from nothing to a survived failure."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from sanglier.cli.console import make_console
from sanglier.cli.exits import FAILED, OK
from sanglier.cli.setting import Setting, open_setting
from sanglier.drill.article import FinalTest
from sanglier.drill.history import History
from sanglier.drill.recorder import Load, Writer
from sanglier.drill.result import Verdict
from sanglier.drill.workloads.appends import AppendCheck, Appends, compare_all
from sanglier.drill.workloads.base import Reading
from sanglier.lab import control
from sanglier.lab.control import Lab
from sanglier.lab.record import Wish

BEFORE_S, AFTER_S = 6.0, 6.0
"""How long the load runs before the failure, and after it goes on again."""
PATIENCE_S = 120.0
"""How long to wait for the load to go on before giving up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One showing."""

    lab: Lab
    file: Path
    console: Console

    @property
    def secrets(self) -> Path:
        """Secrets file, beside the lab's ssh_config: it goes when the lab goes."""
        return Path(self.lab.ssh_config).with_name("demo.secrets")

    def open(self) -> Setting:
        """Open the cluster's file."""
        return open_setting(
            self.file, allow=(), ssh_config=Path(self.lab.ssh_config), secrets=self.secrets
        )

    def title(self, text: str) -> None:
        """Begin a chapter."""
        self.console.print(f"\n== {text}", style="bold")

    def judge(self, good: bool, sentence: str) -> None:
        """Print a sentence with its sign."""
        sign = ("✓ ", "green") if good else ("✗ ", "bold red")
        self.console.print(Text.assemble("  ", sign, sentence))

    def verb(self, *words: str) -> int:
        """Run a verb of ours as a user would, and show how it is typed."""
        shown = " ".join(("sanglier", *words[:1], str(self.file), *words[1:]))
        self.console.print(f"$ {shown}", style="cyan")
        options = ("--ssh-config", self.lab.ssh_config, "--secrets", str(self.secrets))
        argv = (sys.executable, "-m", "sanglier.cli.main", words[0], str(self.file), *words[1:])
        return subprocess.run((*argv, *options), check=False).returncode

    def build(self) -> bool:
        """Bare hosts to a mounted filesystem, and a second time nothing."""
        self.title("One file, one command: from hosts with nothing configured to a mount on both")
        if self.verb("apply", "--yes") != OK:
            return False
        self.title("A second apply changes nothing")
        return self.verb("apply", "--yes") == OK

    async def final_test(self) -> bool:
        """The article's final test."""
        self.title("The article's final test")
        setting = self.open()
        first, second = setting.goal.cluster.applications[:2]
        volume = setting.goal.cluster.volumes[0]
        async with setting.transport() as transport:
            test = FinalTest(transport=transport, first=first, second=second, volume=volume)
            proofs = await test.run()
        for proof in proofs:
            self.judge(proof.holds, f"{proof.sentence}  ({proof.evidence})")
        return all(proof.holds for proof in proofs)

    async def failure(self) -> bool:
        """Kill the preferred storage server under load, and look for every acknowledged write."""
        setting = self.open()
        volume = setting.goal.cluster.volumes[0]
        victim = volume.prefer
        self.title(f"Kill {victim}, which serves all I/O, while both servers write and fsync")
        async with setting.transport() as transport:
            load = Load(
                transport=transport,
                directory=f"{volume.mount}/demo",
                workloads=(Appends(rate_hz=0),),
            )
            servers = setting.goal.cluster.applications
            await load.prepare(servers[0])
            for server in servers:
                await load.start(server)
            await asyncio.sleep(BEFORE_S)
            killed_s = time.monotonic()
            await asyncio.to_thread(self.lab.kill, victim)
            self.console.print(f"  {victim} is dead (SIGKILL of its kernel); waiting for the load")
            went_on = await _until_all_go_on(load.writers, killed_s)
            await asyncio.sleep(AFTER_S if went_on else 0)
            histories = await load.stop(30)
            checks = await self._checks(load, setting, histories)
        return self._tell(histories, killed_s, checks) and went_on

    async def _checks(
        self, load: Load, setting: Setting, histories: tuple[History, ...]
    ) -> tuple[AppendCheck, ...]:
        readings: list[Reading] = []
        for reader in setting.goal.cluster.applications:
            await load.drop_caches(reader)
            readings += await load.read(reader)
        return compare_all(histories, readings)

    def _tell(
        self, histories: tuple[History, ...], killed_s: float, checks: tuple[AppendCheck, ...]
    ) -> bool:
        for history in histories:
            stall = history.stall_s(killed_s - 1)
            self.console.print(
                f"  {history.writer}: {len(history.acks)} writes acknowledged "
                f"({history.rate():.0f}/s), longest stall {stall:.1f} s {history.end}"
            )
        for check in checks:
            self.judge(check.verdict is Verdict.VALID, _sentence(check))
        total = sum(len(history.numbers) for history in histories)
        lost = sum(len(check.lost) for check in checks if check.reader == checks[0].reader)
        self.console.print(f"  {total} acknowledged, {lost} lost", style="bold")
        return all(check.verdict is Verdict.VALID for check in checks)

    def recovery(self) -> bool:
        """Show the wreck, take the server back, show that all is well."""
        victim = self.open().goal.cluster.volumes[0].prefer
        self.title("What status says while one storage server is dead")
        self.verb("status")
        self.title(f"{victim} comes back; apply mends just what is missing")
        self.lab.start(victim, self._say)
        if self.verb("apply", "--yes") != OK:
            return False
        self.title("The state of every layer, from mount to disk")
        return self.verb("status") == OK

    def _say(self, subject: str, what: str) -> None:
        self.console.print(f"  {subject:<8} {what}", style="dim")


def _sentence(check: AppendCheck) -> str:
    told = f"{check.writer}'s file read on {check.reader}: {check.acknowledged} acknowledged, "
    told += f"{check.present} there, {len(check.lost)} lost"
    if check.duplicated or check.torn or check.disordered:
        told += f"; {len(check.duplicated)} twice, {len(check.torn)} torn"
        told += ", out of order" if check.disordered else ""
    return told


async def _until_all_go_on(writers: list[Writer], since_s: float) -> bool:
    """Wait until every writer has had an acknowledgement well after the failure."""
    before = [len(writer.acks) for writer in writers]
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        await asyncio.sleep(0.5)
        if all(
            len(acks) > count + 100 and acks[-1].at_s > since_s + 2
            for acks, count in zip((w.acks for w in writers), before, strict=True)
        ):
            return True
    return False


@contextmanager
def _lab(name: str, console: Console, keep: bool) -> Iterator[Lab]:
    def say(subject: str, what: str) -> None:
        console.print(f"  {subject:<8} {what}", style="dim")

    console.print("== Boot five servers with real kernels on this machine", style="bold")
    done = False
    try:
        yield control.up(name, Wish(), say)
        done = True
    finally:
        if not (keep and done):
            control.down(name, say)


def _how_to_go_on(demo: Demo, name: str) -> None:
    demo.title("The lab is kept; go on with")
    options = f"--ssh-config {demo.lab.ssh_config} --secrets {demo.secrets}"
    for line in (
        f"sanglier status {demo.file} {options}",
        f"sanglier lab ssh srv-a --name {name}",
        f"sanglier lab kill disk-b --name {name}",
        f"sanglier lab down --name {name}",
    ):
        demo.console.print(f"  {line}", soft_wrap=True)


def demo(
    file: Annotated[Path, typer.Argument(help="The lab's cluster file.")],
    name: Annotated[str, typer.Option(help="Name of the lab to boot.")] = "demo",
    keep: Annotated[bool, typer.Option(help="Leave the lab up at the end.")] = False,
) -> None:
    """Boot a lab, build the cluster, break a storage server under load, count what was kept.

    Exit status: 0 everything shown came true, 1 something did not.
    """
    console, began = make_console(), time.monotonic()
    with _lab(name, console, keep) as lab:
        show = Demo(lab=lab, file=file, console=console)
        good = (
            show.build()
            and asyncio.run(show.final_test())
            and asyncio.run(show.failure())
            and show.recovery()
        )
        if keep:
            _how_to_go_on(show, name)
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    verdict = "Everything came true" if good else "SOMETHING DID NOT COME TRUE (see above)"
    console.print(f"\n{verdict}, in {minutes} min {seconds} s.", style="bold")
    raise typer.Exit(OK if good else FAILED)
