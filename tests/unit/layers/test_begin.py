"""What may be begun on blank devices: traces, consents, and the scripts in a false root."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sanglier.core.action import Script
from sanglier.core.facts import Facts
from sanglier.core.plan import Plan
from sanglier.core.probe import Output
from sanglier.core.step import Risk
from sanglier.layers.backing.desired import IN_USE, emptied_marker, metadata_marker
from sanglier.layers.backing.facts import BackingFacts
from sanglier.layers.backing.probe import parse_device
from sanglier.layers.cluster import cib
from sanglier.layers.drbd import begin, traces
from sanglier.layers.drbd.facts import DrbdFacts, Resource, Traces
from sanglier.layers.initiator.facts import InitiatorFacts
from sanglier.layers.ocfs2.desired import files_of, unit_name
from sanglier.layers.ocfs2.facts import Ocfs2Facts
from sanglier.layers.services import RUNNING
from sanglier.layers.target.desired import core, tree_path
from sanglier.layers.target.facts import TargetFacts

from .alter import altered, with_device, with_filesystem, with_side, with_traces
from .goal import APPLICATIONS, GOAL, STORAGE, VOLUME, WIPES, allowing
from .recordings import facts_of, outputs_of
from .root import Root
from .simulate import applying, cut_everywhere, may_run, sides, take_all

NEW = "new:data"
FILE = "/etc/drbd.d/data.res"
TREE = "/etc/sanglier/targets/data is there"


def codes(plan: Plan) -> set[str]:
    return {problem.code for problem in plan.problems if problem.code.startswith("SG-DRBD")}


def begun(plan: Plan) -> list[str]:
    """Give the steps that rest on blank devices."""
    beginnings = ("create metadata", "skip the first sync", "make OCFS2")
    return [step.summary.split(" on ")[0] for step in plan.steps
            if step.summary.startswith(beginnings)]  # fmt: skip


def blank_again(**traces_of_host: Traces) -> Facts:
    """Blank devices under a volume that some hosts know."""
    facts = facts_of("blank")
    for host, found in traces_of_host.items():
        host = host.replace("_", "-")
        facts = with_traces(facts, host, live=found.live, known=found.known, file=found.file)
    return facts


KNOWN = [
    blank_again(disk_a=Traces(known=(TREE,))),
    blank_again(disk_b=Traces(known=("Pacemaker's configuration has its resources",))),
    blank_again(srv_a=Traces(known=("its targets are in /etc/iscsi/nodes",))),
    blank_again(srv_b=Traces(known=("/etc/systemd/system/data.mount is there",))),
    blank_again(disk_a=Traces(file=(FILE,))),
]


# The plan.


@pytest.mark.parametrize("facts", KNOWN)
def test_a_volume_that_left_a_trace_anywhere_is_not_new(facts: Facts) -> None:
    plan = applying(GOAL, facts)
    assert codes(plan) == {"SG-DRBD-011"}
    assert "create metadata" not in begun(plan)
    assert "skip the first sync of data" not in begun(plan)
    assert not may_run(applying(allowing(*WIPES, "new:other"), facts))


@pytest.mark.parametrize("facts", KNOWN)
def test_it_is_begun_anew_where_that_is_allowed_by_its_name(facts: Facts) -> None:
    plan = applying(allowing(NEW), facts)
    assert may_run(plan)
    rests = [step for step in plan.steps if step.consent]
    assert {(step.consent, step.risk) for step in rests} == {(NEW, Risk.DESTRUCTIVE)}
    assert [s.summary.split(" ")[0] for s in rests] == ["create", "create", "skip"]
    take_all(facts, plan.steps)


@pytest.mark.parametrize("consents", [(), (NEW,), WIPES, (*WIPES, NEW)])
def test_no_consent_begins_anew_what_somebody_has_mapped(consents: tuple[str, ...]) -> None:
    facts = blank_again(srv_a=Traces(live=("it is mounted on /data",)))
    plan = applying(allowing(*consents), facts)
    assert codes(plan) == {"SG-DRBD-010"}
    assert not may_run(plan)
    (problem,) = [p for p in plan.problems if p.code == "SG-DRBD-010"]
    assert "srv-a: it is mounted on /data" in problem.what


def test_metadata_made_by_hand_on_blank_disks_makes_no_volume_new() -> None:
    facts = with_traces(facts_of("metadata-just-made"), "disk-a", known=(TREE,), file=(FILE,))
    assert codes(applying(GOAL, facts)) == {"SG-DRBD-011"}


def test_a_resource_file_alone_is_no_trace_once_metadata_is_made() -> None:
    facts = with_traces(facts_of("metadata-just-made"), "disk-a", file=(FILE,))
    facts = with_traces(facts, "disk-b", file=(FILE,))
    assert may_run(applying(GOAL, facts))


def test_a_first_build_that_is_cut_goes_on_without_a_consent() -> None:
    """Wherever it is cut: what both sides lack until then, nothing above the mirror has either."""
    facts = facts_of("blank")
    for state in cut_everywhere(facts, applying(GOAL, facts)):
        state = _with_files(state)
        if not all(_is_empty(state, host) for host in STORAGE):
            continue
        assert not codes(applying(GOAL, state))
        for host in STORAGE:
            assert tree_path(VOLUME) not in state.of(host, TargetFacts).files
        for host in APPLICATIONS:
            assert not state.of(host, InitiatorFacts).records
            assert not state.of(host, Ocfs2Facts).mounts
            assert f"/etc/systemd/system/{unit_name(VOLUME.mount)}" not in (
                state.of(host, Ocfs2Facts).files
            )


def _is_empty(facts: Facts, host: str) -> bool:
    device = facts.of(host, BackingFacts).devices[VOLUME.name]
    return traces.is_empty(sides(facts)[host], device)


def _with_files(facts: Facts) -> Facts:
    """What the probe would say of the resource files that the plan has written."""
    for host in STORAGE:
        if FILE in facts.of(host, DrbdFacts).files:
            facts = with_traces(facts, host, file=(FILE,))
    return facts


def test_two_wipes_by_name_need_no_second_consent() -> None:
    facts = facts_of("destroyed")
    for host in STORAGE:
        facts = with_traces(facts, host, known=(TREE,))
    plan = applying(allowing(*WIPES), facts)
    assert may_run(plan)
    assert not codes(plan)
    assert begun(plan)[:3] == ["create metadata"] * 2 + ["skip the first sync of data"]


def test_wipes_that_were_cut_behind_the_wiping_need_no_second_consent_either() -> None:
    facts = facts_of("blank")
    for host in STORAGE:
        facts = with_device(with_traces(facts, host, known=(TREE,)), host, emptied=True)
    assert may_run(applying(GOAL, facts))
    one = with_device(facts, "disk-a", emptied=False)
    assert codes(applying(GOAL, one)) == {"SG-DRBD-011"}


@pytest.mark.parametrize("live", [(), ("it is mounted on /data",)])
def test_one_blank_disk_is_filled_from_the_other_and_its_sync_never_skipped(
    live: tuple[str, ...],
) -> None:
    facts = with_traces(facts_of("one-side-wiped"), "srv-a", live=live)
    plan = applying(allowing("reuse:disk-a/mapper/disk"), facts)
    assert may_run(plan)
    assert begun(plan) == ["create metadata"]


IN_FORCE = facts_of("converged").of("disk-a", DrbdFacts).resources["data"].in_force
"""What the kernel has of a side that runs."""


@pytest.mark.parametrize(
    ("source", "whole"),
    [
        ({"outdated": True}, True),
        ({"up": True, "disk": "Outdated", "in_force": IN_FORCE}, True),
        ({"torn": True, "outdated": True}, False),
        ({"disk": "Inconsistent"}, False),
    ],
)
def test_a_blank_disk_is_not_filled_from_older_data_without_its_consent(
    source: dict[str, object], whole: bool
) -> None:
    facts = with_side(facts_of("one-side-wiped"), "disk-a", **source)
    plan = applying(allowing("reuse:disk-a/mapper/disk", NEW), facts)
    assert codes(plan) >= {"SG-DRBD-012"}
    assert begun(plan) == []
    plan = applying(allowing("reuse:disk-a/mapper/disk", "older:data"), facts)
    assert begun(plan) == (["create metadata"] if whole else [])
    assert ("SG-DRBD-012" not in codes(plan)) is whole


def test_metadata_that_nobody_could_read_is_data() -> None:
    """drbdmeta is not installed yet, wipefs sees DRBD's signature: the system was set up anew."""
    facts = facts_of("destroyed")
    for host in STORAGE:
        facts = with_side(facts, host, metadata=False)
    facts = with_traces(facts, "srv-a", known=("its targets are in /etc/iscsi/nodes",))
    assert not codes(applying(GOAL, facts))


