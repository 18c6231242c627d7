"""What runs before o2cb comes up, in a real shell on files in a folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sanglier.layers.ocfs2.desired import (
    CHECK_PATH,
    CONF_PATH,
    NODES_PATH,
    check_file,
    conf_file,
    nodes_file,
    o2cb_unit,
)

from .goal import GOAL

CONF, NODES = conf_file(GOAL.cluster).text, nodes_file(GOAL.cluster).text
SWAPPED = CONF.replace("number = 0", "number = X").replace("number = 1", "number = 0")
SWAPPED = SWAPPED.replace("number = X", "number = 1")
BY_HAND = "node:\n\tcluster = guiguiabloc\n\tip_port = 7777\n\tname = {}\n\tnumber = {}\n"


def check(place: Path, conf: str | None, nodes: str | None) -> tuple[int, str]:
    text = check_file().text
    for path, content in ((CONF_PATH, conf), (NODES_PATH, nodes)):
        false = place / path.rsplit("/", 1)[-1]
        assert path in text
        text = text.replace(path, str(false))
        if content is not None:
            false.write_text(content)
    done = subprocess.run(
        ["sh", "-c", text], capture_output=True, text=True, timeout=10, check=False
    )
    return done.returncode, done.stderr


def test_what_was_written_passes(tmp_path: Path) -> None:
    assert check(tmp_path, CONF, NODES) == (0, "")


@pytest.mark.parametrize(
    "conf",
    [
        SWAPPED,
        CONF.replace("number = 0", "number = 7"),
        CONF.replace("name = srv-b", "name = srv-x"),
        BY_HAND.format("srv-b", 0),
        BY_HAND.format("srv-b", 0).rstrip("\n"),
        CONF + BY_HAND.format("srv-c", 1),
    ],
    ids=["swapped", "renumbered", "renamed", "by hand", "no newline", "number taken"],
)
def test_another_number_keeps_o2cb_down_with_words(tmp_path: Path, conf: str) -> None:
    status, said = check(tmp_path, conf, NODES)
    assert status == 1
    assert "sanglier wrote" in said
    assert "o2cb is not brought up" in said


@pytest.mark.parametrize(
    ("conf", "nodes"),
    [
        (CONF + BY_HAND.format("srv-c", 2), NODES),
        (BY_HAND.format("srv-a", 0), NODES),
        ("", NODES),
        (None, NODES),
        (SWAPPED, None),
        (CONF, ""),
        (CONF.replace("node_count = 2", "node_count = 9"), NODES),
    ],
    ids=["added", "removed", "empty", "no conf", "never written", "nothing noted", "count"],
)
def test_what_gives_nobody_another_number_passes(
    tmp_path: Path, conf: str | None, nodes: str | None
) -> None:
    assert check(tmp_path, conf, nodes) == (0, "")


def test_o2cb_is_not_brought_up_before_the_check() -> None:
    assert f"ExecStartPre=/bin/sh {CHECK_PATH}\n" in o2cb_unit().text
