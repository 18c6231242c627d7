"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ClusterFile = Annotated[Path, typer.Argument(metavar="FILE", help="The cluster's file (YAML).")]
SshConfig = Annotated[
    Path | None,
    typer.Option(
        "--ssh-config",
        metavar="FILE",
        envvar="SANGLIER_SSH_CONFIG",
        help="ssh_config to use instead of your own, as for ssh -F.",
    ),
]
SecretsFile = Annotated[
    Path | None,
    typer.Option(
        "--secrets", metavar="FILE", help="Secrets file; else FILE with the suffix .secrets."
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="CONSENT",
        help="Consent by name to what destroys data, e.g. wipe:disk-b/vdb.  Repeatable.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before the plan is carried out.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
JsonEvents = Annotated[
    bool,
    typer.Option("--json-events", help="Print every event as a line of JSON; text to stderr."),
]
