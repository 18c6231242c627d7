"""o2cb, the filesystem and the mounts, as configfs, blkid and /proc/mounts tell them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.facts import Facts
from sanglier.core.probe import Output
from sanglier.core.step import Risk
from sanglier.layers.files import HEADER, WantedFile, as_file, differs
from sanglier.layers.ocfs2 import status
from sanglier.layers.ocfs2.desired import (
    CONF_PATH,
    FORMER_PATHS,
    PANIC,
    conf_file,
    files_of,
    is_other,
    mount_options,
    node_values,
    panic_file,
    runtime_values,
    unit_name,
    values_file,
)
from sanglier.layers.ocfs2.facts import O2CB, Filesystem, Ocfs2Facts
from sanglier.layers.ocfs2.moves import SET_KERNEL
from sanglier.layers.ocfs2.probe import parse, parse_filesystem
from sanglier.layers.read_back import read_back
from sanglier.layers.services import Unit

from .alter import altered, with_filesystem
from .goal import APPLICATIONS, GOAL, TIMINGS, VOLUME, allowing
from .recordings import facts_of, outputs_of
from .root import Root
from .simulate import applying, destroying, mounted, settle, take_all

UNIT = unit_name(VOLUME.mount)


def ocfs2(case: str, host: str) -> Ocfs2Facts:
    return facts_of(case).of(host, Ocfs2Facts)


def filesystem(case: str, host: str) -> Filesystem:
    return ocfs2(case, host).filesystems[VOLUME.name]


@pytest.mark.parametrize("host", APPLICATIONS)
def test_blank_hosts_are_offline_and_see_no_map(host: str) -> None:
    now = ocfs2("blank", host)
    assert (now.cluster_values, now.mounts) == ({}, {})
    assert filesystem("blank", host) == Filesystem(device=False)
    assert all(differs(wanted, now.files) for wanted in files_of(GOAL.cluster))


@pytest.mark.parametrize("host", APPLICATIONS)
def test_a_converged_host_is_online_with_the_declared_values(host: str) -> None:
    now = ocfs2("converged", host)
    assert now.cluster_values == {**runtime_values(TIMINGS), **node_values(GOAL.cluster)}
    assert now.units[O2CB].is_active
    assert now.o2cb_at_boot
    assert not any(differs(wanted, now.files) for wanted in files_of(GOAL.cluster))


@pytest.mark.parametrize("host", APPLICATIONS)
def test_a_converged_host_has_the_filesystem_mounted(host: str) -> None:
    now = ocfs2("converged", host)
    assert filesystem("converged", host) == Filesystem(
        device=True, readable=True, kind="ocfs2", label=VOLUME.label, cache="write back"
    )
    mount = now.mounts[VOLUME.mount]
    assert (mount.source, mount.kind) == (VOLUME.map_device, "ocfs2")
    assert {*mount_options(VOLUME), "rw"} <= mount.options
    assert now.units[UNIT].is_enabled


def test_an_unmounted_filesystem_is_still_there() -> None:
    assert ocfs2("filesystem-unmounted", "srv-b").mounts == {}
    assert filesystem("filesystem-unmounted", "srv-b").kind == "ocfs2"
    assert ocfs2("filesystem-unmounted", "srv-a").mounts != {}


def test_a_map_without_a_filesystem_is_blank() -> None:
    found = filesystem("filesystem-not-made", "srv-a")
    assert found == Filesystem(device=True, readable=True, blank=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Filesystem(device=False)),
        ("device\n", Filesystem(device=True)),
        ("device\nreadable\n", Filesystem(device=True, readable=True)),
        ("device\nreadable\nblank\n", Filesystem(device=True, readable=True, blank=True)),
        ("pending\ndevice\n", Filesystem(device=True, pending=True)),
    ],
    ids=["no map", "no path works", "data of no known kind", "blank", "cut"],
)
def test_no_map_and_blank_and_unknown_data_stay_apart(text: str, expected: Filesystem) -> None:
    assert parse_filesystem(Output(status=0, text=text)) == expected


def test_a_value_changed_at_run_time_is_seen() -> None:
    assert ocfs2("o2cb-values-changed", "srv-b").cluster_values["dead_threshold"] == "31"


def test_spaces_in_mount_points_are_unescaped() -> None:
    outputs = outputs_of("converged", "srv-a", "ocfs2")
    text = "/dev/sda1 /da\\040ta ext4 rw 0 0\n/dev/sdb1 /data ext4 ro 0 0\n"
    now = parse(GOAL, "srv-a", {**outputs, "mounts": Output(status=0, text=text)})
    assert now.mounts["/data"].source == "/dev/sdb1"
    assert len(now.mounts) == 1


@pytest.mark.parametrize(
    ("mount", "unit"),
    [
        ("/data", "data.mount"),
        ("/var/mail", "var-mail.mount"),
        ("/srv/my-files", "srv-my\\x2dfiles.mount"),
        ("/.hidden", "\\x2ehidden.mount"),
    ],
)
def test_unit_names_are_escaped_as_systemd_does(mount: str, unit: str) -> None:
    assert unit_name(mount) == unit


def test_an_existing_filesystem_is_never_made_again() -> None:
    facts = facts_of("filesystem-unmounted")
    for host in APPLICATIONS:
        facts = altered(facts, host, Ocfs2Facts, mounts={})
    assert not [s for s in applying(GOAL, facts).steps if "make" in s.summary]


def test_data_of_no_known_kind_is_made_over_with_consent_only() -> None:
    facts = facts_of("filesystem-not-made")
    for host in APPLICATIONS:
        facts = with_filesystem(facts, host, blank=False)
    assert applying(GOAL, facts).missing_consents == ("wipe:srv-a/mapper/sanglier-data",)


def test_the_server_that_was_cut_while_making_it_makes_it_again() -> None:
    facts = facts_of("filesystem-not-made")
    facts = with_filesystem(facts, "srv-b", blank=False, pending=True)
    facts = with_filesystem(facts, "srv-a", blank=False)
    made = [str(s.address) for s in applying(GOAL, facts).steps if "make" in s.summary]
    assert made == ["srv-b/ocfs2/data"]


def test_a_mount_made_by_hand_comes_back_at_boot() -> None:
    now = ocfs2("converged", "srv-a")
    by_hand = {**now.units, UNIT: Unit(active="active", enabled="disabled")}
    facts = altered(facts_of("converged"), "srv-a", Ocfs2Facts, units=by_hand)
    (step,) = applying(GOAL, facts).steps
    assert step.summary == "mount /data at boot"


def test_a_mount_made_by_hand_is_unmounted_by_destroy() -> None:
    now = ocfs2("converged", "srv-a")
    by_hand = {**now.units, UNIT: Unit(active="active", enabled="disabled")}
    facts = altered(facts_of("converged"), "srv-a", Ocfs2Facts, units=by_hand)
    assert not mounted(settle(GOAL, facts, destroying))


def test_destroy_leaves_debians_own_files() -> None:
    steps = destroying(GOAL, facts_of("blank")).steps
    assert not [step.summary for step in steps if step.summary.startswith("remove")]


# An oops.


def with_kernel(**values: str) -> Facts:
    """As srv-a's kernel says it; the recordings are older than the question."""
    facts = facts_of("converged")
    lines = "".join(f"kernel {name} {value}\n" for name, value in values.items())
    answers = dict(outputs_of("converged", "srv-a", "ocfs2"))
    answers["cluster"] = Output(status=0, text=lines + answers["cluster"].text)
    return facts.with_("srv-a", parse(GOAL, "srv-a", answers))


