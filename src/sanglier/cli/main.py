"""The command ``sanglier``: finds the verb, and says errors neatly.

Only the module of the verb that was asked for is imported, so that ``--help``
and short verbs are quick.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated

import typer

from sanglier import __version__
from sanglier.cli.exits import INTERRUPTED, exit_status
from sanglier.core.errors import SanglierError


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb is, and its line in the list of verbs."""

    module: str
    attribute: str
    help: str


VERBS = {
    "validate": Verb("validate", "validate", "Check a cluster's file; say every mistake at once."),
    "schema": Verb("schema", "schema", "Print the JSON schema of the file, for editors."),
    "timings": Verb("timings", "timings", "Show all timeouts, and what each fault comes to."),
    "plan": Verb("plan", "plan", "Show what apply would do, and change nothing."),
    "apply": Verb("apply", "apply", "Make the hosts what the file says."),
    "status": Verb("status", "status", "Show the state of every layer, from mount to disk."),
    "move": Verb("move", "move", "Open the other side of a volume, drained in between."),
    "maintain": Verb("maintain", "maintain", "Empty a storage server for work, and take it back."),
    "drill": Verb("drill", "app", "Break it on purpose, and count what was kept."),
    "destroy": Verb("destroy", "destroy", "Take the cluster down; needs consent by name."),
    "log": Verb("log", "log", "Show the last runs."),
    "demo": Verb("demo", "demo", "Show the main job in a lab, a survived failure included."),
    "lab": Verb("lab", "app", "A whole cluster on this machine, to try things on."),
}


ON_LABS = frozenset({"lab", "demo", "drill"})
"""Verbs that an ordinary user may need namespaces for."""


def _say_version(asked: bool) -> None:
    if asked:
        print(f"sanglier {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say which version this is.", callback=_say_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take what stands before the verb."""


def _stub() -> None:
    """Stand for a verb that was not asked for."""


def _add(app: typer.Typer, name: str, verb: Verb, *, real: bool) -> None:
    if not real:
        app.command(name, help=verb.help)(_stub)
        return
    found = getattr(import_module(f"sanglier.cli.{verb.module}"), verb.attribute)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name, help=verb.help)
    else:
        app.command(name)(found)


def application(asked: Sequence[str] | None = None) -> typer.Typer:
    """Build the command line with the verbs ``asked`` for; all of them, when None."""
    app = typer.Typer(
        name="sanglier",
        help="One highly available shared filesystem from a few ordinary servers and one file.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for name, verb in VERBS.items():
        _add(app, name, verb, real=asked is None or name in asked)
    return app


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with a stable exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        if os.geteuid() != 0 and words[:1] and words[0] in ON_LABS:
            import_module("sanglier.lab.rootless").go_inside(words)
        application(words[:1])(args=words, prog_name="sanglier")
    except SanglierError as error:
        print(error, file=sys.stderr)
        sys.exit(exit_status(error.code))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
