"""What is installed and what the kernel has, as dpkg and modules.dep tell it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sanglier.core.probe import Output
from sanglier.layers.packages import LAYER
from sanglier.layers.packages.agents import NEEDED, holder, needed, packages_for
from sanglier.layers.packages.desired import STORAGE_PACKAGES, modules_of, packages_of
from sanglier.layers.packages.facts import PackagesFacts
from sanglier.layers.packages.probe import OS_RELEASE, SOURCES, parse
from sanglier.spec.cluster import Cluster, FenceDevice
from sanglier.spec.patterns import AGENT, matches
from sanglier.spec.rules.fencing import NO_KILLS

from .alter import altered
from .goal import APPLICATIONS, ARTICLE, FIXTURES, GOAL, STORAGE
from .recordings import facts_of, outputs_of
from .simulate import applying


@pytest.mark.parametrize("host", (*STORAGE, *APPLICATIONS))
@pytest.mark.parametrize("case", ["blank", "converged"])
def test_a_full_host_has_its_packages_and_modules(case: str, host: str) -> None:
    now = facts_of(case).of(host, PackagesFacts)
    assert now.installed == set(packages_of(GOAL.cluster, host, "13"))
    assert now.modules == set(modules_of(GOAL.cluster, host))
    assert now.kernel.startswith("6.1.")


def test_the_witness_needs_the_quorum_device_and_in_the_articles_mode_nothing() -> None:
    assert packages_of(GOAL.cluster, "witness") == ("corosync-qnetd",)
    assert facts_of("blank").of("witness", PackagesFacts).installed == {"corosync-qnetd"}
    assert packages_of(ARTICLE.cluster, "witness") == ()


def test_the_article_needs_no_arbitration() -> None:
    assert set(packages_of(ARTICLE.cluster, "disk-a")) == set(STORAGE_PACKAGES)


def _with_devices(*agents: str) -> Cluster:
    """The cluster with other fence devices on its first storage server."""
    devices = tuple(
        FenceDevice(agent=agent, parameters=(), level=level)
        for level, agent in enumerate(agents, start=1)
    )
    first, second = GOAL.cluster.storage
    return replace(GOAL.cluster, storage=(replace(first, fence=devices), second))


@pytest.mark.parametrize("host", STORAGE)
def test_both_storage_servers_have_what_every_agent_of_the_file_needs(host: str) -> None:
    cluster = _with_devices("fence_apc_snmp", "fence_virsh", "fence_xvm")
    more = set(packages_of(cluster, host)) - set(packages_of(ARTICLE.cluster, host))
    assert more == {
        "corosync", "corosync-qdevice", "pacemaker", "pacemaker-cli-utils", "fence-agents",
        "fence-virt", "ipmitool", "openssh-client", "snmp",
    }  # fmt: skip


def test_an_agent_that_is_missing_a_program_gets_just_its_package() -> None:
    goal = replace(GOAL, cluster=_with_devices("fence_ipmilan", "fence_apc_snmp"))
    facts = altered(facts_of("converged"), "disk-a", PackagesFacts, sources=True)
    (step,) = (s for s in LAYER.propose(goal, facts).steps if s.address.host == "disk-a")
    assert step.summary == "install fence-agents-apc-snmp, snmp"


@pytest.mark.parametrize(
    ("agent", "twelve", "thirteen"),
    [
        ("fence_ipmilan", "fence-agents", "fence-agents-ipmilan"),
        ("fence_idrac", "fence-agents", "fence-agents-ipmilan"),
        ("fence_raritan_px3", "fence-agents", "fence-agents-raritan-px3"),
        ("fence_ilo4_ssh", "fence-agents", "fence-agents-ilo-ssh"),
        ("fence_xvm", "fence-virt", "fence-virt"),
    ],
)
def test_an_agent_is_in_the_package_that_the_archive_has_it_in(
    agent: str, twelve: str, thirteen: str
) -> None:
    """scripts/fence-packages compares all of them."""
    assert (holder(agent), holder(agent, "13")) == (twelve, thirteen)
    assert packages_for([agent], "13") == {thirteen, *needed(agent)}


def test_an_agent_of_somebody_else_needs_nothing_of_ours() -> None:
    assert packages_for(["fence_of_mine"]) == {"fence-agents"}


def test_the_table_has_no_agent_that_the_file_may_not_name() -> None:
    named = {agent for agents in NEEDED.values() for agent in agents}
    refused = {agent for agents in NO_KILLS.values() for agent in agents}
    assert all(matches(AGENT, agent) for agent in named)
    assert named & refused == set()


def test_a_removed_package_of_which_the_configuration_is_left_is_not_installed() -> None:
    outputs = outputs_of("blank", "srv-a", "packages")
    text = outputs["installed"].text.replace("ocfs2-tools installed", "ocfs2-tools config-files")
    now = parse(GOAL, "srv-a", {**outputs, "installed": replace(outputs["installed"], text=text)})
    assert now.installed == {"multipath-tools", "open-iscsi"}


def test_without_dpkg_nothing_is_installed() -> None:
    outputs = outputs_of("blank", "srv-a", "packages")
    now = parse(GOAL, "srv-a", {**outputs, "installed": Output(status=0, text="")})
    assert now.installed == frozenset()
    assert now.modules


def test_only_what_is_missing_is_installed_and_only_where() -> None:
    facts = facts_of("converged")
    installed = facts.of("srv-b", PackagesFacts).installed - {"ocfs2-tools"}
    facts = altered(facts, "srv-b", PackagesFacts, installed=installed, sources=True)
    (step,) = applying(GOAL, facts).steps
    assert (str(step.address), step.summary) == ("srv-b/packages/apt", "install ocfs2-tools")


DEBIAN_12 = (FIXTURES / "os-release/debian-12").read_text()
"""Of Debian 12's package base-files 12.4+deb12u11, whole."""


