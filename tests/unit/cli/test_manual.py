"""The manual page and bash's completion are current, and bash completes by it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sanglier.cli import manual
from sanglier.cli.main import VERBS

SHARE = Path(__file__).parents[3] / "share"


@pytest.mark.parametrize("path", manual.files(), ids=lambda path: path.name)
def test_it_is_current(path: Path) -> None:
    written = (SHARE / path).read_text(encoding="utf-8")
    assert written == manual.files()[path], "run: python -m sanglier.cli.manual --write share"


def test_every_verb_has_its_section_in_the_page() -> None:
    page = manual.page()
    assert [verb for verb in VERBS if f'.SS "sanglier {verb}' not in page] == []


def test_no_text_of_the_page_is_taken_for_a_request() -> None:
    requests = (".TH", ".SH", ".SS", ".PP", ".TP", '.\\"')
    lines = manual.page().splitlines()
    assert [line for line in lines if line[:1] in ".'" and not line.startswith(requests)] == []
    assert manual._roff("'tis a \\ -b\n.TH") == "\\&'tis a \\e \\-b .TH"


def completed(*words: str) -> set[str]:
    """What bash offers when Tab is pressed at the end of the last word."""
    script = (
        '. "$1"; shift; COMP_WORDS=(sanglier "$@") COMP_CWORD=$#; '
        '_sanglier; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    file = str(SHARE / manual.COMPLETION)
    done = subprocess.run(
        ["bash", "-uc", script, "bash", file, *words], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("",), {*VERBS, "--version", "--help"}),
        (("va",), {"validate"}),
        (("lab", "st"), {"status", "start", "stop"}),
        (("lab", "up", "--da"), {"--data-size"}),
        (("apply", "cluster.yaml", "--js"), {"--json-events"}),
        (("apply", ""), set()),
        (("drill", "run", "clu"), set()),
        (("no-such-verb", "--"), set()),
    ],
)  # fmt: skip
def test_bash_completes(words: tuple[str, ...], offered: set[str]) -> None:
    """Nothing of ours leaves it to bash, which offers file names."""
    assert completed(*words) == offered
