"""The manual page and bash's completion, both made from the command line itself.

``python -m sanglier.cli.manual --write share`` writes them where the wheel takes them from.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.main import get_command

from sanglier import __version__
from sanglier.cli.main import application

PAGE = Path("man/man1/sanglier.1")
COMPLETION = Path("bash-completion/completions/sanglier")

DESCRIPTION = (
    "Sanglier turns a few ordinary Linux servers into one highly available shared filesystem, "
    "from one file. Two storage servers mirror a volume with DRBD and export it over iSCSI; "
    "application servers reach it through both with DM-Multipath and mount it with OCFS2, all at "
    "the same time. One side of a volume is open; Pacemaker decides which, and a storage server "
    "that is lost is switched off before the other side opens.",
    "It works over ssh with your own ssh_config, and leaves nothing of its own running but what "
    "the file asks of the hosts.",
)
STATUSES = (
    ("0", "Done, or nothing to do; for status: healthy and as declared."),
    ("1", "Something failed, or is not healthy or not as declared."),
    ("2", "A bad file or a bad command line."),
    ("3", "Refused: nothing (more) was done, on purpose."),
    ("4", "A host is out of reach."),
    ("130", "Interrupted."),
)
ENVIRONMENT = (
    ("SANGLIER_SSH_CONFIG", "As --ssh-config."),
    ("SANGLIER_STATE", "Folder of the journals and campaigns; else ~/.local/state/sanglier."),
    ("SANGLIER_CACHE", "The lab's images and disks; else ~/.cache/sanglier."),
    ("SANGLIER_LAB_DIR", "State of running labs; else /run/sanglier/lab."),
)
SEE_ALSO = (
    "ssh_config(5), drbd.conf(5), drbdsetup(8), iscsiadm(8), multipath.conf(5), mount.ocfs2(8), "
    "pacemaker(7), corosync.conf(5)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An option, or (without names) a word in its place."""

    names: tuple[str, ...]
    metavar: str
    """Empty for an option without a value."""
    required: bool
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A verb, or a verb below one."""

    words: tuple[str, ...]
    help: str
    arguments: tuple[Argument, ...]
    below: tuple[Command, ...]

    @property
    def options(self) -> tuple[Argument, ...]:
        """What begins with dashes."""
        return tuple(argument for argument in self.arguments if argument.names)

    @property
    def synopsis(self) -> str:
        """How it is typed."""
        places = [a for a in self.arguments if not a.names]
        shown = (a.metavar if a.required else f"[{a.metavar.strip('[]')}]" for a in places)
        options = ("[OPTION]...",) if self.options else ()
        return " ".join(("sanglier", *self.words, *shown, *options))


def _argument(found: Any) -> Argument:  # noqa: ANN401  # click's, or typer's own copy of it
    names = tuple(name for name in found.opts if name.startswith("-"))
    valued = not getattr(found, "is_flag", False)
    return Argument(
        names=names,
        metavar=(found.metavar or str(found.name).upper()) if valued else "",
        required=bool(found.required),
        help=found.help or "",
    )


def _command(found: Any, words: tuple[str, ...]) -> Command:  # noqa: ANN401
    shown = (p for p in found.params if not getattr(p, "hidden", False) and p.name != "help")
    below = getattr(found, "commands", {})
    return Command(
        words=words,
        help=found.help or "",
        arguments=tuple(map(_argument, shown)),
        below=tuple(_command(each, (*words, name)) for name, each in below.items()),
    )


def command_line() -> Command:
    """Read the whole command line."""
    return _command(get_command(application()), ())


def _all(command: Command) -> Iterator[Command]:
    """Give what is typed to do something, in order."""
    for each in command.below:
        yield from _all(each) if each.below else (each,)


def _roff(text: str) -> str:
    """Write text for man(7): its escapes, and no line that begins as a request."""
    flat = re.sub(r"\s+", " ", text.replace("`", "")).strip()
    safe = flat.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^(?=[.'])", "\\\\&", safe)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        if number:
            yield ".PP"
        yield _roff(paragraph)


def _entry(head: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield head
    yield _roff(text) or "\\&"


def _option_entry(option: Argument) -> Iterator[str]:
    names = ", ".join(f"\\fB{_roff(name)}\\fR" for name in option.names)
    value = f" \\fI{_roff(option.metavar)}\\fR" if option.metavar else ""
    yield from _entry(names + value, option.help)


def _section(command: Command) -> Iterator[str]:
    yield f'.SS "{_roff(command.synopsis)}"'
    yield from _paragraphs(command.help)
    for option in command.options:
        yield from _option_entry(option)


def _listed(title: str, pairs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f".SH {title}"
    for name, text in pairs:
        yield from _entry(f"\\fB{_roff(name)}\\fR", text)


def _page_lines(root: Command) -> Iterator[str]:
    yield '.\\" Made by python -m sanglier.cli.manual; do not edit.'
    yield f'.TH SANGLIER 1 "" "sanglier {__version__}" "User Commands"'
    yield from (".SH NAME", f"sanglier \\- {_roff(root.help.rstrip('.').lower())}")
    yield from (".SH SYNOPSIS", "\\fBsanglier\\fR \\fIVERB\\fR [\\fIOPTION\\fR]...")
    yield from (".SH DESCRIPTION", *_paragraphs("\n\n".join(DESCRIPTION)))
    yield ".SH OPTIONS"
    for option in root.options:
        yield from _option_entry(option)
    yield from _entry("\\fB\\-\\-help\\fR", "Say what there is, after any verb what it takes.")
    yield ".SH VERBS"
    for command in _all(root):
        yield from _section(command)
    yield from _listed('"EXIT STATUS"', STATUSES)
    yield from _listed("ENVIRONMENT", ENVIRONMENT)
    yield from ('.SH "SEE ALSO"', _roff(SEE_ALSO))


def page() -> str:
    """Write the manual page, man(7)."""
    return "\n".join(_page_lines(command_line())) + "\n"


def _options_case(root: Command) -> Iterator[str]:
    for command in _all(root):
        names = [name for option in command.options for name in option.names]
        yield f'        "{" ".join(command.words)}") words="{" ".join((*names, "--help"))}" ;;'


def _below_case(root: Command) -> Iterator[str]:
    for command in root.below:
        if command.below:
            names = " ".join(each.words[-1] for each in command.below)
            yield f'        "{" ".join(command.words)}") words="{names}" ;;'


def completion() -> str:
    """Write bash's completion: verbs, then those below, then options; else file names."""
    root = command_line()
    verbs = " ".join(each.words[0] for each in root.below)
    options = " ".join(name for option in root.options for name in option.names)
    groups = "|".join(each.words[0] for each in root.below if each.below)
    lines = (
        "# bash completion for sanglier(1).  Made by python -m sanglier.cli.manual; do not edit.",
        "_sanglier() {",
        '    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} words=""',
        "    COMPREPLY=()",
        f"    case $COMP_CWORD:$verb in 1:*) ;; *:{groups.replace('|', '|*:')})",
        '        [ "$COMP_CWORD" -eq 2 ] || verb="$verb ${COMP_WORDS[2]}" ;;',
        "    esac",
        "    case $COMP_CWORD:$word in",
        f'    1:*) words="{verbs} {options} --help" ;;',
        "    *:-*) case $verb in",
        *_options_case(root),
        "        esac ;;",
        "    2:*) case $verb in",
        *_below_case(root),
        "        esac ;;",
        "    esac",
        "    # shellcheck disable=SC2207  # they are single words",
        '    COMPREPLY=($(compgen -W "$words" -- "$word"))',
        "}",
        "complete -o default -F _sanglier sanglier",
    )
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """Give what is made, by its path below ``share``."""
    return {PAGE: page(), COMPLETION: completion()}


def main() -> None:
    """Write the files below the directory given by ``--write``."""
    parser = argparse.ArgumentParser(description="Write the manual page and bash's completion.")
    parser.add_argument("--write", type=Path, required=True, metavar="DIRECTORY")
    directory: Path = parser.parse_args().write
    for path, text in files().items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
