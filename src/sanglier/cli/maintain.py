"""``sanglier maintain``: empty a storage server for work, and take it back."""

from __future__ import annotations

from typing import Annotated

import typer

from sanglier.cli.changing import under_lock
from sanglier.cli.options import ClusterFile, SecretsFile, SshConfig
from sanglier.cli.setting import open_setting
from sanglier.run.change import Changer, pick
from sanglier.spec.cluster import StorageServer

Done = Annotated[
    bool, typer.Option("--done", help="The work is over: take the server back, after resync.")
]


def maintain(
    file: ClusterFile,
    host: Annotated[str, typer.Argument(metavar="HOST", help="Name of the storage server.")],
    done: Done = False,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Empty a storage server: sides move, targets end, its mirror is taken down in order.

    It stays empty over reboots until ``--done``, which waits for the resync and moves back
    the volumes that prefer it.  Exit status as for ``move``.
    """
    setting = open_setting(file, allow=(), ssh_config=ssh_config, secrets=secrets)
    cluster = setting.goal.cluster
    pick([s.name for s in cluster.storage], host, "storage server")

    def server(changer: Changer) -> StorageServer:
        return next(s for s in changer.goal.cluster.storage if s.name == host)

    async def begin(changer: Changer) -> str:
        await changer.empty(await changer.read(), server(changer))
        return (
            f"{host} is empty: work on it, reboot it, switch it off.  Until it is back, the other "
            f"server is the only copy.  Then: sanglier maintain {file} {host} --done"
        )

    async def end(changer: Changer) -> str:
        await changer.read()
        await changer.fill(server(changer))
        moved = await changer.home(server(changer))
        told = f"; open on it again: {', '.join(moved)}" if moved else ""
        return f"{host} is back and up to date{told}"

    words, seconds = under_lock(setting, "maintain", end if done else begin)
    typer.echo(f"{words}  ({seconds:.1f} s)")