def test_outdated_is_read_from_the_metadata() -> None:
    found = facts_of("drbd-outdated")
    assert {h: sides(found)[h].outdated for h in STORAGE} == {"disk-a": False, "disk-b": True}
    for case in ("converged", "metadata-just-made", "destroyed", "all-rebooted"):
        assert all(side.current or side.fresh for side in sides(facts_of(case)).values()), case


# The filesystem.


def mounted_at_boot(facts: Facts) -> Facts:
    now = facts.of("srv-b", Ocfs2Facts)
    units = {**now.units, unit_name(VOLUME.mount): RUNNING}
    return altered(facts, "srv-b", Ocfs2Facts, units=units)


def test_a_volume_that_is_mounted_at_boot_and_found_blank_is_made_with_its_consent_only() -> None:
    facts = mounted_at_boot(facts_of("filesystem-not-made"))
    assert applying(GOAL, facts).missing_consents == (NEW,)
    assert may_run(applying(allowing(NEW), facts))
    assert may_run(applying(GOAL, facts_of("filesystem-not-made")))


def test_a_known_filesystem_that_cannot_be_read_yet_is_not_made() -> None:
    facts = mounted_at_boot(facts_of("filesystem-not-made"))
    for host in APPLICATIONS:
        facts = with_filesystem(facts, host, readable=False, blank=False)
    assert begun(applying(GOAL, facts)) == []


