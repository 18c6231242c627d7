"""``sanglier validate`` and ``sanglier schema`` as a user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sanglier.cli.schema import schema
from sanglier.cli.validate import validate

from .cluster_file import GOOD, broken

app = typer.Typer()
app.command()(validate)
app.command()(schema)

FENCE_OF_DISK_A = "    fence: {agent: fence_ipmilan, ip: 10.77.0.1, ipport: 6231, lanplus: true}\n"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cluster.yaml"
    path.write_text(GOOD)
    return path


def test_good_file_is_summed_up(file: Path) -> None:
    status, out, err = run("validate", str(file))
    assert (status, err) == (0, "")
    assert "cluster guiguiabloc, timings safe" in out
    assert "iqn.2009-02.fr.guiguiabloc:guiguiabloc.data.disk-a" in out
    assert "/dev/mapper/sanglier-data, WWID 360014057c1f3b52a9d04e618f20c3b7d" in out
    assert "disk-b (preferred): /dev/vg0/data" in out
    assert "at least 10GiB" in out


def test_warnings_do_not_fail(file: Path) -> None:
    file.write_text(broken(("slots: 8", "slots: 2")))
    status, _, err = run("validate", str(file))
    assert status == 0
    assert err.startswith(f"warning: {file}:42:12: volumes.data.slots: no spare node slot")


def test_every_mistake_and_status_2(file: Path) -> None:
    file.write_text(broken(("10GiB", "10"), ("guiguiabloc", "A")))
    status, out, err = run("validate", str(file))
    assert (status, out) == (2, "")
    lines = err.splitlines()
    assert lines[0] == f'{file}:1:10: cluster: not a cluster name: "A"  [SG-SPEC-020]'
    assert lines[2].endswith('expected a size such as 10GiB, got "10"  [SG-SPEC-003]')
    assert lines[-1] == f"{file}: 2 mistakes"


def test_json_of_a_good_file(file: Path) -> None:
    status, out, _ = run("validate", str(file), "--json")
    answer = json.loads(out)
    assert status == 0
    assert answer["valid"] is True
    assert answer["mistakes"] == answer["warnings"] == []
    volume = answer["cluster"]["volumes"][0]
    assert volume["wwid"] == "360014057c1f3b52a9d04e618f20c3b7d"
    assert volume["targets"]["disk-b"] == "iqn.2009-02.fr.guiguiabloc:guiguiabloc.data.disk-b"
    assert answer["cluster"]["applications"][1]["node"] == 7


def test_json_of_a_bad_file(file: Path) -> None:
    file.write_text(broken(("10GiB", "10")))
    status, out, err = run("validate", str(file), "--json")
    answer = json.loads(out)
    assert (status, err) == (2, "")
    assert answer["valid"] is False
    assert answer["cluster"] is None
    assert answer["mistakes"][0] == {
        "code": "SG-SPEC-003",
        "file": str(file),
        "line": 41,
        "column": 11,
        "path": "volumes.data.size",
        "what": 'expected a size such as 10GiB, got "10"',
        "fix": "write a number and its unit: KiB MiB GiB TiB, or KB MB GB TB",
    }


def test_a_file_without_fencing_is_refused_with_a_way_out(file: Path) -> None:
    file.write_text(broken((FENCE_OF_DISK_A, "")))
    status, _, err = run("validate", str(file))
    assert status == 2
    what = "storage.disk-a.fence: missing: without working fencing, `access: guarded` is refused"
    assert f"{file}:6:3: {what}  [SG-SPEC-070]" in err
    assert "fence: {agent: fence_ipmilan," in err
    assert "for teaching only, write `access: article`" in err


def test_missing_file(tmp_path: Path) -> None:
    status, _, err = run("validate", str(tmp_path / "none"))
    assert status == 2
    assert "no such file  [SG-SPEC-001]" in err


def test_schema_is_json() -> None:
    status, out, _ = run("schema")
    assert status == 0
    assert json.loads(out)["$schema"].startswith("https://json-schema.org/")
