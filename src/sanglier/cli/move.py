"""``sanglier move``: open the other side of a volume."""

from __future__ import annotations

from typing import Annotated

import typer

from sanglier.cli.changing import under_lock
from sanglier.cli.options import ClusterFile, SecretsFile, SshConfig
from sanglier.cli.setting import open_setting
from sanglier.run.change import Changer, pick


def move(
    file: ClusterFile,
    volume: Annotated[str, typer.Argument(metavar="VOLUME", help="Name of the volume.")],
    to: Annotated[str, typer.Option("--to", metavar="HOST", help="Storage server to open on.")],
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Shut the open side of a volume, drain it, and open the side of another storage server.

    Exit status: 0 moved or there already, 2 no such volume or server, 3 refused
    because that server could not carry it, 4 a host is out of reach.
    """
    setting = open_setting(file, allow=(), ssh_config=ssh_config, secrets=secrets)
    cluster = setting.goal.cluster
    pick([v.name for v in cluster.volumes], volume, "volume")
    pick([s.name for s in cluster.storage], to, "storage server")

    async def act(changer: Changer) -> str:
        wanted = next(v for v in changer.goal.cluster.volumes if v.name == volume)
        server = next(s for s in changer.goal.cluster.storage if s.name == to)
        moved = await changer.move(await changer.read(), wanted, server)
        return "is open now on" if moved else "was open already on"

    words, seconds = under_lock(setting, "move", act)
    typer.echo(f"{volume} {words} {to} ({seconds:.1f} s in all)")
