"""A cluster file without mistakes, and ways to break it in one place."""

from __future__ import annotations

from typing import Any

from sanglier.spec.document import parse
from sanglier.spec.load import Checked, check_text

NAME = "cluster.yaml"
HERE = "§"
"""Marks in a text where a mistake is expected; taken out before the text is checked."""

GOOD = """\
cluster: guiguiabloc
iqn: iqn.2009-02.fr.guiguiabloc
timings: safe
secrets: lab.secrets
storage:
  disk-a:
    ssh: root@10.77.0.11
    hostname: disk-a
    replication: 10.77.1.11
    san: [10.77.2.11, 10.77.3.11]
    management: 10.77.0.11
    fence: {agent: fence_ipmilan, ip: 10.77.0.1, ipport: 6231, lanplus: true}
  disk-b:
    ssh: root@10.77.0.12
    replication: 10.77.1.12
    san: [10.77.2.12, 10.77.3.12]
    management: 10.77.0.12
    fence:
      - {agent: fence_ipmilan, ip: 10.77.0.2, lanplus: true}
      - {agent: fence_apc_snmp, ip: 10.77.0.3, plug: 4, no_password: true}
applications:
  srv-a:
    ssh: root@10.77.0.21
    san: [10.77.2.21, 10.77.3.21]
  srv-b:
    ssh: root@10.77.0.22
    interconnect: 10.77.4.22
    san: [10.77.2.22, 10.77.3.22]
    node: 7
witness:
  ssh: root@10.77.0.31
  address: 10.77.0.31
volumes:
  data:
    on: {disk-a: /dev/vg0/data, disk-b: /dev/vg0/data}
    prefer: disk-b
    filesystem: ocfs2
    label: DATA
    mount: /data
    for: small-files
    size: 10GiB
    slots: 8
    minor: 4
    port: 7800
    serial: 7c1f3b52a9d04e618f20c3b7d5e4a916
  mail:
    on: {disk-a: /dev/vg0/mail, disk-b: /dev/vg0/mail}
    mount: /var/mail
"""


def broken(*replacements: tuple[str, str]) -> str:
    """Give the good file with each first text replaced once by the second."""
    text = GOOD
    for old, new in replacements:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    return text


def place_of(marked: str) -> tuple[str, int, int]:
    """Take the mark out of a text: the text, and its line and column from 1."""
    before, mark, after = marked.partition(HERE)
    assert mark and HERE not in after
    return before + after, before.count("\n") + 1, len(before) - before.rfind("\n")


def check(text: str) -> Checked:
    """Check a text as the file ``cluster.yaml``."""
    return check_text(text, NAME)


def codes(checked: Checked) -> set[str]:
    """Give the codes of all mistakes and warnings."""
    return {found.code for found in (*checked.mistakes, *checked.warnings)}


def good_tree() -> dict[str, Any]:
    """Give the good file as plain values."""
    return parse(GOOD).tree
