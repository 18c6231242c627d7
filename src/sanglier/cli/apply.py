"""``sanglier apply``: make the hosts what the file says."""

from __future__ import annotations

import typer

from sanglier.cli.carry_out import run_errand
from sanglier.cli.options import Allow, ClusterFile, JsonEvents, SecretsFile, SshConfig, Yes
from sanglier.cli.setting import open_setting
from sanglier.run.apply import Direction


def apply(
    file: ClusterFile,
    yes: Yes = False,
    allow: Allow = None,
    json_events: JsonEvents = False,
    ssh_config: SshConfig = None,
    secrets: SecretsFile = None,
) -> None:
    """Show the plan, ask once, carry it out; run again it changes nothing.

    At its end every timeout in force is read back from the kernels and daemons and checked.
    Exit status: 0 done (or nothing to do), 1 a step failed or a timeout in force is not the
    wanted one, 2 bad file, 3 refused, 4 a host is out of reach, 130 interrupted.
    """
    setting = open_setting(file, allow=allow or (), ssh_config=ssh_config, secrets=secrets)
    raise typer.Exit(run_errand(setting, Direction.APPLY, yes=yes, json_events=json_events))