def test_a_kernel_that_would_go_on_after_an_oops_is_told_set_and_read_back() -> None:
    facts = with_kernel(panic="0", panic_on_oops="0")
    plan = applying(GOAL, facts)
    (step,) = plan.steps
    assert step.reason == "kernel.panic is 0, not 30; kernel.panic_on_oops is 0, not 1"
    assert step.risk is Risk.SAFE
    (line,) = (x for x in status.status(GOAL, facts) if not x.healthy)
    assert line.text.endswith("; kernel.panic is 0, kernel.panic_on_oops is 0")
    found = read_back(GOAL, facts).differing
    assert [(v.name, v.actual, v.wanted) for v in found] == [
        ("kernel panic", "0", "30"), ("kernel panic_on_oops", "0", "1"),
    ]  # fmt: skip
    assert applying(GOAL, take_all(facts, plan.steps)).empty


def test_a_kernel_that_restarts_after_an_oops_is_left_alone() -> None:
    facts = with_kernel(panic="30", panic_on_oops="1")
    assert applying(GOAL, facts).empty
    assert read_back(GOAL, facts).good


def test_at_boot_the_same_is_set() -> None:
    text = panic_file().text
    assert "kernel.panic = 30\n" in text
    assert "kernel.panic_on_oops = 1\n" in text


