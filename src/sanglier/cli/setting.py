"""What every verb that touches hosts needs: the cluster, its secrets, a transport."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sanglier.core.errors import SanglierError
from sanglier.layers.base import Goal, StackLayer
from sanglier.layers.stack import LAYERS
from sanglier.run.codes import Code
from sanglier.run.secrets import load_or_generate, secrets_path
from sanglier.run.sockets import kept
from sanglier.run.ssh import SshTransport
from sanglier.run.transport import Transport
from sanglier.spec.load import load

PERSIST = "SANGLIER_SSH_PERSIST"
PERSIST_S, MOST_PERSIST_S = 60, 86400


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A cluster file, opened."""

    goal: Goal
    layers: Sequence[StackLayer]
    secrets_file: Path
    secrets_missing: bool
    ssh_config: Path | None

    @asynccontextmanager
    async def transport(self) -> AsyncIterator[Transport]:
        """Reach the hosts; connections stay for a while, for the next verb."""
        transport = SshTransport(config=self.ssh_config, sockets=kept(_persist_s()))
        try:
            yield transport
        finally:
            await transport.close()


def _persist_s() -> int:
    """Seconds that connections outlive a verb; SG-SSH-… for what is no number of seconds."""
    text = os.environ.get(PERSIST, str(PERSIST_S))
    if not text.isascii() or not text.isdigit() or int(text) > MOST_PERSIST_S:
        raise SanglierError(
            code=Code.CLIENT,
            subject=f"${PERSIST}",
            what=f"{text!r} is no number of seconds from 0 to {MOST_PERSIST_S}",
            fix=f"unset it ({PERSIST_S} s), or set it to 0 for no connection that stays",
        )
    return int(text)


def open_setting(
    file: Path, *, allow: Sequence[str], ssh_config: Path | None, secrets: Path | None
) -> Setting:
    """Load the file and its secrets; raises ``SanglierError`` for either."""
    cluster = load(file)
    place = secrets or Path(cluster.secrets_file or secrets_path(file))
    values, missing = load_or_generate(place, cluster)
    if ssh_config is not None and not ssh_config.is_file():
        raise _no_config(ssh_config)
    return Setting(
        goal=Goal(cluster=cluster, secrets=values, consents=frozenset(allow)),
        layers=LAYERS,
        secrets_file=place,
        secrets_missing=missing,
        ssh_config=ssh_config.resolve() if ssh_config else None,
    )


def _no_config(path: Path) -> SanglierError:
    return SanglierError(
        code=Code.CLIENT,
        subject=str(path),
        what="there is no such ssh_config",
        fix="name an existing file with --ssh-config or $SANGLIER_SSH_CONFIG",
    )
