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
from sanglier.cli.lab import Driver
from sanglier.cli.setting import Setting, open_setting
from sanglier.drill.article import FinalTest
from sanglier.lab import life, rootless
from sanglier.lab.choice import choose
from sanglier.lab.control import Lab
from sanglier.lab.place import place
from sanglier.lab.record import Wish

DRILLS = ("replication-cut", "open-killed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One showing."""

    lab: Lab
    file: Path
    console: Console

    @property
    def secrets(self) -> Path:
        """Secrets file of the lab, with its power switches' passwords; it goes with the lab."""
        return Path(self.lab.secrets)

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
        verb = words[:2] if words[0] == "drill" else words[:1]
        typed = (*verb, str(self.file), *words[len(verb) :])
        self.console.print(f"$ sanglier {' '.join(typed)}", style="cyan")
        options = ("--ssh-config", self.lab.ssh_config, "--secrets", str(self.secrets))
        argv = (sys.executable, "-m", "sanglier.cli.main", *typed, *options)
        return subprocess.run(argv, check=False).returncode

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

    def drills(self) -> bool:
        """Cut the mirror, then kill the open server, under a load that counts every write."""
        self.title("Break it under load: cut the replication link, then kill the open server")
        return self.verb("drill", "run", *DRILLS, "--lab", self.lab.place.name, "--quick") == OK

    def healed(self) -> bool:
        """Show that the cluster came back by itself."""
        self.title("It came back by itself: the state of every layer, and nothing left to apply")
        return self.verb("status") == OK and self.verb("apply", "--yes") == OK

    def _say(self, subject: str, what: str) -> None:
        self.console.print(f"  {subject:<8} {what}", style="dim")


@contextmanager
def _lab(name: str, wish: Wish, console: Console, keep: bool) -> Iterator[Lab]:
    def say(subject: str, what: str) -> None:
        console.print(f"  {subject:<8} {what}", style="dim")

    place(name)  # refused here, it would hide below why nothing came up
    life.check(wish.driver)
    console.print("== Boot five servers with real kernels on this machine", style="bold")
    done = False
    try:
        yield life.up(name, wish, say)
        done = True
    finally:
        if not (keep and done):
            life.down(name, say)
            rootless.end_if_idle()


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
    driver: Annotated[str | None, Driver] = None,
) -> None:
    """Boot a lab, build the cluster, cut its mirror and kill its open server, count what was kept.

    Exit status: 0 everything shown came true, 1 something did not.
    """
    console, began = make_console(), time.monotonic()
    wish = Wish(driver=choose(driver).name if driver else None)
    with _lab(name, wish, console, keep) as lab:
        show = Demo(lab=lab, file=file, console=console)
        good = show.build() and asyncio.run(show.final_test()) and show.drills() and show.healed()
        if keep:
            _how_to_go_on(show, name)
    minutes, seconds = divmod(int(time.monotonic() - began), 60)
    verdict = "Everything came true" if good else "SOMETHING DID NOT COME TRUE (see above)"
    console.print(f"\n{verdict}, in {minutes} min {seconds} s.", style="bold")
    raise typer.Exit(OK if good else FAILED)
