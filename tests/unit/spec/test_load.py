"""Reading a file, and the cluster that comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanglier.core.errors import SanglierError
from sanglier.spec.budget import with_turns
from sanglier.spec.cluster import Access, Cluster, FenceDevice, Witness, Workload, default_serial
from sanglier.spec.load import check as check_file
from sanglier.spec.load import load, load_text
from sanglier.spec.mistake import SpecErrors
from sanglier.spec.solve import solve
from sanglier.spec.timings import FAST, SAFE

from .cluster_file import GOOD, NAME, broken

LAB = Path(__file__).parents[3] / "examples/lab.yaml"


def good(*replacements: tuple[str, str]) -> Cluster:
    return load_text(broken(*replacements), NAME)


@pytest.mark.parametrize("file", sorted(LAB.parent.glob("*.yaml")), ids=lambda file: file.name)
def test_examples_load_without_warnings(file: Path) -> None:
    checked = check_file(file)
    assert checked.mistakes == checked.warnings == ()


def test_the_example_is_the_lab() -> None:
    assert load(LAB).name == "guiguiabloc"


def test_written_values_arrive() -> None:
    cluster = good()
    volume = cluster.volumes[0]
    assert cluster.iqn_prefix == "iqn.2009-02.fr.guiguiabloc"
    assert cluster.timings == with_turns(SAFE, 2)
    assert dict(volume.devices) == {"disk-a": "/dev/vg0/data", "disk-b": "/dev/vg0/data"}
    assert (volume.prefer, volume.label, volume.mount) == ("disk-b", "DATA", "/data")
    assert (volume.slots, volume.minor, volume.port) == (8, 4, 7800)
    assert volume.serial == "7c1f3b52a9d04e618f20c3b7d5e4a916"
    assert volume.size_bytes == 10 * 1024**3
    assert volume.workload is Workload.SMALL_FILES


def test_defaults_follow_from_names_and_positions() -> None:
    cluster = good()
    volume = cluster.volumes[1]
    assert (volume.minor, volume.port, volume.slots) == (1, 7790, 4)
    assert (volume.label, volume.prefer, volume.size_bytes) == ("MAIL", "disk-a", None)
    assert volume.serial == default_serial("guiguiabloc", "mail")
    assert volume.workload is Workload.GENERAL
    assert [server.index for server in cluster.storage] == [0, 1]
    assert [server.node for server in cluster.applications] == [0, 7]
    assert [s.interconnect for s in cluster.applications] == ["10.77.2.21", "10.77.4.22"]
    assert [host.hostname for host in cluster.hosts][:2] == ["disk-a", "disk-b"]


def test_slots_have_two_to_spare() -> None:
    servers = "".join(
        f"  srv-{n}: {{ssh: s{n}, san: [10.77.2.{100 + n}, 10.77.3.{100 + n}]}}\n" for n in range(6)
    )
    cluster = good(("node: 7", "node: 100"), ("witness:", servers + "witness:"))
    assert [volume.slots for volume in cluster.volumes] == [8, 10]


def test_fast_timings() -> None:
    fast = good(("timings: safe", "timings: fast")).timings
    assert fast == with_turns(FAST, 2)
    assert good(("timings: safe\n", "")).timings == with_turns(SAFE, 2)


def test_timings_are_solved_from_a_wish() -> None:
    wish = ("timings: safe", "timings: {stall: 20s, fence: 5s}")
    assert good(wish).timings == solve(20, 5, turns=2)
    assert good((wish[0], "timings: {stall: 30s}")).timings == solve(30, turns=2)


def test_fence_devices_are_kept_as_text_with_their_levels() -> None:
    first, second = good().storage
    assert first.fence == (
        FenceDevice(
            agent="fence_ipmilan",
            parameters=(("ip", "10.77.0.1"), ("ipport", "6231"), ("lanplus", "true")),
            level=1,
        ),
    )
    assert [(d.agent, d.level, d.no_password) for d in second.fence] == [
        ("fence_ipmilan", 1, False),
        ("fence_apc_snmp", 2, True),
    ]
    assert second.fence[1].parameters == (("ip", "10.77.0.3"), ("plug", "4"))
    assert [d.secret_key("disk-b") for d in second.fence] == ["disk-b", "disk-b/2"]


TWO_SUPPLIES = (
    "fence: {agent: fence_ipmilan, ip: 10.77.0.1, ipport: 6231, lanplus: true}",
    "fence:\n"
    "      - {agent: fence_ipmilan, ip: 10.77.0.1}\n"
    "      - - {agent: fence_apc_snmp, ip: 10.77.0.4, plug: 1}\n"
    "        - {agent: fence_apc_snmp, ip: 10.77.0.5, plug: 1}",
)


def test_a_level_may_have_several_devices_that_must_all_succeed() -> None:
    first = good(TWO_SUPPLIES).storage[0]
    assert [(d.agent, d.level, d.position) for d in first.fence] == [
        ("fence_ipmilan", 1, 1), ("fence_apc_snmp", 2, 1), ("fence_apc_snmp", 2, 2),
    ]  # fmt: skip
    assert [d.secret_key("disk-a") for d in first.fence] == ["disk-a", "disk-a/2", "disk-a/2/2"]
    assert [len(level) for level in first.fence_levels] == [1, 2]


def test_a_single_level_of_several_devices_is_a_list_in_the_list() -> None:
    both = (
        "fence: [[{agent: fence_apc_snmp, ip: 10.77.0.4}, {agent: fence_apc_snmp, ip: 10.77.0.5}]]"
    )
    first = good((TWO_SUPPLIES[0], both)).storage[0]
    assert [(d.level, d.position) for d in first.fence] == [(1, 1), (1, 2)]
    assert [d.secret_key("disk-a") for d in first.fence] == ["disk-a", "disk-a/1/2"]


def test_off_of_each_device_and_on_are_counted() -> None:
    wish = ("timings: safe", "timings: {stall: 60s, fence: 5s}")
    assert good(TWO_SUPPLIES, wish).timings == solve(60, 5, turns=4)


def test_management_addresses_are_written_in_one_way() -> None:
    assert [server.management for server in good().storage] == ["10.77.0.11", "10.77.0.12"]
    six = good(("ment: 10.77.0.11", "ment: FD00:0::11"), ("ment: 10.77.0.12", "ment: fd00::012"))
    assert [server.management for server in six.storage] == ["fd00::11", "fd00::12"]


ARTICLE = ("timings: safe", "access: article")
WITNESS = "  ssh: root@10.77.0.31\n  address: 10.77.0.31"


def test_access_is_guarded_unless_the_file_says_article() -> None:
    assert (good().access, good().guarded) == (Access.GUARDED, True)
    assert good(("timings: safe", "access: guarded")).guarded
    assert (good(ARTICLE).access, good(ARTICLE).guarded) == (Access.ARTICLE, False)


def test_article_needs_no_arbitration() -> None:
    cluster = load(LAB.with_name("article.yaml"))
    assert [(server.management, server.fence) for server in cluster.storage] == [(None, ())] * 2
    assert cluster.witness is not None
    assert cluster.witness.address == ""


def test_guarded_logs_in_to_both_targets_and_article_to_one_in_turn() -> None:
    def names(cluster: Cluster) -> list[list[str]]:
        return [[t.name for t in cluster.target_servers(a)] for a in cluster.applications]

    third = "  srv-c: {ssh: c, san: [10.77.2.23, 10.77.3.23]}\nwitness:"
    assert names(good(("witness:", third))) == [["disk-a", "disk-b"]] * 3
    assert names(good(ARTICLE, ("witness:", third))) == [["disk-a"], ["disk-b"], ["disk-a"]]


def test_witness_is_a_host_of_its_own_or_an_application_server_or_absent() -> None:
    own = Witness(name="witness", ssh="root@10.77.0.31", hostname="witness", address="10.77.0.31")
    assert good().witness == own
    shared = good((WITNESS, "  on: srv-b"))
    assert shared.witness == Witness(
        name="srv-b", ssh="root@10.77.0.22", hostname="srv-b", address="10.77.2.22"
    )
    assert len(shared.hosts) == 4
    assert good(ARTICLE, (f"witness:\n{WITNESS}\n", "")).witness is None


def test_witness_on_an_application_server_may_have_another_address() -> None:
    witness = good((WITNESS, "  on: srv-b\n  address: 10.77.0.22")).witness
    assert witness is not None
    assert witness.address == "10.77.0.22"


@pytest.mark.parametrize(
    ("written", "file", "expected"),
    [
        ("secrets: lab.secrets\n", "/etc/x/cluster.yaml", "/etc/x/lab.secrets"),
        ("secrets: /root/s\n", "/etc/x/cluster.yaml", "/root/s"),
        ("", "/etc/x/cluster.yaml", "/etc/x/cluster.secrets"),
        ("", "cluster", "cluster.secrets"),
    ],
)
def test_secrets_file_is_beside_the_cluster_file(written: str, file: str, expected: str) -> None:
    text = broken(("secrets: lab.secrets\n", written))
    assert load_text(text, file).secrets_file == expected


def test_addresses_are_written_in_one_way() -> None:
    cluster = good(("10.77.1.11", "FD00:0:0::11"), ("10.77.1.12", "fd00::0012"))
    assert [server.replication for server in cluster.storage] == ["fd00::11", "fd00::12"]


def test_anchors_and_merges_work() -> None:
    cluster = good(
        ("disk-a: /dev/vg0/data, disk-b: /dev/vg0/data", "disk-a: &d /dev/vg0/data, disk-b: *d"),
        ("  data:\n", "  data: &volume\n"),
        ("  mail:\n", "  mail:\n    <<: *volume\n"),
        (
            "mount: /var/mail\n",
            "mount: /var/mail\n    label: M\n    minor: 9\n    port: 9000\n    serial: null\n",
        ),
    )
    volume = cluster.volumes[1]
    assert (volume.size_bytes, volume.slots, volume.label) == (10 * 1024**3, 8, "M")
    assert dict(volume.devices) == {"disk-a": "/dev/vg0/mail", "disk-b": "/dev/vg0/mail"}


def test_a_mistake_behind_an_alias_is_reported_where_the_alias_stands() -> None:
    text = broken(
        ("on: {disk-a: /dev/vg0/data", "on: {disk-a: &d /dev/vg0/data"),
        ("on: {disk-a: /dev/vg0/mail", "on: {disk-a: *d"),
    )
    with pytest.raises(SpecErrors) as caught:
        load_text(text, NAME)
    (mistake,) = caught.value.mistakes
    assert (mistake.code, mistake.line, mistake.column) == ("SG-SPEC-053", 47, 18)


def test_errors_are_one_exception_with_everything() -> None:
    with pytest.raises(SanglierError) as caught:
        load_text(broken(("10GiB", "10"), ("slots: 8", "slots: 0")), NAME)
    error = caught.value
    assert isinstance(error, SpecErrors)
    assert error.subject == NAME
    assert [mistake.code for mistake in error.mistakes] == ["SG-SPEC-003", "SG-SPEC-014"]
    assert str(error).count("[SG-SPEC-") == 2


def test_missing_file(tmp_path: Path) -> None:
    (mistake,) = check_file(tmp_path / "none.yaml").mistakes
    assert (mistake.code, mistake.line, mistake.what) == ("SG-SPEC-001", 0, "no such file")
    assert str(mistake).startswith(f"{tmp_path}/none.yaml: no such file  [SG-SPEC-001]")


def test_directory(tmp_path: Path) -> None:
    assert check_file(tmp_path).mistakes[0].what == "a directory"


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    assert check_file(tmp_path / "f" / "g").mistakes[0].code == "SG-SPEC-001"


def test_name_with_nul() -> None:
    assert check_file(Path("a\0b")).mistakes[0].code == "SG-SPEC-001"


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        ("cluster: été".encode("latin-1"), 1, 10),
        ("# é\nlabel: é".encode() + b"\xff", 2, 9),
        (GOOD.encode("utf-16"), 1, 1),
        (b"\x1f\x8b\x08\x00", 1, 2),
    ],
)
def test_not_utf8(tmp_path: Path, data: bytes, line: int, column: int) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_bytes(data)
    (mistake,) = check_file(file).mistakes
    assert (mistake.code, mistake.line, mistake.column) == ("SG-SPEC-002", line, column)


def test_endless_file_is_not_read_to_its_end() -> None:
    (mistake,) = check_file(Path("/dev/zero")).mistakes
    assert mistake.code == "SG-SPEC-006"


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends_of_other_systems(newline: str) -> None:
    (mistake,) = check_text_lines(newline)
    assert mistake == (41, 11)
    load_text(GOOD.replace("\n", newline), NAME)


def check_text_lines(newline: str) -> list[tuple[int, int]]:
    with pytest.raises(SpecErrors) as caught:
        load_text(broken(("10GiB", "10")).replace("\n", newline), NAME)
    return [(mistake.line, mistake.column) for mistake in caught.value.mistakes]
