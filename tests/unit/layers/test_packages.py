"""What is installed and what the kernel has, as dpkg and modules.dep tell it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanglier.core.probe import Output
from sanglier.layers.packages.desired import STORAGE_PACKAGES, modules_of, packages_of
from sanglier.layers.packages.facts import PackagesFacts
from sanglier.layers.packages.probe import parse

from .alter import altered
from .goal import APPLICATIONS, ARTICLE, GOAL, STORAGE
from .recordings import facts_of, outputs_of
from .simulate import applying


@pytest.mark.parametrize("host", (*STORAGE, *APPLICATIONS))
@pytest.mark.parametrize("case", ["blank", "converged"])
def test_a_full_host_has_its_packages_and_modules(case: str, host: str) -> None:
    now = facts_of(case).of(host, PackagesFacts)
    assert now.installed == set(packages_of(GOAL.cluster, host))
    assert now.modules == set(modules_of(GOAL.cluster, host))
    assert now.kernel.startswith("6.1.")


def test_the_witness_needs_the_quorum_device_and_in_the_articles_mode_nothing() -> None:
    assert packages_of(GOAL.cluster, "witness") == ("corosync-qnetd",)
    assert facts_of("blank").of("witness", PackagesFacts).installed == {"corosync-qnetd"}
    assert packages_of(ARTICLE.cluster, "witness") == ()


def test_the_article_needs_no_arbitration() -> None:
    assert set(packages_of(ARTICLE.cluster, "disk-a")) == set(STORAGE_PACKAGES)


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
