"""``sanglier schema``: the JSON schema of the cluster file, for editors."""

from __future__ import annotations

import json

import typer

from sanglier.spec.model import json_schema


def schema() -> None:
    """Print the JSON schema of the cluster file.

    In an editor with a YAML language server, write it to a file and put
    `# yaml-language-server: $schema=FILE` on top of the cluster file.
    """
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