def _told(root: Path, **files: str) -> Output:
    """Let a real shell answer in a folder that holds these files of /etc and /usr/lib."""
    text = SOURCES
    for number, path in enumerate(OS_RELEASE.split()):
        text = text.replace(path, str(root / str(number)))
    text = text.replace("/etc/apt/", f"{root}/apt/")
    (root / "apt/sources.list.d").mkdir(parents=True)
    for name, content in files.items():
        (root / name.replace("_", "/").removeprefix("at/")).write_text(content)
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
    return Output(status=done.returncode, text=done.stdout)


def _facts(told: Output) -> PackagesFacts:
    return parse(GOAL, "srv-a", {**outputs_of("blank", "srv-a", "packages"), "sources": told})


def test_debian_12_is_proven(tmp_path: Path) -> None:
    now = _facts(_told(tmp_path, at_0=DEBIAN_12, at_1=DEBIAN_12))
    assert (now.release.proven, now.release.name) == (True, "Debian GNU/Linux 12 (bookworm)")
    assert not now.sources


def test_what_the_administrator_wrote_is_believed_over_what_the_package_says(
    tmp_path: Path,
) -> None:
    now = _facts(_told(tmp_path, at_0=DEBIAN_12.replace('"12"', '"14"'), at_1=DEBIAN_12))
    assert now.release.version == "14"


def test_the_package_is_asked_where_etc_does_not_say(tmp_path: Path) -> None:
    assert _facts(_told(tmp_path, at_1=DEBIAN_12)).release.proven


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("apt_sources.list", "deb mirror suite main\n"),
        ("apt_sources.list.d_debian.sources", "Types: deb\nURIs: mirror\n"),
    ],
)
def test_apts_sources_are_found_beside_the_release(tmp_path: Path, name: str, text: str) -> None:
    now = _facts(_told(tmp_path, **{"at_0": DEBIAN_12, name: text}))
    assert (now.sources, now.release.proven) == (True, True)


@pytest.mark.parametrize(
    ("then", "now", "name"),
    [
        ('VERSION_ID="12"\n', "", "Debian GNU/Linux 12 (bookworm)"),
        ('VERSION_ID="12"', 'VERSION_ID="14"', "Debian GNU/Linux 12 (bookworm)"),
        ("ID=debian", "ID=ubuntu", "Debian GNU/Linux 12 (bookworm)"),
        (DEBIAN_12, "ID='rocky'\nVERSION_ID=9.4\n", "rocky 9.4"),
        (DEBIAN_12, "", "an unknown system"),
    ],
    ids=["testing", "a later one", "another system", "without a title", "without the file"],
)  # fmt: skip
def test_another_release_is_the_first_and_only_word_about_packages(
    tmp_path: Path, then: str, now: str, name: str
) -> None:
    """Debian 12's own file with a word altered; no dpkg, no module and no source beside it."""
    told = _told(tmp_path, at_0=DEBIAN_12.replace(then, now))
    nothing = dict.fromkeys(("installed", "modules"), Output(status=0, text=""))
    facts = facts_of("blank").with_("srv-a", parse(GOAL, "srv-a", {**nothing, "sources": told}))
    said = LAYER.propose(GOAL, facts)
    assert [(p.code, str(p.address)) for p in said.problems] == [
        ("SG-PKG-003", "srv-a/packages/release")
    ]
    assert said.problems[0].what == f"this is {name}; Debian 12 or 13 is needed"
    assert not [step for step in said.steps if step.address.host == "srv-a"]
    line = next(line for line in LAYER.status(GOAL, facts) if line.host == "srv-a")
    assert (line.healthy, line.text.startswith(name.removeprefix("an "))) == (False, True)