# The looks.


@pytest.fixture(name="root")
def fixture_root(tmp_path: Path) -> Root:
    root = Root(tmp_path)
    root.put("/proc/mounts", "/dev/vda / ext4 rw 0 0\n")
    running = outputs_of("converged", "disk-a", "drbd")["state"].text + "\n"
    fresh = running.replace("UpToDate", "Inconsistent").replace("Primary", "Secondary")
    root.put("/proc/drbd", fresh)
    root.tool("drbdadm", f'echo "$*" >> {tmp_path}/done')
    root.tool("drbdsetup", "echo 0000000000000004:0:0:0:0:0:0:0:0:0:0")
    root.tool("perl", 'shift 2; [ $# -lt 3 ] || { shift 2; exec "$@"; }')
    for name in ("wipefs", "sync", "cmp"):
        root.tool(name, ":")
    root.tool("blockdev", "echo 1073741824")
    return root


def look(root: Root, host: str) -> Traces:
    (probe,) = traces.probes(GOAL, host)
    args = [re.sub(r"^/(?=etc/)", f"{root.place}/", str(arg)) for arg in probe.script.args]
    before = "".join(f"{needed.script.text}\n" for needed in probe.needs)
    status, told = root.run(before + probe.script.text, *args)
    assert status == 0, told
    output = Output(status=0, text=told.replace(str(root.place), ""))
    return traces.parse(GOAL, {probe.name: output})[VOLUME.name]


