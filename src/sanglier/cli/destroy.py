"""``sanglier destroy``: take the cluster down; data on the devices stays unless named."""

from __future__ import annotations

import typer

from sanglier.cli.carry_out import run_errand
from sanglier.cli.options import Allow, ClusterFile, JsonEvents, SecretsFile, SshConfig, Yes
from sanglier.cli.setting import open_setting
from sanglier.core.errors import SanglierError
from sanglier.run.apply import Direction
from sanglier.run.codes import Code


def destroy(
    file: ClusterFile,
    yes: Yes = False,
    allow: Allow = None,
    json_events: JsonEvents = False,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Take everything down in the right order; needs --allow destroy:CLUSTER.

    The data on the backing devices stays, unless wipe:HOST/DEVICE is allowed too.
    Exit status: as apply.
    """
    setting = open_setting(file, allow=allow or (), ssh_config=ssh_config, secrets=secrets)
    consent = f"destroy:{setting.goal.cluster.name}"
    if consent not in setting.goal.consents:
        raise _refused(setting.goal.cluster.name, consent)
    raise typer.Exit(run_errand(setting, Direction.DESTROY, yes=yes, json_events=json_events))


def _refused(cluster: str, consent: str) -> SanglierError:
    return SanglierError(
        code=Code.CONSENT_MISSING,
        subject=cluster,
        what="destroy takes a whole cluster down and needs a consent that names it",
        fix=f"add: --allow {consent}",
    )
