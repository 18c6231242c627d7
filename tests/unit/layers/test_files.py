"""Whole files: what tail and sha256sum print becomes what a written file is compared with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanglier.core.action import Script
from sanglier.core.address import Address
from sanglier.core.probe import Output
from sanglier.core.secret import Secret
from sanglier.core.shell import render
from sanglier.core.step import Mark
from sanglier.layers.files import (
    DIGEST,
    OWE,
    READ,
    REREAD,
    Files,
    WantedFile,
    as_read,
    differs,
    digest_probe,
    parse_digest,
    parse_read,
    read_probe,
    remove_step,
    write_step,
)
from sanglier.layers.services import Unit, parse_units, units_probe

ADDRESS = Address(host="h", layer="l", subject="s")
LINES = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=30)
CONTENTS = ("a\n", "a", "", "\n", "a\n\n", "a\n\nb\n", "==> x <==\n", "\u00e9\n")


def run(text: str, *args: str) -> Output:
    """Run a probe's text as a host would; the framing loses newlines at the end."""
    script = render(Script(text=text, args=args), reveal=True)
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return Output(status=0, text=done.stdout.rstrip("\n"))


@pytest.mark.parametrize("content", CONTENTS)
def test_what_is_written_is_what_is_read(tmp_path: Path, content: str) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    Path(first).write_text(content)
    Path(second).write_text("other\n")
    files = parse_read(run(READ.text, first, second), (first, second))
    assert not differs(WantedFile(path=first, content=content), files)
    assert not differs(WantedFile(path=second, content="other\n"), files)
    assert differs(WantedFile(path=first, content=content + "x\n"), files)


def test_a_secret_file_is_compared_by_its_digest(tmp_path: Path) -> None:
    path = str(tmp_path / "secret")
    wanted = WantedFile(path=path, content=Secret("password = x\n"))
    Path(path).write_text("password = x\n")
    files = parse_digest(run(DIGEST.text, path))
    assert not differs(wanted, files)
    assert as_read(wanted) == files[path]


def test_files_that_are_not_there_are_absent(tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")
    assert parse_read(run(READ.text, path), (path,)) == {}
    assert parse_digest(run(DIGEST.text, path)) == {}


def test_a_file_that_quotes_a_header_of_another_does_not_become_it() -> None:
    text = "==> /a <==\nx\n\n==> /b <==\n==> /a <==\ny\n"
    files = parse_read(Output(status=0, text=text), ("/a", "/b"))
    assert files["/a"].text == "x"
    assert (files["/b"].text or "").startswith("==> /a <==")


@given(content=LINES)
def test_the_prediction_is_the_reading(content: str) -> None:
    wanted = WantedFile(path="/a", content=content)
    text = f"==> /a <==\n{content}".rstrip("\n")
    files = parse_read(Output(status=0, text=text), ("/a",))
    assert files["/a"].digest == as_read(wanted).digest


def test_a_step_shows_the_difference_and_never_that_of_a_secret() -> None:
    wanted = WantedFile(path="/a", content="one\ntwo\n")
    secret = WantedFile(path="/a", content=Secret("one\ntwo\n"))
    files = parse_read(Output(status=0, text="==> /a <==\none\nthree"), ("/a",))
    step = write_step(ADDRESS, wanted, files, lambda facts: facts, phase=0)
    hidden = write_step(ADDRESS, secret, files, lambda facts: facts, phase=0)
    assert (step.mark, {"-three", "+two"} <= set(step.detail)) == (Mark.CHANGE, True)
    assert hidden.detail == ()
    assert write_step(ADDRESS, wanted, {}, lambda f: f, phase=0).mark is Mark.CREATE


@pytest.mark.parametrize(
    ("path", "again"),
    [
        ("/etc/systemd/system/data.mount", True),
        ("/etc/systemd/system/pacemaker.service.d/sanglier.conf", True),
        ("/etc/multipath.conf", False),
        ("/usr/lib/sanglier/etc/systemd/system/x", False),
    ],
)
def test_systemd_reads_its_files_anew_when_one_is_written_or_removed(
    path: str, *, again: bool
) -> None:
    wanted, mine = WantedFile(path=path, content="x\n"), Script(text=":")
    for step in (
        write_step(ADDRESS, wanted, {}, lambda facts: facts, phase=0, then=(mine,)),
        remove_step(ADDRESS, path, lambda facts: facts, phase=0, then=(mine,)),
    ):
        deed = step.actions[1 if again else 0]
        assert step.actions == ((OWE, deed, REREAD, mine) if again else (deed, mine))


def test_units_are_read_in_any_number() -> None:
    text = "Id=a.service\nActiveState=active\nUnitFileState=enabled\n\nId=b\nActiveState=failed"
    units = parse_units(Output(status=0, text=text))
    assert (units["a.service"].is_active, units["a.service"].is_enabled) == (True, True)
    assert units["b"] == Unit(active="failed", enabled="")


def test_without_systemd_no_unit_is_known() -> None:
    assert parse_units(Output(status=0, text="")) == {}


def _trimmed(files: Files) -> dict[str, tuple[str, str]]:
    """Newlines at the end of the last file are lost."""
    return {path: (now.digest, (now.text or "").rstrip("\n")) for path, now in files.items()}


@given(st.lists(st.sampled_from(CONTENTS) | st.none(), min_size=2, max_size=5), st.data())
def test_a_layers_part_of_a_common_answer_is_what_it_had_been_told_alone(
    tmp_path_factory: pytest.TempPathFactory, contents: list[str | None], data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("pool")
    paths = tuple(str(place / f"{number}") for number in range(len(contents)))
    for path, content in zip(paths, contents, strict=True):
        if content is not None:
            Path(path).write_text(content)
    mine = tuple(data.draw(st.lists(st.sampled_from(paths), min_size=1, unique=True)))
    read, digest = read_probe("files", mine), digest_probe("files", mine)
    assert read.part
    assert digest.part
    part = read.part(run(READ.text, *paths).text, paths, mine)
    alone = parse_read(run(READ.text, *mine), mine)
    assert _trimmed(parse_read(Output(status=0, text=part), mine)) == _trimmed(alone)
    part = digest.part(run(DIGEST.text, *paths).text, paths, mine)
    assert parse_digest(Output(status=0, text=part)) == parse_digest(run(DIGEST.text, *mine))


def test_units_of_a_common_answer_are_each_layers_own() -> None:
    blocks = "Id=a.service\nActiveState=active\nUnitFileState=enabled\n\nId=b.mount\nActiveState=x"
    probe = units_probe(("b.mount",))
    assert probe.part
    part = probe.part(blocks, ("a.service", "b.mount"), ("b.mount",))
    assert parse_units(Output(status=0, text=part)) == {"b.mount": Unit(active="x")}