def test_a_host_that_knows_nothing_tells_nothing(root: Root) -> None:
    for host in (*STORAGE, *APPLICATIONS):
        assert look(root, host) == Traces()
    assert traces.probes(GOAL, "witness") == ()


def test_a_storage_server_tells_file_tree_configuration_and_target(root: Root) -> None:
    root.put(FILE)
    assert look(root, "disk-a") == Traces(file=(FILE,))
    root.put(tree_path(VOLUME))
    root.put("/var/lib/pacemaker/cib/cib.xml", cib.as_text(cib.configuration(GOAL.cluster)))
    root.put(f"/sys/kernel/config/target/{core(VOLUME)}/enable", "1\n")
    assert look(root, "disk-a").known == (
        TREE,
        "Pacemaker's configuration has its resources",
        "its target is there",
    )


def test_another_volume_s_name_is_not_this_one_s(root: Root) -> None:
    root.put("/var/lib/pacemaker/cib/cib.xml", '<primitive id="data-old-drbd"/>')
    root.put("/etc/systemd/system/x.mount", "What=/dev/mapper/sanglier-data2\n")
    root.put("/proc/mounts", "/dev/mapper/sanglier-data2 /data2 ocfs2 rw 0 0\n")
    root.put("/etc/iscsi/nodes/iqn.2009-02.fr.guiguiabloc:guiguiabloc.data2.disk-a/x")
    assert look(root, "disk-a") == Traces()
    assert look(root, "srv-a") == Traces()


def test_an_application_server_tells_records_sessions_units_and_mounts(root: Root) -> None:
    target = GOAL.cluster.target_iqn(VOLUME, GOAL.cluster.storage[1])
    root.put(f"/etc/iscsi/nodes/{target}/10.77.2.12,3260,1/default")
    root.put("/sys/class/iscsi_session/session3/targetname", f"{target}\n")
    (unit,) = [f for f in files_of(GOAL.cluster) if f.path.endswith("/data.mount")]
    root.put(unit.path, unit.text)
    assert look(root, "srv-a") == Traces(
        known=(
            "it has sessions with its targets",
            "its targets are in /etc/iscsi/nodes",
            f"{unit.path} is there",
        )
    )
    root.put("/proc/mounts", f"{VOLUME.map_device} /elsewhere ocfs2 rw 0 0\n")
    assert look(root, "srv-a").live == ("it is mounted on /elsewhere",)


def test_the_tree_s_place_is_that_of_the_target_s_layer() -> None:
    assert traces.tree_of(VOLUME) == tree_path(VOLUME)


# The scripts.


def asked(root: Root) -> list[str]:
    file = root.place / "done"
    return file.read_text().splitlines() if file.exists() else []


def skip(root: Root, how: str = "new") -> tuple[int, str]:
    return root.run(begin.SKIP, VOLUME.name, str(VOLUME.minor), f"{root.place}/tree", how)


def test_the_sync_of_two_fresh_sides_is_skipped(root: Root) -> None:
    assert skip(root) == (0, "")
    assert asked(root) == ["-- --clear-bitmap new-current-uuid data/0"]


def test_the_sync_is_not_skipped_where_the_target_stands_even_when_it_is_known(root: Root) -> None:
    root.put(f"/sys/kernel/config/target/{core(VOLUME)}/enable", "1\n")
    for how in ("new", "known"):
        status, told = skip(root, how)
        assert (status, asked(root)) == (1, [])
        assert "the target of data is there" in told


def test_the_sync_is_not_skipped_where_its_tree_came_meanwhile(root: Root) -> None:
    root.put("/tree")
    assert skip(root)[0] == 1
    assert asked(root) == []
    assert skip(root, "known")[0] == 0


