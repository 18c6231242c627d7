"""Every piece of shell in the tree, found by walking it: what is new is among them by itself."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from layers.goal import GOAL
from layers.recordings import facts_of
from layers.simulate import applying

import sanglier
from sanglier.core.action import Script, WriteFile
from sanglier.core.probe import Look
from sanglier.core.shell import render
from sanglier.layers.stack import LAYERS
from sanglier.run.far_side import envelope, remote_command
from sanglier.run.frames import Marker
from sanglier.run.gather import pooled, probe_script, questions_for

TREE = Path(__file__).parents[3]
SOURCE = TREE / "src/sanglier"

OTHER_WORDS = frozenset(
    [
        "cli.",
        "spec.",
        "drill.checkers.",
        "drill.report.",
        "drill.history:CUT",
        "drill.faults.clocks:AHEAD",
        "lab.command:NO_SPACE",
        "lab.command:UNREACHABLE",
        "lab.identity:DISK_UNIT",
        "lab.mirror:DATE",
        "layers.cluster.corosync:LOGGING",
        "layers.drbd.in_force:ANEW",
        "layers.files:HEADER",
        "layers.multipath.desired:ONLY_LIO",
        "layers.ocfs2.desired:DAEMONS",
        "layers.ocfs2.judge:WRITE_THROUGH",
        "run.far_side:NO_SUDO",
        "run.far_side:SUDO_ASKS",
        "run.secrets:_HEADER",
        "run.settled:FIX",
        "run.step_errors:_AGAIN",
        "drill.workloads.appends:_WRITE",
        "drill.workloads.appends:_READ",
        "drill.workloads.base:_PRELUDE",
        "drill.workloads.counters:_WRITE",
        "drill.workloads.counters:_READ",
        "drill.workloads.races:_WRITE",
        "drill.workloads.races:_READ",
        "drill.faults.planted:FIND",
        "drill.faults.daemons:MONITOR",
        "drill.reference:_HEAD",
        "drill.reference:_PLANTED",
        "drill.workloads.blocks:BLOCKS",
        "drill.workloads.retired:_WRITE",
        "drill.workloads.retired:_READ",
        "drill.workloads.registers:_WRITE",
        "drill.workloads.registers:_READ",
        "drill.workloads.trees:_WRITE",
        "drill.workloads.trees:_READ",
    ]
)
"""Constants of several words that are no shell: prose, files of daemons, Perl.  Every other one is
taken for shell; a package (with a dot at its end) holds none and may not make a ``Script``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A script with where it comes from."""

    name: str
    text: str

    @property
    def file(self) -> str:
        return self.name.replace("/", "-").replace(":", "-").replace(" ", "-")


def modules() -> Iterator[tuple[str, ModuleType, ast.Module]]:
    """Give every module by its name below ours, with its tree."""
    for found in pkgutil.walk_packages(sanglier.__path__, "sanglier."):
        module = importlib.import_module(found.name)
        assert module.__file__
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        yield found.name.removeprefix("sanglier."), module, tree


def assigned(tree: ast.Module) -> Iterator[str]:
    """Names that a module itself gives a value, not those that it imports."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def is_other(name: str) -> bool:
    """Whether a constant is known to be no shell."""
    return name in OTHER_WORDS or any(
        name.startswith(package) for package in OTHER_WORDS if package.endswith(".")
    )


def constants() -> Iterator[Piece]:
    """Give the scripts that are values of modules."""
    for module_name, module, tree in modules():
        for constant in assigned(tree):
            name, value = f"{module_name}:{constant}", getattr(module, constant, None)
            if isinstance(value, Script | Look):
                script = value.script if isinstance(value, Look) else value
                yield Piece(name=name, text=script.text)
            elif isinstance(value, str) and len(value.split()) > 1 and not is_other(name):
                yield Piece(name=name, text=value)


def inline() -> Iterator[Piece]:
    """Give the scripts that are written where a ``Script`` is made inside a function.

    What is put together there is put together of constants, so that it is whole here too; only a
    bare name of what the function was given is somebody else's.
    """
    for module_name, module, tree in modules():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for line, text in _made_in(function, vars(module)):
                    yield Piece(name=f"{module_name}:{function.name}-{line}", text=text)


def _made_in(
    function: ast.FunctionDef | ast.AsyncFunctionDef, names: Mapping[str, object]
) -> Iterator[tuple[int, str]]:
    local = {
        node.targets[0].id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in ast.walk(function):
        if not (isinstance(call, ast.Call) and _called(call) == "Script"):
            continue
        source = next(keyword.value for keyword in call.keywords if keyword.arg == "text")
        if isinstance(source, ast.Name):
            source = local.get(source.id, source)
        if isinstance(source, ast.Name) and source.id not in names:
            continue
        code = compile(ast.Expression(source), "<text>", "eval")
        yield call.lineno, str(eval(code, dict(names)))


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def programs() -> Iterator[Piece]:
    """Give the programs that are put on hosts, as they are there."""
    for host in GOAL.cluster.storage[0], GOAL.cluster.applications[0]:
        for step in applying(GOAL, facts_of("blank")).steps:
            for action in step.actions if step.address.host == host.name else ():
                if isinstance(action, WriteFile) and is_shell(action.content):
                    yield Piece(name=f"program{action.path}", text=str(action.content))


def is_shell(content: object) -> bool:
    """Whether a file's text is for sh."""
    return isinstance(content, str) and content.startswith("#!/bin/sh")


def files() -> Iterator[Piece]:
    """Give the files that a shell runs: those of the package, and those at the top of the tree.

    What has a word like @this@ in it is only whole as a program.
    """
    tops = (TREE / "test", TREE / "demo", *(TREE / "scripts").iterdir(), TREE / ".ci/run")
    for path in (*sorted(SOURCE.rglob("*")), *tops):
        if path.is_file() and path.suffix not in {".py", ".pyc"}:
            text = path.read_text(encoding="utf-8")
            if is_shell(text) and not re.search(r"@\w+@", text):
                yield Piece(name=str(path.relative_to(TREE)), text=text)


def sent() -> Iterator[Piece]:
    """Give what is sent whole: everything that a host is asked, and the shell around it."""
    for host in ("disk-a", "witness", "srv-a"):
        marker = Marker("nonce")
        asked = probe_script(
            pooled(questions_for(GOAL, LAYERS, host)), marker, "/run/sanglier", wait=True
        )
        yield Piece(name=f"gathering-{host}", text=envelope(marker, asked))
    yield Piece(name="remote-command", text=remote_command(30))


def as_sent(piece: Piece) -> str:
    """Give a script of ours as the far side runs it: as a function's body, under ``set -e``."""
    return f"#!/bin/sh\nset -e\n{render(Script(text=piece.text, args=('words',)), reveal=False)}\n"


@cache
def everything() -> dict[str, str]:
    """Name -> text of every script, each text once."""
    bodies = {piece.file: as_sent(piece) for piece in (*constants(), *inline())}
    whole = {p.file: p.text if p.text.startswith("#") else f"#!/bin/sh\n{p.text}\n"
             for p in (*programs(), *files(), *sent())}  # fmt: skip
    first = {text: name for name, text in reversed((bodies | whole).items())}
    return {name: text for text, name in first.items()}