def test_what_is_set_is_what_the_kernel_reads(tmp_path: Path) -> None:
    root = Root(tmp_path)
    for name in PANIC:
        root.put(f"/proc/sys/kernel/{name}", "0\n")
    assert root.run(SET_KERNEL, "panic", "30", "panic_on_oops", "1") == (0, "")
    found = {n: (tmp_path / f"proc/sys/kernel/{n}").read_text().strip() for n in PANIC}
    assert found == PANIC


def test_the_label_is_read_where_udev_has_kept_its_encoded_form_only() -> None:
    """As on a map of Debian 13 that had lost its paths once (recorded), with a blank in it."""
    text = "device\nreadable\nTYPE=ocfs2\nLABEL_ENC=GUIGUI\\x20FS\n"
    assert parse_filesystem(Output(status=0, text=text)).label == "GUIGUI FS"
    both = Output(status=0, text=f"{text}LABEL=PLAIN\n")
    assert parse_filesystem(both).label == "PLAIN"


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        (values_file(GOAL.cluster), "\n# by hand\n{}\n\n"),
        (conf_file(GOAL.cluster), "# by hand\n{}"),
    ],
)
def test_files_of_o2cb_are_compared_by_what_they_come_to(wanted: WantedFile, written: str) -> None:
    lines = wanted.text.removeprefix(HEADER).splitlines(keepends=True)
    other = lines if wanted.path == CONF_PATH else list(reversed(lines))
    text = written.format("".join(other).replace("\tip_port = ", "  ip_port= "))
    assert not is_other(wanted, {wanted.path: as_file(text)})
    for line in (x for x in lines if "=" in x):
        less = text.replace(line.replace("\tip_port = ", "  ip_port= "), "", 1)
        assert is_other(wanted, {wanted.path: as_file(less)}), line
    assert is_other(wanted, {})


def test_a_number_at_another_node_is_another_conf() -> None:
    wanted = conf_file(GOAL.cluster)
    swapped = wanted.text.replace("number = 0", "number = X").replace("number = 1", "number = 0")
    text = swapped.replace("number = X", "number = 1")
    assert is_other(wanted, {wanted.path: as_file(text)})


@pytest.mark.parametrize("path", FORMER_PATHS)
def test_what_an_earlier_version_wrote_is_removed_and_debians_own_stays(path: str) -> None:
    facts = facts_of("converged")
    ours, debians = as_file(f"{HEADER}O2CB_ENABLED=true\n"), as_file("O2CB_ENABLED=true\n")
    now = facts.of("srv-a", Ocfs2Facts)
    with_ours = facts.with_("srv-a", replace(now, files={**now.files, path: ours}))
    (step,) = applying(GOAL, with_ours).steps
    assert step.summary == f"remove {path}"
    assert applying(GOAL, step.effect(with_ours)).empty
    down = destroying(allowing("destroy:guiguiabloc"), with_ours)
    assert [s.address.host for s in down.steps if s.summary == f"remove {path}"] == ["srv-a"]
    of_debian = replace(now, files={**now.files, path: debians})
    assert applying(GOAL, facts.with_("srv-a", of_debian)).empty


def test_debians_unit_at_boot_is_not_ours() -> None:
    """Debian 12's is "generated" of an LSB script, which does nothing for us."""
    facts = facts_of("converged")
    now = facts.of("srv-a", Ocfs2Facts)
    units = {**now.units, O2CB: Unit(active="active", enabled="generated")}
    (step,) = applying(GOAL, facts.with_("srv-a", replace(now, units=units))).steps
    assert step.summary.startswith("bring o2cb cluster guiguiabloc online, also at boot")