@pytest.mark.parametrize("answer", ["echo 4A7AD197B8FF34C2:0:0:0:1:1:0:0:0:0:0", "exit 10", ":"])
def test_the_sync_is_not_skipped_over_data_nor_unread_metadata(root: Root, answer: str) -> None:
    root.tool("drbdsetup", answer)
    assert skip(root)[0] != 0
    assert asked(root) == []


def test_the_sync_is_not_skipped_with_a_peer_that_is_gone(root: Root) -> None:
    root.put("/proc/drbd", " 0: cs:WFConnection ro:Secondary/Unknown ds:Inconsistent/DUnknown C\n")
    assert skip(root)[0] == 1
    assert asked(root) == []


def create(root: Root, how: str = "new") -> tuple[int, str]:
    markers = [f"{root.place}{path}" for path in (metadata_marker("data"), emptied_marker("data"))]
    return root.run(begin.CREATE, "data", "/dev/x", markers[0], how, markers[1])


def left(root: Root) -> set[str]:
    return {path.name for path in (root.place / "var/lib/sanglier/pending").glob("*")}


def test_metadata_is_made_without_force_and_the_markers_go(root: Root) -> None:
    root.put(emptied_marker("data"))
    assert create(root) == (0, "")
    assert asked(root) == ["create-md data"]
    assert left(root) == set()


def test_metadata_that_was_cut_is_made_again_with_force(root: Root) -> None:
    root.put(metadata_marker("data"))
    assert create(root, "resume") == (0, "")
    assert asked(root) == ["create-md --force data"]


@pytest.mark.parametrize("how", ["new", "resume"])
def test_no_metadata_is_made_on_what_is_in_use(root: Root, how: str) -> None:
    root.put(emptied_marker("data"))
    root.tool("perl", "echo in use; exit 1")
    assert create(root, how) == (1, "in use\n")
    assert asked(root) == []
    assert left(root) == {"blank-data"}


def test_no_metadata_is_made_where_nobody_can_be_asked(root: Root) -> None:
    root.tool("perl", "exit 127")
    assert create(root)[0] == 127
    assert asked(root) == []


def test_metadata_that_the_tool_refuses_to_make_is_begun_again(root: Root) -> None:
    """drbdmeta(8) claims the device for itself, and gives up where somebody came before it."""
    root.put(emptied_marker("data"))
    root.tool("drbdadm", "exit 20")
    assert create(root)[0] == 20
    assert left(root) == {"blank-data", "drbd-data"}


# Who has a device.


def test_the_program_that_asks_is_sound_and_needs_no_quotes_of_its_own() -> None:
    text = IN_USE.split("perl -e ")[1].split(" -- ")[0]
    assert text.count("'") == 2
    done = subprocess.run(["perl", "-c", "-e", text.strip("'")], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("kind block\nsize 512\n", ()),
        ("user dm-0 is under loop3\n", ("dm-0 is under loop3",)),
        (
            "busy Device or resource busy\n",
            ("the kernel refuses to share it: Device or resource busy",),
        ),
        ("user dm-0 is swap\nbusy Device or resource busy\n", ("dm-0 is swap",)),
        ("user nobody can be asked who has it: perl did not run\n",
         ("nobody can be asked who has it: perl did not run",)),
    ],
)  # fmt: skip
def test_the_kernel_s_refusal_counts_where_nobody_is_known_by_name(
    text: str, users: tuple[str, ...]
) -> None:
    assert parse_device(Output(status=0, text=text)).users == users


def test_a_wipe_leaves_the_word_that_blank_is_meant() -> None:
    plan = applying(allowing(*WIPES), facts_of("device-holds-ext4"))
    (wipe,) = [step for step in plan.steps if step.summary.startswith("wipe")]
    (script,) = wipe.actions
    assert isinstance(script, Script)
    assert script.args == ("/dev/mapper/disk", emptied_marker(VOLUME.name))


def test_a_resource_that_is_not_there_is_empty() -> None:
    assert traces.is_empty(Resource(), facts_of("blank").of("disk-a", BackingFacts).devices["data"])
